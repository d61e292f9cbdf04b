"""What is looked at in a large store and a small one: pages, short links, and one day that is counted anew."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.http import urlencode

from smsflow_plugin.engine.trials import copy_experiment
from smsflow_plugin.flows.program import Program, Send
from smsflow_plugin.measurement.figures import Period
from smsflow_plugin.measurement.rollups import roll_up
from smsflow_plugin.models import Contact, Event, Flow, Link, Message, Store, StoreStat, Thread
from smsflow_plugin.stores.changes import note_days

TIMES, WARM = 9, 2
#: So many links of each store are opened.
LINKS = 1000
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"  # noqa: E501

Look = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A store that was filled, and somebody who works there."""

    store: Store
    period: Period
    client: Client

    def flow(self, name: str) -> Flow:
        return Flow.objects.get(store=self.store, name=name)


def open_threads(store: Store) -> int:
    """Open a conversation with everybody who wrote, as the pumps would have; return how many there are."""
    heard = Event.objects.filter(store=store, kind="message_received").order_by("contact_id", "-occurred_at")
    last: dict[int, Any] = {}
    for contact, at in heard.values_list("contact_id", "occurred_at"):
        last.setdefault(contact, at)
    threads = [
        Thread(
            store=store, contact_id=contact, last_at=at, heard_at=at, unread=contact % 2, last_words="Thanks",
            state=Thread.State.CLOSED if contact % 4 else Thread.State.OPEN,
        )
        for contact, at in last.items()
    ]  # fmt: skip
    return len(Thread.objects.bulk_create(threads, batch_size=1000))


def pages(place: Place) -> dict[str, Look]:
    """Return the pages to ask for by name: those of the figures, and lists and people."""
    store, period = place.store, place.period
    year = {"first": period.first, "last": period.last}
    found: dict[str, str] = {}
    for days, query in (("year", year), ("28 days", {"days": 28})):
        for name, url in {
            "all stores": reverse("smsflow_figures:index"),
            "store": reverse("smsflow_figures:store", args=[store.pk]),
            "flow": reverse("smsflow_figures:flow", args=[place.flow("Letters").pk]),
        }.items():
            found[f"{name}, {days}"] = f"{url}?{urlencode(query)}"
    for name, experiment in _trials(place):
        query = {"store": store.pk, "experiment": experiment}
        found[f"experiment: {name}"] = f"{reverse('smsflow_experiments:index')}?{urlencode(query)}"
    texts, inbox, people = (reverse(f"smsflow_{name}:index") for name in ("messages", "inbox", "contacts"))
    flow = place.flow("Letters").pk
    busy = _busiest(store)
    found |= {
        "texts": texts,
        "texts of the store": f"{texts}?store={store.pk}",
        "texts of a flow": f"{texts}?flow={flow}",
        "texts that failed": f"{texts}?state=failed",
        "texts that wait": f"{texts}?state=queued",
        "texts of a day": f"{texts}?queued_at_from={period.last}&queued_at_to={period.last}",
        "texts, page 20": f"{texts}?p=20",
        "texts, searched": f"{texts}?q=Hello",
        "texts, searched in vain": f"{texts}?q=nowhere",
        "texts, searched by number": f"{texts}?q={quote(str(busy.phone))}",
        "contacts": people,
        "contacts, searched by number": f"{people}?q={quote(str(busy.phone))}",
        "contact": reverse("smsflow_contacts:inspect", args=[busy.pk]),
        "inbox": inbox,
        "inbox, unread": f"{inbox}?part=waiting",
        "inbox, searched": f"{inbox}?q=nowhere",
        "gallery of flows": reverse("smsflow_gallery:index"),
    }
    return {name: partial(place.client.get, url) for name, url in found.items()}


def _trials(place: Place) -> Iterable[tuple[str, str]]:
    flow = place.flow("Trial")
    assert flow.current_version is not None
    first = Program.from_json(flow.current_version.program).instructions[0]
    assert isinstance(first, Send)
    yield "two wordings", copy_experiment(flow.pk, first)
    held = place.flow("Winback")
    assert held.current_version is not None
    yield "a holdout", f"flow:{held.pk}@{Program.from_json(held.current_version.program).holdout}"


def _busiest(store: Store) -> Contact:
    """Return who got most of the last texts: of the first hundred people, so that both stores have somebody alike."""
    first = list(Contact.objects.filter(store=store).order_by("pk")[:100])
    texts = list(Message.objects.filter(contact__in=first).values_list("contact_id", flat=True))
    return max(first, key=lambda contact: texts.count(contact.pk))


def one_day(place: Place, day: date) -> Look:
    """Return what counts a day anew that was changed, and nothing else."""

    def count() -> None:
        StoreStat.objects.update(rests_until=None)
        note_days({(place.store.pk, day)})
        began = time.perf_counter()
        assert roll_up() == 1
        count.took = (time.perf_counter() - began) * 1000  # type: ignore[attr-defined]

    return count


def compared_days(large: Place, small: Place) -> dict[str, Any]:
    """Count a day of each store anew, in turn; the days of the large store have a hundred times the texts."""
    times: tuple[list[float], list[float]] = ([], [])
    days = [large.period.last - timedelta(days=back) for back in (30, 90, 150)]
    for day in days:
        for place, own in zip((large, small), times, strict=True):
            look = one_day(place, day)
            look()
            look()
            own.append(look.took)  # type: ignore[attr-defined]
    return {"large_ms": round(statistics.median(times[0]), 1), "small_ms": round(statistics.median(times[1]), 1)}


def compared(large: Look, small: Look) -> dict[str, Any]:
    """Ask for both pages in turn, so that whatever else the machine does befalls both.

    The first look is told apart: it finds nothing that is kept for the next.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for _turn in range(WARM + TIMES):
        for look, own in zip((large, small), times, strict=True):
            began = time.perf_counter()
            assert look().status_code == 200
            own.append((time.perf_counter() - began) * 1000)
    first, second = (statistics.median(own[WARM:]) for own in times)
    return {
        "large_ms": round(first, 1), "small_ms": round(second, 1), "ratio": round(first / second, 2),
        "large_first_ms": round(times[0][0], 1), "small_first_ms": round(times[1][0], 1),
        "large_queries": queries(large), "small_queries": queries(small),
    }  # fmt: skip


def queries(look: Look) -> int:
    with CaptureQueriesContext(connection) as captured:
        look()
    return len(captured)


def redirects(store: Store, seed: int) -> dict[str, Any]:
    """Open short links one after the other, each another one, as a phone does; return how long that took."""
    chance, client = Random(seed), Client(headers={"User-Agent": PHONE})
    codes = list(Link.objects.filter(store=store, clicked_at=None).values_list("code", flat=True)[: 200 * LINKS])
    times = []
    for code in chance.sample(codes, min(LINKS, len(codes))):
        url = reverse("smsflow:link", args=[code])
        began = time.perf_counter()
        assert client.get(url).status_code == 302
        times.append((time.perf_counter() - began) * 1000)
    percentiles = statistics.quantiles(times, n=100)
    return {"opened": len(times), "p50_ms": round(percentiles[49], 2), "p99_ms": round(percentiles[98], 2)}
