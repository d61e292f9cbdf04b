"""What pages take on a large store and on one a hundred times smaller, side by side:
``python -m tests.bench.bench_year --contacts 20000``. 100,000 contacts get two million texts.

The database is that of ``DATABASE_URL`` and must be empty: it is filled with two made-up years (``tests.bench.year``),
which is what takes long. Figures that are not the truth end it all. ``--only-measure`` asks a database that was filled
before once more, on the same day. Each page is asked for in this process, by somebody who works for that store and an
empty one: the median of nine times, after two for warming up.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

TEXTS = 26
SMALLER = 100
SIZES = ("large", "small")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-measure", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    told = {} if options.only_measure else fill(options.contacts, options.seed)
    print(json.dumps({**told, **measure(options.seed)}, indent=2))


def fill(contacts: int, seed: int) -> dict[str, Any]:
    """Fill both stores, count their days and open their conversations; return how long that took."""
    from django.core.management import call_command
    from django.db import connection

    from tests.admin.people import make_user
    from tests.bench.looks import open_threads
    from tests.factories import make_store

    call_command("migrate", verbosity=0)
    empty = make_store(name="Empty", domain="empty.myshopify.com")
    told: dict[str, Any] = {}
    for place, (size, count) in enumerate(zip(SIZES, (contacts, max(contacts // SMALLER, 1)), strict=True)):
        store = make_store(name=size.title(), domain=f"{size}.myshopify.com")
        told[size] = {**filled(store, count, seed + place), "threads": open_threads(store)}
        make_user(size, "Store admin", store, empty)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    return told


def filled(store: Any, contacts: int, seed: int) -> dict[str, Any]:
    from smsflow_plugin.measurement.rollups import rebuild
    from tests.bench.comparing import differences
    from tests.bench.year import make_year

    began = time.monotonic()
    truth = make_year(store, contacts, seed, TEXTS)
    made = time.monotonic()
    rebuild(store)
    counted = time.monotonic()
    wrong = differences(truth)
    assert not wrong, f"These figures are not the truth: {', '.join(wrong)}."
    seconds = {"seconds_to_make": round(made - began, 1), "seconds_to_count": round(counted - made, 1)}
    found = {"contacts": contacts, "texts": truth.texts, **seconds}
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def measure(seed: int) -> dict[str, Any]:
    """Ask for everything in both stores, and say how busy the machine was with it."""
    from django.contrib.auth import get_user_model

    from smsflow_plugin.models import Store
    from tests.admin.people import client_of
    from tests.bench.looks import Place, compared, compared_days, pages, redirects
    from tests.bench.setting import year_before

    places = []
    for size in SIZES:
        store = Store.objects.get(name=size.title())
        user = get_user_model().objects.get(username=size)
        places.append(Place(store, year_before(store), client_of(user)))
    large, small = places
    told: dict[str, Any] = {"load_before": os.getloadavg()[0], "pages": {}}
    other = pages(small)
    for name, look in pages(large).items():
        told["pages"][name] = compared(look, other[name])
        print(name, json.dumps(told["pages"][name]), file=sys.stderr, flush=True)
    told["one_day"] = compared_days(large, small)
    told["redirects"] = {size: redirects(place.store, seed) for size, place in zip(SIZES, places, strict=True)}
    return {**told, "load_after": os.getloadavg()[0]}


if __name__ == "__main__":
    main()
