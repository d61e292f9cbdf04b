"""The writes of the benchmark's flow as bare SQL, in batches: what the pumps are measured against.

The same rows, in the same tables and in as many transactions, through the same driver;
but nothing is read from deliveries, decided, composed or grouped. The values are ready.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

Row = tuple[Any, ...]

_EVENT = {
    "store_id": "bigint", "contact_id": "bigint", "kind": "text", "key": "text", "subject": "text",
    "occurred_at": "timestamptz", "recorded_at": "timestamptz", "data": "jsonb",
}  # fmt: skip
_ENROLLMENT = {
    "store_id": "bigint", "flow_id": "bigint", "version_id": "bigint", "contact_id": "bigint", "entry_key": "text",
    "status": "text", "state": "jsonb", "exit_reason": "text", "wake_at": "timestamptz", "entered_at": "timestamptz",
}  # fmt: skip
_DECISION = {
    "store_id": "bigint", "contact_id": "bigint", "flow_id": "bigint", "enrollment_id": "bigint", "step": "text",
    "visit": "int", "at": "timestamptz", "verdict": "int", "reason": "int", "notes": "text", "message_class": "int",
}  # fmt: skip
_MESSAGE = {
    "store_id": "bigint", "contact_id": "bigint", "flow_id": "bigint", "enrollment_id": "bigint", "step": "text",
    "visit": "int", "key": "text", "purpose": "text", "message_class": "text", "priority": "int", "sender": "text",
    "to": "text", "body": "text", "slots": "jsonb", "parts": "int", "encoding": "text", "state": "text",
    "reason": "text", "attempts": "int", "queued_at": "timestamptz", "not_before": "timestamptz", "country": "text",
    "spent": "boolean", "channel": "text", "media_url": "text", "variant": "text",
}  # fmt: skip
_BATCH = {
    "reference": "uuid", "store_id": "bigint", "connection_id": "bigint", "provider_id": "text", "state": "text",
    "size": "int", "detail": "text", "started_at": "timestamptz",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows go: the throw-away store and what belongs to it."""

    store_id: int
    flow_id: int
    version_id: int
    connection_id: int


def run(
    place: Place,
    contacts: Sequence[tuple[int, str]],
    delivery_ids: Sequence[int],
    start: datetime,
    later: datetime,
    size: int,
) -> None:
    """Write what two texts to each of ``contacts`` (id, number) leave behind, ``size`` people at a time."""
    for i in range(0, len(contacts), size):
        people = contacts[i : i + size]
        _enter(place, people, delivery_ids[i : i + size], start)
        for step, moment in (("first", start), ("second", later)):
            _advance(place, people, step, moment)
            _dispatch(place, people, moment)


@transaction.atomic
def _enter(place: Place, people: Sequence[tuple[int, str]], delivery_ids: Sequence[int], now: datetime) -> None:
    at = _moment(now)
    data = json.dumps({"order": {"name": "#1001", "total": "129.00", "first_item": "Trail Jacket"}})
    state = json.dumps({"at": 0, "waiting_until": None, "visits": {}, "sent": 0})
    _insert("event", _EVENT, [
        (place.store_id, pk, "order_created", f"bare:{pk}", f"bare:{pk}", at, at, data) for pk, _to in people
    ])  # fmt: skip
    _insert("enrollment", _ENROLLMENT, [
        (place.store_id, place.flow_id, place.version_id, pk, f"bare:{pk}", "waiting", state, "", at, at)
        for pk, _to in people
    ])  # fmt: skip
    _update("contact", {"wake_at": "timestamptz"}, [(pk, at) for pk, _to in people])
    _update("delivery", {"state": "text", "processed_at": "timestamptz"}, [(pk, "done", at) for pk in delivery_ids])


