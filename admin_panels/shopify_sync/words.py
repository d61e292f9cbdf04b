"""The sentences of the page: what was found in a comparison, and what an import has done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.integrations.shopify.models import ImportRun, SyncFind
from smsflow_plugin.integrations.shopify.sync import late


@dataclass(frozen=True, slots=True)
class Found:
    """Finds of one run that are alike, counted."""

    topic: str
    state: str
    reason: str = ""
    hours: int | None = None
    count: int = 1


def what(topic: str) -> str:
    """Return what a topic is about, for one thing."""
    names = {
        "customers/create": _("New customer"),
        "customers/update": _("Customer's details"),
        "customers_marketing_consent/update": _("Consent"),
        "customer.tags_added": _("Customer's tags"),
        "orders/create": _("Order"),
        "orders/paid": _("Order's payment"),
        "orders/cancelled": _("Order's cancellation"),
        "checkouts/update": _("Cart"),
    }
    return names.get(topic, topic)


def sentences(found: Iterable[Found]) -> list[str]:
    """Return what a comparison has found: "3 orders recovered", "1 cart ignored because it is 19 h old"."""
    recovered: Counter[str] = Counter()
    rest: list[str] = []
    for one in found:
        match one.state:
            case SyncFind.State.RECOVERED:
                recovered[one.topic] += one.count
            case SyncFind.State.IGNORED:
                rest.append(_ignored(one))
            case SyncFind.State.PARKED:
                rest.append(
                    ngettext("%(count)d not understood", "%(count)d not understood", one.count) % {"count": one.count}
                )
            case SyncFind.State.WAITING:
                rest.append(ngettext("%(count)d being read", "%(count)d being read", one.count) % {"count": one.count})
    return [*_recovered(recovered), *rest]


def _recovered(counts: Mapping[str, int]) -> Iterator[str]:
    for topic, count in sorted(counts.items()):
        values = {"count": count}
        match topic:
            case "orders/create":
                yield ngettext("%(count)d order recovered", "%(count)d orders recovered", count) % values
            case "orders/paid":
                yield ngettext("%(count)d payment recovered", "%(count)d payments recovered", count) % values
            case "orders/cancelled":
                yield ngettext("%(count)d cancellation recovered", "%(count)d cancellations recovered", count) % values
            case "checkouts/update":
                yield ngettext("%(count)d cart recovered", "%(count)d carts recovered", count) % values
            case "customers/create":
                yield ngettext("%(count)d new customer recovered", "%(count)d new customers recovered", count) % values
            case "customers_marketing_consent/update":
                yield (
                    ngettext("%(count)d consent recovered", "%(count)d statements of consent recovered", count) % values
                )
            case _:
                yield (
                    ngettext(
                        "%(count)d change of customers recovered", "%(count)d changes of customers recovered", count
                    )
                    % values
                )


def _ignored(one: Found) -> str:
    values = {"count": one.count, "hours": one.hours}
    match one.reason:
        case late.TOO_OLD:
            return (
                ngettext(
                    "%(count)d cart ignored because it is %(hours)d h old",
                    "%(count)d carts ignored because they are %(hours)d h old",
                    one.count,
                )
                % values
            )
        case late.BOUGHT:
            return (
                ngettext(
                    "%(count)d cart ignored because the person has ordered since",
                    "%(count)d carts ignored because the people have ordered since",
                    one.count,
                )
                % values
            )
        case late.NO_TOKEN:
            return (
                ngettext(
                    "%(count)d cart ignored because Shopify does not say which it is",
                    "%(count)d carts ignored because Shopify does not say which they are",
                    one.count,
                )
                % values
            )
    return ngettext("%(count)d ignored: %(why)s", "%(count)d ignored: %(why)s", one.count) % {
        **values,
        "why": one.reason,
    }


def report(run: ImportRun) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return what an import has done so far, in groups of (label, number); what is 0 is left out."""
    counted: Mapping[str, int] = run.report if isinstance(run.report, dict) else {}
    groups = [
        (
            _("People"),
            [
                (_("Customers read"), "customers"),
                (_("Contacts created"), "created"),
                (_("Contacts changed"), "updated"),
                (_("Known here from later than Shopify's copy, and left as they are"), "newer_here"),
                (_("With a number that can be texted"), "with_number"),
                (_("Without a number"), "without_number"),
                (_("Created since we listen: left to webhooks"), "customers_recent"),
            ],
        ),
        (
            _("Numbers that cannot be used"),
            [
                (_("Too short"), "number:short"),
                (_("Too long"), "number:long"),
                (_("Letters in it"), "number:letters"),
                (_("Not a number of the customer's country, and no prefix"), "number:country"),
                (_("No number of the country that its prefix names"), "number:unknown"),
            ],
        ),
        (
            _("Consent"),
            [
                (_("Agreed, said once"), "consent:granted:single"),
                (_("Agreed, confirmed from the phone"), "consent:granted:confirmed"),
                (_("Agreed"), "consent:granted"),
                (_("Asked, not yet confirmed"), "consent:pending"),
                (_("Refused"), "consent:revoked"),
                (_("Of these without a date: they undo no refusal"), "consents_undated"),
                (_("In the ledger already"), "consents_known"),
                (_("Never asked"), "never_asked"),
                (_("Agreed without a number that can be texted"), "consent_without_number"),
                (_("Said since we listen: left to webhooks"), "consents_recent"),
            ],
        ),
        (
            _("Orders"),
            [
                (_("Orders read"), "orders"),
                (_("Orders new here"), "orders_new"),
                (_("Discount codes of ours that were used"), "codes"),
                (_("Of nobody who can be known, mostly from the till"), "orders_of_nobody"),
                (_("Test orders"), "orders_test"),
                (_("Cancelled"), "orders_cancelled"),
                (_("Placed since we listen: left to webhooks"), "orders_recent"),
            ],
        ),
        (_("Lines that could not be read"), [(_("Broken"), "broken"), (_("Not understood"), "unreadable")]),
    ]
    shown = [
        (heading, [(label, counted[name]) for label, name in lines if counted.get(name)]) for heading, lines in groups
    ]
    return [(heading, lines) for heading, lines in shown if lines]


def progress(run: ImportRun) -> int | None:
    """Return how much of the current file is read, in percent; None while nobody knows how much there is."""
    if run.state != ImportRun.State.READING or not run.size:
        return None
    return min(100, int(run.offset * 100 / run.size))
