"""Decisions of the old table come through into the ledger as they were, and back."""

from __future__ import annotations

import importlib
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from smsflow_plugin.models import Decision
from tests.conftest import NOON
from tests.factories import make_contact, make_store
from tests.steps import models_after

pytestmark = pytest.mark.django_db(transaction=True)

migration: Any = importlib.import_module("smsflow_plugin.migrations.0011_ledger_rows")

UNTIL = NOON + timedelta(hours=10)
ROWS = [
    {"verdict": "allow", "reason": "allowed", "notes": []},
    {"verdict": "defer", "reason": "quiet_hours", "until": UNTIL,
     "notes": [{"rule": "quiet_hours", "until": UNTIL.isoformat()},
               {"rule": "cap_day", "until": UNTIL.isoformat(), "limit": 2, "per": "day"}]},
    {"verdict": "skip", "reason": "missing_data", "notes": [{"path": "contact.first_name"}]},
    {"verdict": "skip", "reason": "missing_data", "notes": [{"error": "Line 1: “{{” = not; closed"}]},
    {"verdict": "skip", "reason": "reentry", "step": "", "notes": []},
]  # fmt: skip


@pytest.fixture
def old_and_new(settings: Any) -> Any:
    """Both tables as the migration finds them, beside the one of today."""
    settings.MIGRATION_MODULES = {}
    apps = models_after("0010_ledger")
    models = apps.get_model("smsflow", "Decision"), apps.get_model("smsflow", "LedgerRow")
    for model in models:
        model._meta.db_table = f"test_{model._meta.model_name}"
        for constraint in (*model._meta.indexes, *model._meta.constraints):
            constraint.name = f"test_{constraint.name}"
    with connection.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    yield apps, *models
    with connection.schema_editor() as editor:
        for model in models:
            editor.delete_model(model)


def run(step: Any, apps: Any) -> None:
    with connection.cursor() as cursor:
        step(apps, SimpleNamespace(connection=connection, execute=cursor.execute))


def test_nothing_is_lost_on_the_way_there_and_back(old_and_new: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    apps, old, new = old_and_new
    monkeypatch.setattr(migration, "BATCH", 2)
    contact = make_contact(make_store())
    for number, row in enumerate(ROWS):
        values = {"step": f"s{number}", "visit": number, "message_class": "marketing", "policy_id": 5, **row}
        at = NOON + timedelta(minutes=number)
        old.objects.create(store_id=contact.store_id, contact_id=contact.pk, at=at, **values)
    before = list(old.objects.order_by("pk").values())

    run(migration.forwards, apps)
    run(migration.forwards, apps)  # as if it had been broken off
    after = [_as_read(row) for row in new.objects.order_by("pk").values()]
    assert [{name: row[name] for name in before[0]} for row in after] == before
    fresh = new.objects.create(store_id=contact.store_id, at=NOON, verdict=3, reason=9)
    assert fresh.pk > before[-1]["id"]
    fresh.delete()

    old.objects.all().delete()
    run(migration.backwards, apps)
    assert list(old.objects.order_by("pk").values()) == before


def test_a_word_that_nobody_knows_is_kept_in_the_notes(old_and_new: Any) -> None:
    apps, old, new = old_and_new
    contact = make_contact(make_store())
    values = {"at": NOON, "verdict": "skip", "reason": "own_rule", "message_class": "marketing"}
    old.objects.create(store_id=contact.store_id, contact_id=contact.pk, **values)
    run(migration.forwards, apps)
    (row,) = (_as_read(row) for row in new.objects.values())
    assert (row["reason"], row["notes"]) == ("", [{"reason": "own_rule"}])


def _as_read(row: dict[str, Any]) -> dict[str, Any]:
    """Return a raw row as the ledger reads it."""
    read = dict(row)
    for name in ("verdict", "reason", "message_class", "notes"):
        field: Any = Decision._meta.get_field(name)
        read[name] = field.from_db_value(row[name], None, connection)
    return read