@transaction.atomic
def _advance(place: Place, people: Sequence[tuple[int, str]], step: str, now: datetime) -> None:
    at = _moment(now)
    numbers = dict(people)
    runs = _select("SELECT id, contact_id FROM smsflow_enrollment WHERE status = 'waiting' AND contact_id", numbers)
    last = step == "second"
    state = json.dumps({"at": 2, "waiting_until": None if last else now.isoformat(), "visits": {step: 1}, "sent": 1})
    _update(
        "enrollment",
        {"status": "text", "state": "jsonb", "wake_at": "timestamptz", "finished_at": "timestamptz"},
        [(pk, "finished" if last else "waiting", state, None if last else at, at if last else None) for pk, _c in runs],
    )
    _insert("decision", _DECISION, [
        (place.store_id, contact, place.flow_id, pk, step, 0, at, 1, 1, "used=0 limit=2 per=day", 1)
        for pk, contact in runs
    ])  # fmt: skip
    _insert("message", _MESSAGE, [
        (
            place.store_id, contact, place.flow_id, pk, step, 0, "", "flow", "marketing", 1100, "+12025550100",
            numbers[contact], f"Bench: Hi Ada, thank you for your order, {step}. Reply STOP to opt out", "[[10, 13]]",
            1, "GSM-7", "queued", "", 0, at, at, "DK", False, "", "", "",
        )
        for pk, contact in runs
    ])  # fmt: skip
    recent = json.dumps([now.timestamp()])
    _update(
        "contact",
        {"wake_at": "timestamptz", "recent_sends": "jsonb"},
        [(contact, None if last else at, recent) for _pk, contact in runs],
    )


def _dispatch(place: Place, people: Sequence[tuple[int, str]], now: datetime) -> None:
    at = _moment(now)
    reference = uuid.uuid4()
    with transaction.atomic():
        queued = _select(
            "SELECT id, contact_id FROM smsflow_message WHERE state = 'queued' AND contact_id", dict(people)
        )
        name = reference if _postgres() else reference.hex
        _insert("batch", _BATCH, [
            (name, place.store_id, place.connection_id, "", "sending", len(queued), "", at)
        ])  # fmt: skip
        ((batch, _reference),) = _select("SELECT id, reference FROM smsflow_batch WHERE reference", [name])
        _update("message", {"state": "text", "batch_id": "bigint"}, [(pk, "sending", batch) for pk, _c in queued])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE smsflow_batch SET state = 'accepted', finished_at = %s WHERE id = %s", [at, batch])
        cursor.execute(
            "UPDATE smsflow_message SET state = 'accepted', accepted_at = %s WHERE batch_id = %s AND state = 'sending'",
            [at, batch],
        )


def _insert(table: str, columns: dict[str, str], rows: Sequence[Row]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    if _postgres():
        values = f"SELECT * FROM unnest({_arrays(columns.values())})"  # noqa: S608 - types only
    else:
        values = f"VALUES ({', '.join(['%s'] * len(columns))})"
    _execute(f"INSERT INTO smsflow_{table} ({names}) {values}", rows)


def _update(table: str, columns: dict[str, str], rows: Sequence[Row]) -> None:
    """Set columns of rows given as (id, value, …)."""
    if _postgres():
        names = ", ".join(f'"{name}" = v."{name}"' for name in columns)
        arrays = _arrays(["bigint", *columns.values()])
        source = ", ".join(["id", *columns])
        values = f"unnest({arrays}) AS v ({source})"
        _execute(f"UPDATE smsflow_{table} t SET {names} FROM {values} WHERE t.id = v.id", rows)  # noqa: S608 - names only
    else:
        names = ", ".join(f'"{name}" = %s' for name in columns)
        keyed = [(*row[1:], row[0]) for row in rows]
        _execute(f"UPDATE smsflow_{table} SET {names} WHERE id = %s", keyed)  # noqa: S608 - names only


def _execute(sql: str, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        if _postgres():
            cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])
        else:
            cursor.executemany(sql, rows)


def _select(sql: str, keys: Iterable[Any]) -> list[Row]:
    keys = list(keys)
    with connection.cursor() as cursor:
        if _postgres():
            cursor.execute(f"{sql} = ANY(%s)", [keys])
        else:
            cursor.execute(f"{sql} IN (SELECT value FROM json_each(%s))", [json.dumps(keys)])  # noqa: S608 - as above
        return list(cursor.fetchall())


def _arrays(types: Iterable[str]) -> str:
    return ", ".join(f"%s::{name}[]" for name in types)


def _moment(at: datetime) -> Any:
    return at if _postgres() else str(at.replace(tzinfo=None))


def _postgres() -> bool:
    return connection.vendor == "postgresql"
