"""What waits for a person in a store: what other pages know already, with the way there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.governance.trip_words import sentence
from smsflow_plugin.measurement.conclusive import conclusive_tests
from smsflow_plugin.measurement.usage import price_warning
from smsflow_plugin.models import Batch, BreakerTrip, Delivery, Flow, FlowStat, Policy, ReplyReview, Store


@dataclass(frozen=True, slots=True)
class Item:
    """``level`` is a status of Wagtail's: critical or warning."""

    words: str
    url: str = ""
    level: str = "warning"


def needs_attention(user: Any, store: Store) -> list[Item]:
    """Return what somebody should look at, the worst first: only what ``user`` may see. Few queries."""
    return [*_breakers(user, store), *_waiting(user, store), *_tests(user, store), *_prices(user, store)]


def _breakers(user: Any, store: Store) -> Iterator[Item]:
    if not may(user, "view", BreakerTrip(store=store)):
        return
    trips = BreakerTrip.objects.filter(store=store, state=BreakerTrip.State.OPEN).select_related("flow")
    for trip in trips.order_by("-tripped_at", "-pk"):
        trip.store = store
        words = _("%(what)s is stopped. %(why)s") % {"what": trip.flow or store, "why": sentence(trip)}
        yield Item(words, reverse("smsflow_breakers:inspect", args=[trip.pk]), "critical")


def _waiting(user: Any, store: Store) -> Iterator[Item]:
    """Yield what waits in lists: all of them are counted in one query."""
    kinds = {
        "calls": (Batch, Batch.State.PARKED),
        "replies": (ReplyReview, ReplyReview.State.OPEN),
        "deliveries": (Delivery, Delivery.State.PARKED),
    }
    seen = {name: kind for name, kind in kinds.items() if may(user, "view", kind[0](store=store))}
    if not seen:
        return
    counts = Store.objects.filter(pk=store.pk).values(
        **{f"waiting_{name}": _count(model, state) for name, (model, state) in seen.items()}
    )[0]
    if calls := counts.get("waiting_calls", 0):
        words = ngettext(
            "%(count)d call to the gateway has no answer: say what became of it.",
            "%(count)d calls to the gateway have no answer: say what became of them.",
            calls,
        )
        yield Item(words % {"count": calls}, _list("smsflow_parked_calls", store), "critical")
    if deliveries := counts.get("waiting_deliveries", 0):
        words = ngettext(
            "%(count)d delivery was not understood.", "%(count)d deliveries were not understood.", deliveries
        )
        state = f"&state={Delivery.State.PARKED}"
        yield Item(words % {"count": deliveries}, _list("smsflow_deliveries", store) + state)
    if replies := counts.get("waiting_replies", 0):
        words = ngettext("%(count)d unclear reply waits.", "%(count)d unclear replies wait.", replies)
        state = f"&state={ReplyReview.State.OPEN}"
        yield Item(words % {"count": replies}, _list("smsflow_replies", store) + state)


def _count(model: Any, state: str) -> Coalesce:
    rows = model.objects.filter(store=OuterRef("pk"), state=state).order_by().values("store")
    return Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count"), output_field=IntegerField()), 0)


def _list(name: str, store: Store) -> str:
    return f"{reverse(f'{name}:index')}?store={store.pk}"


def _tests(user: Any, store: Store) -> Iterator[Item]:
    """Yield tests that are conclusive, and those that a flow's rule has ended of late. Two queries."""
    if not (may(user, "view", FlowStat(store=store)) and may(user, "view", Flow(store=store))):
        return
    for found in conclusive_tests(store):
        query = urlencode({"store": store.pk, "experiment": found.experiment})
        yield Item(found.words, f"{reverse('smsflow_experiments:index')}?{query}")


def _prices(user: Any, store: Store) -> Iterator[Item]:
    if may(user, "view", Policy(store=store)) and (words := price_warning(store)):
        yield Item(words)
