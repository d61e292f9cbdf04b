"""What the pages with figures take on a large store and on one a hundred times smaller, side by side:
``python -m tests.bench.bench_year --contacts 20000``. 100,000 contacts get two million texts.

The database is that of ``DATABASE_URL`` and must be empty: it is filled with two made-up years (``tests.bench.year``).
Each page is asked for in this process, by somebody who works for that store and an empty one, over the whole year and
over the last 28 days: the median of nine times, after two for warming up.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

TEXTS = 26
TIMES, WARM = 9, 2
SMALLER = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    measure(options.contacts, options.seed)


def measure(contacts: int, seed: int) -> None:
    from django.core.management import call_command
    from django.urls import reverse

    from tests.admin.people import client_of, make_user
    from tests.factories import make_store

    call_command("migrate", verbosity=0)
    empty = make_store(name="Empty", domain="empty.myshopify.com")
    told: dict[str, Any] = {}
    pages: dict[str, list[Callable[[], Any]]] = {}
    for place, (size, count) in enumerate((("large", contacts), ("small", max(contacts // SMALLER, 1)))):
        store = make_store(name=size.title(), domain=f"{size}.myshopify.com")
        truth, told[size] = filled(store, count, seed + place)
        client = client_of(make_user(size, "Agency", store, empty))
        flow = truth.flows["Letters"]
        for name, url in {
            "all stores": reverse("smsflow_figures:index"),
            "store": reverse("smsflow_figures:store", args=[store.pk]),
            "flow": reverse("smsflow_figures:flow", args=[flow.pk]),
        }.items():
            for days, query in (
                ("year", f"?first={truth.period.first}&last={truth.period.last}"),
                ("28 days", "?days=28"),
            ):
                pages.setdefault(f"{name}, {days}", []).append(partial(client.get, url + query))
    frame = reverse("smsflow_gallery:index")
    client.get(frame)
    told["queries_of_a_bare_page"] = queries(lambda: client.get(frame))
    told["pages"] = {name: compared(*looks) for name, looks in pages.items()}
    print(json.dumps(told, indent=2))


def filled(store: Any, contacts: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """Fill a store and count its days; return its truth, and how long that took. Wrong figures end it all."""
    from smsflow_plugin.measurement.rollups import rebuild
    from tests.bench.year import make_year
    from tests.measurement.readings import of_stores

    began = time.monotonic()
    truth = make_year(store, contacts, seed, TEXTS)
    made = time.monotonic()
    rebuild(store)
    counted = time.monotonic()
    assert of_stores([store.pk], truth.period)[store.pk] == truth.all(), "These figures are not the truth."
    seconds = {"seconds_to_make": round(made - began, 1), "seconds_to_count": round(counted - made, 1)}
    found = {"contacts": contacts, "texts": truth.texts, **seconds}
    print(json.dumps(found), file=sys.stderr, flush=True)
    return truth, found


def compared(large: Callable[[], Any], small: Callable[[], Any]) -> dict[str, Any]:
    """Ask for both pages in turn, so that whatever else the machine does befalls both."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(WARM + TIMES):
        for look, own in zip((large, small), times, strict=True):
            began = time.perf_counter()
            assert look().status_code == 200
            if turn >= WARM:
                own.append((time.perf_counter() - began) * 1000)
    first, second = (statistics.median(own) for own in times)
    return {
        "large_ms": round(first, 1), "small_ms": round(second, 1), "ratio": round(first / second, 2),
        "large_queries": queries(large), "small_queries": queries(small),
    }  # fmt: skip


def queries(look: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        look()
    return len(captured)


if __name__ == "__main__":
    main()
