"""Measures the real pumps on the configured database, in a throw-away store, beside bare SQL.

Every contact goes through: enter, send, wait, branch, send. The clock of the run lies two
days back and moves by one, so that nobody else's future is reached; and nothing runs
while others have work waiting, for the pumps know no stores.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test.utils import override_settings

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.ledger import Opening, ledger_opened
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import Happening, Person, PersonFact, RawDelivery, StoreInfo, Translation
from smsflow_plugin.flows.program import Branch, Program, Reentry, Send, Trigger, Wait
from smsflow_plugin.measurement import bare_sql
from smsflow_plugin.measurement.bench_governance import Spent, verdicts_per_cpu_second, watched
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import (
    Batch,
    Connection,
    ConsentRecord,
    Contact,
    ContactDate,
    Decision,
    Delivery,
    Effect,
    Enrollment,
    Event,
    Flow,
    FlowVersion,
    Heartbeat,
    Identity,
    Message,
    Policy,
    Store,
)

NAME = "smsflow_bench (throw-away)"
STEPS = ("enter", "send", "wait", "branch", "send")
#: Engine and bare SQL take turns, so that a busy machine is as unkind to both.
ROUNDS = 3
CHUNK = 20_000
#: A worker that showed itself so recently is alive.
ALIVE = timedelta(minutes=3)

_PATH = "smsflow_plugin.measurement.benchmark.translate"
#: Children before their parents.
_MODELS: tuple[Any, ...] = (
    Message, Batch, Decision, Effect, Enrollment, Event, Delivery, ConsentRecord, Identity, ContactDate, Contact,
    FlowVersion, Flow, Policy, Connection,
)  # fmt: skip


class CannotMeasure(Exception):
    """The benchmark must not or cannot run here. The message is a sentence for a person."""


@dataclass(slots=True)
class Cost:
    """What a part of the run has cost so far. ``server`` is None where the server's CPU cannot be read."""

    seconds: float = 0.0
    client: float = 0.0
    server: float | None = 0.0
    statements: int = 0

    @property
    def cpu(self) -> float:
        return self.client + (self.server or 0.0)


