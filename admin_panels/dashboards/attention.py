"""What waits for a person in a store: what other pages know already, with the way there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.waiting import Waiting
from smsflow_plugin.governance.trip_words import sentence
from smsflow_plugin.measurement import baseline_words
from smsflow_plugin.measurement.conclusive import conclusive_tests
from smsflow_plugin.measurement.targets import Held
from smsflow_plugin.measurement.usage import price_warning
from smsflow_plugin.models import Batch, BreakerTrip, Delivery, ExperimentStanding, Flow, Policy, ReplyReview, Store


@dataclass(frozen=True, slots=True)
class Item:
    """``level`` is a status of Wagtail's: critical or warning. ``tag`` says in a word what is the matter."""

    words: str
    url: str = ""
    level: str = "warning"
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A live flow and the targets that it misses."""

    flow: Flow
    held: Sequence[Held]


#: What there is to see here, and whose right it takes, apart from the figures.
_KINDS: tuple[type[Model], ...] = (BreakerTrip, Batch, ReplyReview, Delivery, Policy, Flow)


def needs_attention(user: Any, store: Store, waits: Waiting, missing: Iterable[Missing]) -> list[Item]:
    """Return what somebody should look at, the worst first: only what ``user`` may see. At most four queries."""
    return [
        *_breakers(user, store, waits),
        *_waiting(user, store, waits),
        *_tests(user, store, waits),
        *_targets(store, missing),
        *_prices(user, store),
    ]


def sees_all(user: Any, store: Store) -> bool:
    """Return whether ``user`` may see everything that could need attention."""
    return all(may(user, "view", kind(store=store)) for kind in _KINDS)


def _breakers(user: Any, store: Store, waits: Waiting) -> Iterator[Item]:
    if not (may(user, "view", BreakerTrip(store=store)) and waits.of(BreakerTrip, store.pk)):
        return
    trips = BreakerTrip.objects.filter(store=store, state=BreakerTrip.State.OPEN).select_related("flow")
    for trip in trips.order_by("-tripped_at", "-pk"):
        trip.store = store
        words = _("%(what)s is stopped. %(why)s") % {"what": trip.flow or store, "why": sentence(trip)}
        yield Item(words, reverse("smsflow_breakers:inspect", args=[trip.pk]), "critical")


def _targets(store: Store, missing: Iterable[Missing]) -> Iterator[Item]:
    for one in missing:
        words = baseline_words.missed(str(one.flow.name), one.held, store.currency)
        yield Item(words, reverse("smsflow_figures:flow", args=[one.flow.pk]), tag=_("Target"))


def _waiting(user: Any, store: Store, waits: Waiting) -> Iterator[Item]:
    """Yield what waits in lists."""
    seen = {
        model: waits.of(model, store.pk) if may(user, "view", model(store=store)) else 0
        for model in (Batch, Delivery, ReplyReview)
    }
    if calls := seen[Batch]:
        words = ngettext(
            "%(count)d call to the gateway has no answer: say what became of it.",
            "%(count)d calls to the gateway have no answer: say what became of them.",
            calls,
        )
        yield Item(words % {"count": calls}, _list("smsflow_parked_calls", store), "critical")
    if deliveries := seen[Delivery]:
        words = ngettext(
            "%(count)d delivery was not understood.", "%(count)d deliveries were not understood.", deliveries
        )
        state = f"&state={Delivery.State.PARKED}"
        yield Item(words % {"count": deliveries}, _list("smsflow_deliveries", store) + state)
    if replies := seen[ReplyReview]:
        words = ngettext("%(count)d unclear reply waits.", "%(count)d unclear replies wait.", replies)
        state = f"&state={ReplyReview.State.OPEN}"
        yield Item(words % {"count": replies}, _list("smsflow_replies", store) + state)


def _list(name: str, store: Store) -> str:
    return f"{reverse(f'{name}:index')}?store={store.pk}"


def _tests(user: Any, store: Store, waits: Waiting) -> Iterator[Item]:
    """Yield tests that are conclusive, and those that a flow's rule has ended of late. Two queries."""
    if not (waits.of(ExperimentStanding, store.pk) and may(user, "view", Flow(store=store))):
        return
    for found in conclusive_tests(store):
        query = urlencode({"store": store.pk, "experiment": found.experiment})
        yield Item(found.words, f"{reverse('smsflow_experiments:index')}?{query}", tag=_("Test"))


def _prices(user: Any, store: Store) -> Iterator[Item]:
    if may(user, "view", Policy(store=store)) and (words := price_warning(store)):
        yield Item(words)
