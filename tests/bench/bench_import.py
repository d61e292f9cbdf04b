"""Import a large past, and say what it takes: ``python -m tests.bench.bench_import --customers 1000 --orders 3000``.

The database is that of ``DATABASE_URL`` and must be empty: it is filled. A process of its own imports, this one serves
the files and opens a page of the admin again and again. Beside it stands what reading the files and writing as many
bare rows takes in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
PAGE = 40


def customers(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        agreed = n % 5 < 3
        yield {
            "id": f"gid://shopify/Customer/{10_000_000 + n}", "firstName": "Ada", "lastName": f"Lovelace {n}",
            "email": f"ada{n}@example.com", "locale": "en", "tags": ["VIP"] if n % 10 == 0 else [],
            "createdAt": "2024-03-01T10:00:00Z", "updatedAt": "2025-06-01T10:00:00Z", "numberOfOrders": "3",
            "defaultPhoneNumber": {
                "phoneNumber": f"+45{20_000_000 + n}", "marketingState": "SUBSCRIBED" if agreed else "NOT_SUBSCRIBED",
                "marketingOptInLevel": "SINGLE_OPT_IN" if agreed else None,
                "marketingUpdatedAt": "2024-03-01T10:00:00Z" if agreed else None, "marketingCollectedFrom": "SHOPIFY",
            },
            "defaultAddress": {"countryCodeV2": "DK", "provinceCode": None, "zip": "2100"},
        }  # fmt: skip


def orders(count: int, people: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        gid = f"gid://shopify/Order/{5_000_000_000 + n}"
        at = f"20{24 + n % 2}-{1 + n % 12:02d}-{1 + n % 28:02d}T{n % 24:02d}:{n % 60:02d}:00Z"
        yield {
            "id": gid, "name": f"#{n}", "createdAt": at, "processedAt": at, "updatedAt": at, "cancelledAt": None,
            "test": False, "sourceName": "web", "displayFinancialStatus": "PAID", "discountCodes": [],
            "statusPageUrl": f"https://shop.example/orders/{n}", "email": None, "phone": None, "customerLocale": "da",
            "checkoutToken": f"t{n}", "cartToken": None,
            "totalPriceSet": {"shopMoney": {"amount": "249.0", "currencyCode": "DKK"}},
            "customer": {"id": f"gid://shopify/Customer/{10_000_000 + n * 7919 % people}"},
        }  # fmt: skip
        for line in range(1 + n % 2):
            yield {
                "id": f"gid://shopify/LineItem/{n}{line}", "title": "Sencha", "quantity": 1, "__parentId": gid,
                "variant": {"id": f"gid://shopify/ProductVariant/{n % 50}", "price": "124.5"},
                "product": {"id": f"gid://shopify/Product/{n % 20}"},
            }  # fmt: skip


def write(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    with path.open("w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
            count += 1
    return count


def peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def work() -> None:
    """The process that imports: one run after the other, as a worker would."""
    from smsflow_plugin.integrations.shopify.models import ImportRun
    from smsflow_plugin.integrations.shopify.sync.importing import import_history

    before, told = peak(), {}
    for run in ImportRun.objects.order_by("pk"):
        ImportRun.objects.filter(pk=run.pk).update(state=ImportRun.State.READING)
        began, cpu = time.monotonic(), time.process_time()
        while ImportRun.objects.filter(state__in=ImportRun.ACTIVE).exists():
            import_history()
        seconds = time.monotonic() - began
        run.refresh_from_db()
        told[run.phase] = {
            "state": run.state, "lines": run.lines, "seconds": round(seconds, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1), "lines_per_second": round(run.lines / seconds),
            "peak_mb": peak(), "report": run.report,
        }  # fmt: skip
        print(json.dumps(told[run.phase]), file=sys.stderr, flush=True)
    print(json.dumps({"peak_mb_before": before, **told}))


def bare(files: list[str]) -> None:
    """The baseline: read and parse the files, and write a contact or an event for each object, with nothing decided."""
    from django.db import transaction

    from smsflow_plugin import bulk, clock
    from smsflow_plugin.events.models import Event
    from smsflow_plugin.integrations.shopify.sync import gathering, stream
    from smsflow_plugin.models import Contact, Store
    from tests.factories import make_store

    store = make_store(name="Bare", domain="bare.myshopify.com", sender="+4592451001")
    told: dict[str, Any] = {}
    for name, url in zip(("customers", "orders"), files, strict=True):
        began = time.monotonic()
        lines = sum(1 for line, _end in stream.lines(url, 0) if json.loads(line))
        told[f"{name}_parsed_per_second"] = round(lines / (time.monotonic() - began))
        began, now = time.monotonic(), clock.now()
        for chunk in gathering.chunks(stream.lines(url, 0)):
            with transaction.atomic():
                if name == "customers":
                    phones = [(store.pk, one["defaultPhoneNumber"]["phoneNumber"]) for one in chunk.nodes]
                    bulk.insert(Contact, ("store_id", "phone"), phones)
                else:
                    rows = [(store.pk, None, "order_created", one["id"], now, one) for one in chunk.nodes]
                    bulk.insert(Event, ("store_id", "contact_id", "kind", "key", "occurred_at", "data"), rows)
        told[f"{name}_bare_lines_per_second"] = round(lines / (time.monotonic() - began))
    told["peak_mb"] = peak()
    assert Store.objects.count() == 2
    print(json.dumps(told))


def page_times(look: Callable[[], None], stop: threading.Event) -> list[float]:
    times = []
    while not stop.is_set():
        began = time.perf_counter()
        look()
        times.append((time.perf_counter() - began) * 1000)
        stop.wait(0.5)
    return times


def summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(len(ordered) * 0.95) - 1], 1),
        "worst_ms": round(ordered[-1], 1),
        "looks": len(ordered),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", default="all")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=300_000)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    if options.what == "work":
        work()
    elif options.what == "bare":
        bare(options.files)
    else:
        measure(options.customers, options.orders)


def measure(people: int, bought: int) -> None:
    from django.core.management import call_command
    from django.urls import reverse

    from smsflow_plugin.integrations.shopify.models import ImportRun
    from smsflow_plugin.integrations.shopify.sync.comparing import state_of
    from tests.admin.people import client_of, make_user
    from tests.factories import make_store

    call_command("migrate", verbosity=0)
    store = make_store(
        name="Nordic Tea", country="DK", timezone="Europe/Copenhagen", language="da", currency="DKK",
        domain="nordic-tea.myshopify.com", sender="+4592451000",
    )  # fmt: skip
    connection = store.connections.get(kind="shopify")
    state_of(connection)
    client = client_of(make_user("boss", "Store admin", store))

    def look() -> None:
        assert client.get(reverse("smsflow_contacts:index")).status_code == 200

    with tempfile.TemporaryDirectory() as folder:
        lines = (
            write(Path(folder, "customers"), customers(people)),
            write(Path(folder, "orders"), orders(bought, people)),
        )
        handler = partial(Quiet, directory=folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        urls = [f"http://127.0.0.1:{server.server_address[1]}/{name}" for name in ("customers", "orders")]
        for phase, url in zip(("customers", "orders"), urls, strict=True):
            ImportRun.objects.create(
                store=store, connection=connection, with_orders=phase == "orders", phase=phase, url=url,
                size=Path(folder, phase).stat().st_size, state=ImportRun.State.CANCELLED,
            )  # fmt: skip
        for _look in range(5):
            look()
        before = [0.0] * PAGE
        for n in range(PAGE):
            began = time.perf_counter()
            look()
            before[n] = (time.perf_counter() - began) * 1000
        stop, during = threading.Event(), []
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.bench_import", "work"], cwd=TOP, stdout=subprocess.PIPE, text=True
        )
        watcher = threading.Thread(target=lambda: during.extend(page_times(look, stop)))
        watcher.start()
        out, _err = worker.communicate()
        stop.set()
        watcher.join()
        baseline = subprocess.run(
            [sys.executable, "-m", "tests.bench.bench_import", "bare", *urls],
            cwd=TOP, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        server.shutdown()
    told = {
        "lines": lines, "import": json.loads(out.splitlines()[-1]),
        "bare": json.loads(baseline.stdout.splitlines()[-1]),
        "page_before": summary(before), "page_during": summary(during),
    }  # fmt: skip
    print(json.dumps(told, indent=2))


class Quiet(SimpleHTTPRequestHandler):
    """Serves whole files: whoever goes on skips what it has."""

    def log_message(self, *args: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            return


if __name__ == "__main__":
    main()