@dataclass(slots=True)
class Bench:
    contacts: int
    waiting: int
    tell: Callable[[str], None]
    engine: Cost = field(default_factory=Cost)
    bare: Cost = field(default_factory=Cost)
    governance: Spent = field(default_factory=Spent)

    def run(self) -> dict[str, Any]:
        """Measure, clean up whatever happens, and return the figures.

        :raises CannotMeasure: if others have work waiting, or the pumps did not do the work.
        """
        check_alone()
        # at noon, when every law lets texts go
        machine = _MovingClock((clock.now() - timedelta(days=2)).replace(hour=12, minute=0))
        own = {"CLOCK": machine, "TRANSLATORS": {"bench": _PATH}, "GATEWAYS": _NULL}
        with override_settings(SMSFLOW={**getattr(settings, "SMSFLOW", {}), **own}):
            clean_up()
            try:
                self._measure(machine)
            finally:
                self.tell("Deleting the throw-away store …")
                clean_up()
        return self._figures()

    def _measure(self, machine: _MovingClock) -> None:
        place = _make_store()
        start = machine.at
        self._add_waiting(place, start)
        share = -(-self.contacts // ROUNDS)
        done = 0
        for round_number in range(ROUNDS):
            size = min(share, self.contacts - done)
            if size <= 0:
                break
            self.tell(f"Round {round_number + 1} of {ROUNDS}: {size} contacts through the pumps, as many in bare SQL …")
            machine.at = start
            _add_contacts(place, done, size, "bench")
            with watched(self.governance), _measured(self.engine):
                _drain(ingest)
                _send_due()
                machine.at = start + timedelta(days=1, minutes=1)
                _send_due()
            done += size
            if Message.objects.filter(store_id=place.store_id, state="accepted").count() != 2 * (done + done - size):
                raise CannotMeasure("The pumps did not send two texts to everybody, so the figures would mean nothing.")
            people, deliveries = _add_contacts(place, self.contacts + done, size, "bare")
            with _measured(self.bare):
                bare_sql.run(place, people, deliveries, start, machine.at, smsflow_settings.BATCH_SIZE)

    def _add_waiting(self, place: bare_sql.Place, start: datetime) -> None:
        """Add people who are in the flow and are not due for a year."""
        later = start + timedelta(days=365)
        for done in range(0, self.waiting, CHUNK):
            self.tell(f"Adding people who wait: {done} of {self.waiting} …")
            size = min(CHUNK, self.waiting - done)
            rows = bulk.insert(Contact, ("store_id", "wake_at"), [(place.store_id, later)] * size, returning=("id",))
            bulk.insert(
                Enrollment,
                ("store_id", "flow_id", "version_id", "contact_id", "state", "wake_at", "entered_at"),
                [(place.store_id, place.flow_id, place.version_id, pk, {"at": 1}, later, start) for (pk,) in rows],
            )
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE smsflow_contact, smsflow_enrollment")

    def _figures(self) -> dict[str, Any]:
        steps = self.contacts * len(STEPS)
        per_1000 = 1000 / steps
        server = self.engine.server is not None
        return {
            "database": connection.display_name,
            "contacts": self.contacts,
            "waiting": self.waiting,
            "batch_size": smsflow_settings.BATCH_SIZE,
            "steps_per_contact": len(STEPS),
            "steps": steps,
            "seconds": round(self.engine.seconds, 3),
            "steps_per_second": round(steps / self.engine.seconds, 1),
            "cpu_seconds_per_1000_steps": round(self.engine.cpu * per_1000, 4),
            "client_cpu_seconds_per_1000_steps": round(self.engine.client * per_1000, 4),
            "server_cpu_seconds_per_1000_steps": (round((self.engine.server or 0) * per_1000, 4) if server else None),
            "statements": self.engine.statements,
            "statements_per_step": round(self.engine.statements / steps, 4),
            "bare_sql_steps_per_second": round(steps / self.bare.seconds, 1),
            "bare_sql_cpu_seconds_per_1000_steps": round(self.bare.cpu * per_1000, 4),
            "cpu_ratio_to_bare_sql": round(self.engine.cpu / self.bare.cpu, 2),
            "governance_cpu_seconds_per_1000_steps": round(self.governance.seconds * per_1000, 4),
            "governance_adds_percent": round(
                100 * self.governance.seconds / (self.engine.cpu - self.governance.seconds), 1
            ),
            "verdicts_per_cpu_second": verdicts_per_cpu_second(),
            "cpu_counts": _CPU_COUNTS[connection.vendor] if server else "client only: the server's CPU cannot be read",
        }


_NULL = {"null": "smsflow_plugin.messaging.gateway.NullGateway"}
_CPU_COUNTS = {
    "postgresql": "client and the database's backend process",
    "sqlite": "client, in which the database runs",
}

_PROGRAM = Program(
    triggers=(Trigger("order_created"),),
    instructions=(
        Send("first", {"": "Hi {{ contact.first_name | default: 'there' }}, thank you for order {{ order.name }}!"}),
        Wait("wait", 1, "days"),
        Branch("branch", {"field": "orders_count", "op": "ge", "value": 1}, otherwise=4),
        Send("second", {"": "{{ contact.first_name | default: 'Hello' }}, do you like the {{ order.first_item }}?"}),
    ),
    exits=("order_cancelled",),
    reentry=Reentry("subject"),
)  # fmt: skip


class _MovingClock:
    """The clock of the run."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Read the benchmark's own deliveries: somebody has ordered something."""
    data = json.loads(raw.body)
    happening = Happening("order_created", data["id"], raw.received_at, data["id"], {"order": data["order"]})
    return Translation((PersonFact(Person(phone=data["phone"]), happenings=(happening,)),))


def check_alone() -> None:
    """Make sure that the pumps can touch nobody else's work.

    :raises CannotMeasure: with a sentence that says what is in the way.
    """
    now = clock.now()
    if Heartbeat.objects.filter(name="worker", at__gt=now - ALIVE, at__lte=now).exists():
        raise CannotMeasure("A worker is running, or was three minutes ago. Stop it, or use another database.")
    others = {
        "unread deliveries": Delivery.objects.filter(state=Delivery.State.PENDING),
        "contacts who are due": Contact.objects.filter(wake_at__lte=now),
        "queued texts": Message.objects.filter(state=Message.State.QUEUED, not_before__lte=now),
    }
    for what, rows in others.items():
        if rows.exclude(store__name=NAME).exists():
            raise CannotMeasure(f"There are {what} in this database. Let the worker finish, or use another database.")


def clean_up() -> None:
    """Delete the throw-away store of this run, or of one that was killed, with all that belongs to it."""
    for store_id in Store.objects.filter(name=NAME).values_list("pk", flat=True):
        Flow.objects.filter(store_id=store_id).update(current_version=None)
        with ledger_opened(Opening.BENCHMARK, Store.objects.get(pk=store_id)):
            for model in _MODELS:
                # row by row through the ORM's collector, a million rows would take minutes
                rows = model.objects.filter(store_id=store_id)
                rows._raw_delete(rows.db)
            Store.objects.filter(pk=store_id).delete()


def _make_store() -> bare_sql.Place:
    store = Store.objects.create(name=NAME, brand="Bench", sender="+12025550100", country="DK", timezone="UTC")
    Policy.objects.bulk_create([Policy(store=store, week=[["00:00", "23:59:59.999999"]] * 7)])
    own = Connection.objects.create(store=store, kind="null", account=f"smsflow-bench-{store.pk}")
    # in bulk: no search index, no log, no references for what lives a minute
    (flow,) = Flow.objects.bulk_create([Flow(store=store, name=NAME, trigger=_PROGRAM.triggers[0].kind, live=True)])
    (version,) = FlowVersion.objects.bulk_create([
        FlowVersion(
            store=store, flow=flow, number=1, content_hash=_PROGRAM.content_hash, program=_PROGRAM.to_json()
        )
    ])  # fmt: skip
    Flow.objects.filter(pk=flow.pk).update(current_version=version)
    return bare_sql.Place(store.pk, flow.pk, version.pk, own.pk)


def _add_contacts(place: bare_sql.Place, first: int, size: int, kind: str) -> tuple[list[tuple[int, str]], list[int]]:
    """Add people who agreed to texts, and a delivery about each; return (id, number) pairs and delivery ids.

    Deliveries of the kind "bare" are not for the pumps to read.
    """
    people: list[tuple[int, str]] = []
    deliveries: list[int] = []
    now = clock.now()
    state = Delivery.State.PENDING if kind == "bench" else Delivery.State.DONE
    for done in range(0, size, CHUNK):
        numbers = [f"+4520{n:06d}" for n in range(first + done, first + min(done + CHUNK, size))]
        rows = bulk.insert(
            Contact,
            ("store_id", "phone", "first_name", "timezone", "marketing_consent", "orders_count"),
            [(place.store_id, number, f"Ada{number[-3:]}", "UTC", "granted", 1) for number in numbers],
            returning=("id", "phone"),
        )
        people.extend((pk, str(number)) for pk, number in rows)
        order = {"name": "#1001", "total": "129.00", "first_item": "Trail Jacket"}
        bodies = [json.dumps({"id": f"{kind}:{n}", "phone": n, "order": order}).encode() for n in numbers]
        made = bulk.insert(
            Delivery,
            ("store_id", "source", "external_id", "body", "state", "received_at"),
            [(place.store_id, "bench", f"{kind}:{n}", b, state, now) for n, b in zip(numbers, bodies, strict=True)],
            returning=("id",),
        )
        deliveries.extend(pk for (pk,) in made)
    return people, deliveries


def _send_due() -> None:
    _drain(advance)
    _drain(lambda: dispatch().taken)


def _drain(pump: Callable[[], int]) -> None:
    while pump():
        pass


@contextmanager
def _measured(cost: Cost) -> Iterator[None]:
    """Add what happens inside to ``cost``."""

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        cost.statements += 1
        return execute(sql, params, many, context)

    connection.ensure_connection()
    server, client, wall = _server_cpu(), time.process_time(), time.perf_counter()
    with connection.execute_wrapper(count):
        yield
    cost.seconds += time.perf_counter() - wall
    cost.client += time.process_time() - client
    after = _server_cpu()
    cost.server = None if server is None or after is None or cost.server is None else cost.server + after - server


def _server_cpu() -> float | None:
    """Return the CPU seconds of the server process behind our connection; None if it cannot be seen from here."""
    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except OSError:
        return None
    # the process of that number here may be another one: the server may run on another machine
    if "postgres" not in name:
        return None
    values: Sequence[str] = rest.split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
