"""How a store stands with Shopify, in words: what is wrong, what to do about it, and what is still to be set up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin.scopes import held, shortest
from smsflow_plugin.integrations.shopify.models import Grant, SubscriptionCheck
from smsflow_plugin.integrations.shopify.needed import needs_of
from smsflow_plugin.integrations.shopify.subscriptions import Needs
from smsflow_plugin.integrations.shopify.topic_table import TOPICS
from smsflow_plugin.models import Connection, Delivery, Flow, Store
from smsflow_plugin.stores.actions import readable_connections

#: Comparing is due every hour; after twice that the worker is probably not there.
LATE = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Advice:
    """``status``: critical, warning or info. ``action``: what helps: connect, token, compare, check or ""."""

    status: str
    text: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of setting a store up."""

    text: str
    done: bool
    hint: str = ""


class Standing:
    """Everything that the page of a store shows, read once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = clock.now()

    @cached_property
    def connections(self) -> Mapping[str, Connection]:
        return {row.kind: row for row in readable_connections(self.store.pk)}

    @property
    def connection(self) -> Connection | None:
        return self.connections.get("shopify")

    @cached_property
    def grant(self) -> Grant | None:
        # what is secret is not read here, so a lost key does not take the page away
        rows = Grant.objects.select_related("app").defer("secrets", "app__secrets")
        return rows.filter(connection=self.connection).first() if self.connection else None

    @cached_property
    def check(self) -> SubscriptionCheck | None:
        return SubscriptionCheck.objects.filter(connection=self.connection).first() if self.connection else None

    @cached_property
    def needs(self) -> Needs:
        return needs_of(self.store.pk)

    @cached_property
    def scopes(self) -> list[tuple[str, bool, Sequence[str]]]:
        """The rights that are needed: name, whether the shop has granted it, and the flows that need it."""
        granted = held(self.grant.scopes) if self.grant else frozenset()
        names = shortest(self.needs.scopes)
        flows = {name: set(self.needs.scopes[name]) for name in names}
        return [(name, name in granted, sorted(flows[name])) for name in names]

    @property
    def lacking(self) -> list[str]:
        return [name for name, granted, _flows in self.scopes if not granted]

    @cached_property
    def topics(self) -> list[tuple[str, str, Sequence[str]]]:
        """The webhooks that are needed: name, state ("ok", "waits", or what Shopify says), the flows that need it."""
        there = set(self.check.topics) if self.check else set()
        said = {row["topic"]: row["said"] for row in (self.check.problems if self.check else [])}
        return [
            (name, said.get(name) or ("ok" if name in there else "waits"), flows)
            for name, flows in sorted(self.needs.topics.items())
        ]

    @property
    def in_place(self) -> int:
        return sum(1 for _name, state, _flows in self.topics if state == "ok")

    @cached_property
    def last_webhook(self) -> datetime | None:
        """When the last webhook came: by the index, which goes by state."""
        rows = Delivery.objects.filter(store=OuterRef("pk"), source="shopify").order_by("-received_at")
        latest = {
            f"last_{state}": Subquery(rows.filter(state=state).values("received_at")[:1])
            for state in Delivery.State.values
        }
        found = Store.objects.filter(pk=self.store.pk).values_list(*(latest.values())).first() or ()
        return max((moment for moment in found if moment), default=None)

    @cached_property
    def has_live_flow(self) -> bool:
        return Flow.objects.filter(store=self.store, live=True).exists()

    def advice(self) -> list[Advice]:
        """Return what to do, the most urgent first. Nothing: all is well."""
        if self.connection is None:
            return [Advice("info", _("This store is not connected to a shop yet."), "connect")]
        if self.store.status == Store.Status.UNINSTALLED:
            text = _("The app was taken away in the shop's admin. Nothing is sent for this store until it is back.")
            return [Advice("critical", text, "connect")]
        if self.grant is None:
            text = _(
                "Webhooks of this shop are believed, but nothing can be asked of it: no webhooks are set up by "
                "themselves, and no discount codes are made. Connect it through an app."
            )
            return [Advice("warning", text, "connect")]
        if self.grant.broken_at is not None:
            text = _("The shop does not let us in: %(why)s") % {"why": self.grant.broken_because}
            return [Advice("critical", text, "check"), self._again()]
        return [*self._about_scopes(), *self._about_webhooks()]

    def _again(self) -> Advice:
        if self.grant and self.grant.app_id is None:
            return Advice("info", _("If that does not help, enter a new token."), "token")
        return Advice("info", _("If that does not help, connect the shop again."), "connect")

    def _about_scopes(self) -> list[Advice]:
        if not self.lacking:
            return []
        text = _("Flows of this store need rights that the shop has not granted: %(scopes)s.")
        action = "token" if self.grant and self.grant.app_id is None else "connect"
        return [Advice("warning", text % {"scopes": ", ".join(self.lacking)}, action)]

    def _about_webhooks(self) -> list[Advice]:
        check, found = self.check, []
        if check is None or check.compared_at is None:
            why = check.failed_because if check else ""
            text = _("The shop's webhooks are not set up yet. %(why)s") % {"why": why}
            return [Advice("warning", text.strip(), "compare")]
        if check.failed_because:
            text = _("The shop's webhooks could not be looked at: %(why)s") % {"why": check.failed_because}
            found.append(Advice("warning", text, "compare"))
        elif self.now - check.compared_at > LATE:
            text = _("The shop's webhooks were not looked at for more than two hours. Is the worker running?")
            found.append(Advice("warning", text, "compare"))
        granted = held(self.grant.scopes) if self.grant else frozenset()
        refused = [row for row in check.problems if self._is_refusal(row, granted)]
        if refused:
            text = _("Shopify did not set up %(topics)s: %(said)s")
            topics = ", ".join(row["topic"] for row in refused)
            found.append(Advice("warning", text % {"topics": topics, "said": refused[0]["said"]}, "compare"))
        return found

    def _is_refusal(self, row: Mapping[str, Any], granted: frozenset[str]) -> bool:
        """Return whether Shopify said no to a topic although all rights are there; of the others we speak already."""
        topic = TOPICS.get(row["topic"])
        return topic is None or set(topic.scopes) <= granted

    def steps(self) -> list[Step]:
        """Return what there is to do until the first text goes."""
        connected = self.grant is not None and self.grant.broken_at is None
        set_up = self.check is not None and self.check.compared_at is not None and bool(self.check.topics)
        sends = "sinch" in self.connections and bool(self.store.sender)
        return [
            Step(_("The shop is connected"), connected, _("Connect it through an app, or enter a token.")),
            Step(_("Its webhooks are set up"), set_up, _("This happens by itself once the shop is connected.")),
            Step(
                _("A webhook has come"),
                self.last_webhook is not None,
                _("Change something in the shop, for example a customer's name."),
            ),
            Step(_("Texts can be sent"), sends, _("Enter a sender and a service plan on the store's page.")),
            Step(_("A flow is live"), self.has_live_flow, _("Choose one from the gallery, and publish it.")),
        ]
