"""What stands at the head of a person's page: what they are worth, what they answered, what they agreed to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.audience.comparing import number_of, text_of
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.measurement.credit_words import money
from smsflow_plugin.measurement.scores import score_fields
from smsflow_plugin.measurement.telling import CONSENT_SOURCES
from smsflow_plugin.measurement.worth import worth_of
from smsflow_plugin.models import Contact, Flow


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the head. ``at``: a moment instead of a number. ``about`` stands below it."""

    label: str
    value: str = ""
    at: Any = None
    about: str = ""


def figures(contact: Contact) -> list[Figure]:
    """Return what a person is worth, and what texts to them came to. Three queries."""
    worth, currency = worth_of(contact), contact.store.currency
    average = "–" if worth.average is None else money(worth.average, currency)
    credited = ngettext("%(count)s order", "%(count)s orders", worth.credited_orders)
    clicked = ngettext("in %(count)s text", "in %(count)s texts", worth.clicked) % {"count": _count(worth.clicked)}
    unpriced = _("%(count)s without a price") % {"count": _count(worth.unpriced)} if worth.unpriced else ""
    return [
        Figure(_("Orders"), _count(worth.orders)),
        Figure(_("Spent in all"), money(worth.spent, currency)),
        Figure(_("Average order"), average),
        Figure(
            _("Credited to texts"),
            money(worth.credited, currency),
            about=credited % {"count": _count(worth.credited_orders)} if worth.credited_orders else "",
        ),
        Figure(_("First order"), "–", contact.first_order_at),
        Figure(_("Last order"), "–", contact.last_order_at),
        Figure(_("Texts sent"), _count(worth.sent)),
        Figure(_("Clicks"), _count(worth.clicks), about=clicked if worth.clicked else ""),
        Figure(_("Cost of texts"), "–" if worth.cost is None else money(worth.cost, currency), about=unpriced),
    ]


def scores(contact: Contact) -> list[tuple[str, str]]:
    """Return the numbers that the person has answered to questions for one, by the field that keeps them.

    Two queries at most: which fields these are, the store's flows know.
    """
    if not contact.fields:
        return []
    versions = Flow.objects.filter(store_id=contact.store_id, current_version__isnull=False)
    programs = Programs.load(versions.values_list("current_version_id", flat=True))
    names = dict.fromkeys(name for program in programs.values() for name in score_fields(program))
    return [(name, said) for name in names if (said := _number(contact.fields.get(name)))]


def consent(contact: Contact) -> list[tuple[Any, Any, bool]]:
    """Return (what, how it stands, whether that is good) of everything that can be agreed to."""
    states = Contact.Consent
    service_revoked = contact.service_consent == states.REVOKED
    rows: list[tuple[Any, Any, bool]] = [
        (
            _("Marketing texts"),
            contact.get_marketing_consent_display(),
            contact.marketing_consent == states.GRANTED,
        )
    ]
    if contact.opt_in_level:
        rows.append((_("Opt-in"), contact.get_opt_in_level_display(), contact.opt_in_level == "confirmed"))
    service = _("Allowed") if contact.service_consent == states.UNKNOWN else contact.get_service_consent_display()
    return [
        *rows,
        (_("Service texts"), service, not service_revoked),
        (_("E-mails"), contact.get_email_consent_display(), contact.email_consent == states.GRANTED),
    ]


def consent_source(contact: Contact) -> str:
    """Return where the newest word about consent came from."""
    return str(CONSENT_SOURCES.get(contact.consent_source, contact.consent_source))


def own_fields(contact: Contact, but: Iterable[str]) -> list[tuple[str, Any]]:
    """Return the person's own fields without those that stand elsewhere."""
    shown = set(but)
    return [(name, value) for name, value in contact.fields.items() if name not in shown]


def _number(value: Any) -> str:
    text = text_of(value)
    number = number_of(text.strip()) if text else None
    return "" if number is None else number_format(number)


def _count(number: int) -> str:
    return number_format(number, force_grouping=True)
