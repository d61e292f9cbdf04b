"""Kill -9 at random moments: every text comes exactly once, and none is lost."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smsflow_plugin.integrations.simulator.shop import Shop, SiteUnreachable
from tests.e2e.people import SiteClock, customer, shop_for
from tests.e2e.site import Site, eventually, running_site

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]

PEOPLE = 300
#: Of a message, as ``totals`` names them.
STATES = ("queued", "sending", "accepted", "delivered", "failed", "expired", "cancelled")


class Killer(threading.Thread):
    """Kills one part of the site again and again, at a random moment once it is at work, and starts it anew."""

    def __init__(self, site: Site, name: str, *, up: Callable[[], bool], seed: int) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.name = name
        self.up = up
        self.random = random.Random(f"{seed} {name}")
        self.calm = threading.Event()
        self.kills = 0

    def run(self) -> None:
        while not self.calm.is_set():
            if self.up() and not self.calm.wait(self.random.uniform(0.05, 5)):
                self.site.kill(self.name)
                self.kills += 1
                self.site.start(self.name)
            self.calm.wait(0.1)


@contextmanager
def chaos(site: Site, seed: int) -> Iterator[None]:
    """Nothing is safe for as long as this lasts."""
    killers = [
        Killer(site, "web", up=lambda: site.answers(site.url + "/admin/login/"), seed=seed),
        Killer(site, "worker", up=WorkerWatch(site), seed=seed),
    ]
    for killer in killers:
        killer.start()
    try:
        yield
        # on a slow machine a part may hardly have come up
        eventually(lambda: all(killer.kills >= 2 for killer in killers), "both parts were killed")
    finally:
        for killer in killers:
            killer.calm.set()
            killer.join()
        print({killer.name: killer.kills for killer in killers})


class WorkerWatch:
    """Says whether the worker that was started last is at work."""

    def __init__(self, site: Site) -> None:
        self.log = site.folder / "worker.log"
        self.seen = 0

    def __call__(self) -> bool:
        starts = self.log.read_text().count("Huey consumer started")
        new, self.seen = starts > self.seen, starts
        return new


def post_until_taken(shop: Shop, number: int) -> None:
    """What Shopify does with a webhook that nobody took: it sends the same one again."""
    news: list[tuple[str, bytes, dict[str, str]]] = []

    def stubborn(url: str, body: bytes, headers: object) -> tuple[int, str]:
        from smsflow_plugin.integrations.simulator.shop import over_http

        news.append((url, body, dict(headers)))  # type: ignore[call-overload]
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                status, text = over_http(*news[-1])
            except SiteUnreachable:
                time.sleep(0.3)
                continue
            if status == 200:
                return status, text
            assert status in (502, 503), f"{status} {text}"
            time.sleep(0.3)
        raise AssertionError("The site did not come back.")

    patient = Shop(info=shop.info, secret=shop.secret, url=shop.url, now=shop.now, post=stubborn)
    patient.consents(customer(number, first_name=f"Person{number}"), subscribed=True)


def test_every_text_comes_exactly_once_whatever_is_killed(tmp_path: Path, kind: str) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    with running_site(
        tmp_path, kind, SMSFLOW_RECONCILE_AFTER="3", SMSFLOW_BATCH_SIZE="40", LOG_LEVEL_HUEY="INFO"
    ) as site:
        now = SiteClock(site.inside("make_store")["now"])
        site.inside("without_gap")
        site.inside("enable_two_texts")
        shop = shop_for(site.url, now)
        with chaos(site, seed):
            for number in range(1000, 1000 + PEOPLE):
                post_until_taken(shop, number)
            reach(site, PEOPLE // 2, "half of the first texts arrive")
            # whoever came in later than the clock moves would wait for another two hours
            eventually(lambda: everybody_waits(site), "everybody waits for the second text", seconds=150)
            now.move_to(site.inside("forward", minutes=125))
            reach(site, PEOPLE * 3 // 2, "half of the second ones arrive")

        # then it is left alone: what was cut off is looked up, and the last texts go out
        eventually(lambda: settled(site), f"everything is sent (seed {seed})\n{site.logs('worker')}", seconds=150)
        expected = Counter(
            (f"+1202555{number}", which) for number in range(1000, 1000 + PEOPLE) for which in ("First", "Second")
        )
        got = Counter(
            (text.phone, next(word for word in ("First", "Second") if word in text.body))
            for text in site.network.all_texts()
            if text.direction == "to_phone"
        )
        assert got == expected, f"seed {seed}: lost {expected - got}, too many {got - expected}"
        totals = site.inside("totals")
        assert totals["finished"] == PEOPLE
        assert totals["failed"] == totals["parked"] == totals["cancelled"] == 0


def reach(site: Site, texts: int, what: str) -> None:
    try:
        # a call that was cut off is asked about later and later, and each question may be killed, too
        eventually(lambda: site.network.statistics()["recipients"] >= texts, what, seconds=300)
    except AssertionError:
        print(site.network.statistics(), site.inside("totals"), site.logs("worker"), sep="\n")
        raise


def everybody_waits(site: Site) -> bool:
    """Whether everybody's first text is at least queued, and with it the wait for the second has begun."""
    totals = site.inside("totals")
    return sum(totals[state] for state in STATES) >= PEOPLE


def settled(site: Site) -> bool:
    totals = site.inside("totals")
    busy = totals["pending"] + totals["queued"] + totals["sending"] + totals["open_batches"]
    return totals["finished"] == PEOPLE and busy == 0
