"""The data migration: codes that were made before there was a ledger stand in it, with the orders they were used in."""

from __future__ import annotations

import importlib
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from smsflow_plugin import migrations
from smsflow_plugin.models import Effect, Enrollment, Event, FlowVersion, Incentive, Store
from tests.conftest import NOON
from tests.engine.helpers import make_flow
from tests.factories import make_contact

pytestmark = pytest.mark.django_db

[_FILE] = Path(next(iter(migrations.__path__))).glob("*_money_fill_in.py")
migration: Any = importlib.import_module(f"smsflow_plugin.migrations.{_FILE.stem}")


@pytest.fixture
def run(store: Store) -> Enrollment:
    flow = make_flow(store)
    return Enrollment.objects.create(
        store=store, flow=flow, version=FlowVersion.objects.get(flow=flow), contact=make_contact(store)
    )


def effect(run: Enrollment, step: str, state: str = "done", result: Any = None, **payload: Any) -> None:
    Effect.objects.create(
        store=run.store, contact=run.contact, flow=run.flow, enrollment=run, step=step, kind="discount", state=state,
        payload=payload, result=result, created_at=NOON - timedelta(days=2),
        finished_at=NOON - timedelta(days=2) if state == "done" else None,
    )  # fmt: skip


def order(run: Enrollment, key: str, *codes: Any, days: int = 1) -> None:
    Event.objects.create(
        store=run.store, contact=run.contact, kind="order_created", key=key, subject=key,
        occurred_at=NOON - timedelta(days=days),
        data={"order": {"total": "80.00", "currency": "USD", "discount_codes": list(codes)}},
    )  # fmt: skip


def test_what_was_given_before_counts(run: Enrollment) -> None:
    effect(run, "a", result={"value": "HELLO-1"}, kind="percent", amount="10", minimum="50", valid_days=7)
    effect(run, "b", "failed", {"error": "No."}, kind="amount", amount="5", minimum="")
    effect(run, "c", "queued", kind="shipping")
    effect(run, "d", result={"value": None}, kind="odd", amount="NaN")
    order(run, "1", "other", "hello-1 ", 7)
    order(run, "2", "HELLO-1", days=0)
    migration.forwards(apps, None)
    migration.forwards(apps, None)
    given, failed, wanted, odd = Incentive.objects.order_by("step")
    assert (given.state, given.kind, given.amount, given.minimum) == ("given", "percent", 10, 50)
    assert given.valid_until == NOON + timedelta(days=5)
    assert (given.redeemed_at, given.order, given.order_value) == (NOON - timedelta(days=1), "1", Decimal("80.00"))
    assert [one.state for one in (failed, wanted, odd)] == ["failed", "wanted", "failed"]


def test_an_empty_database_is_no_trouble(db: None) -> None:
    migration.forwards(apps, None)
    assert not Incentive.objects.exists()
