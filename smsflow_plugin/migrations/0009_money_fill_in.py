"""Fills the ledger of discounts from the codes that were made before there was one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import migrations
from django.db.models import Min

CHUNK = 1000
KINDS = ("percent", "amount", "shipping")
STATES = {"done": "given", "failed": "failed", "queued": "wanted", "working": "wanted"}


def forwards(apps: Any, schema_editor: Any) -> None:
    incentives = apps.get_model("smsflow", "Incentive").objects
    effects = apps.get_model("smsflow", "Effect").objects.filter(kind="discount").order_by("pk")
    made: list[Any] = []
    for effect in effects.iterator(chunk_size=CHUNK):
        made.append(_incentive(incentives.model, effect))
        if len(made) == CHUNK:
            incentives.bulk_create(made, ignore_conflicts=True)
            made = []
    incentives.bulk_create(made, ignore_conflicts=True)
    _redeem(apps, incentives)


def _incentive(model: Any, effect: Any) -> Any:
    payload = effect.payload if isinstance(effect.payload, dict) else {}
    result = effect.result if isinstance(effect.result, dict) else {}
    kind = payload.get("kind")
    kind = kind if kind in KINDS else "percent"
    code = result.get("value") if isinstance(result.get("value"), str) else ""
    state = STATES[effect.state]
    if state == "given" and not code:
        state = "failed"
    given_at = effect.finished_at or effect.created_at if state == "given" else None
    return model(
        store_id=effect.store_id, contact_id=effect.contact_id, flow_id=effect.flow_id,
        enrollment_id=effect.enrollment_id, step=effect.step, visit=effect.visit, kind=kind,
        amount=Decimal(0) if kind == "shipping" else _number(payload.get("amount")) or Decimal(0),
        minimum=_number(payload.get("minimum")) or None, code=code[:100], code_key=_key(code), state=state,
        wanted_at=effect.created_at, given_at=given_at,
        valid_until=given_at + timedelta(days=_days(payload.get("valid_days"))) if given_at else None,
    )


def _redeem(apps: Any, incentives: Any) -> None:
    """Find the orders in which these codes were used."""
    given = incentives.exclude(code_key="")
    for store_id, first in given.values_list("store_id").annotate(Min("given_at")).order_by("store_id"):
        codes = {}
        for incentive in given.filter(store_id=store_id).only("pk", "code_key", "contact_id").order_by("pk"):
            codes.setdefault(incentive.code_key, []).append(incentive)
        orders = apps.get_model("smsflow", "Event").objects.filter(
            store_id=store_id, kind__in=("order_created", "order_paid"), occurred_at__gte=first
        )
        for event in orders.order_by("occurred_at", "pk").iterator(chunk_size=CHUNK):
            for key in _used(event.data):
                holders = codes.get(key, [])
                own = next((held for held in holders if held.contact_id == event.contact_id), None)
                held = own or (holders[0] if len(holders) == 1 else None)
                if held is None:
                    continue
                order = event.data["order"]
                given.filter(pk=held.pk, redeemed_at=None).update(
                    redeemed_at=event.occurred_at, order=event.subject, order_value=_number(order.get("total")),
                    order_currency=str(order.get("currency") or "")[:3],
                )


def _used(data: Any) -> Iterator[str]:
    order = data.get("order") if isinstance(data, dict) else None
    codes = order.get("discount_codes") if isinstance(order, dict) else None
    for code in codes if isinstance(codes, list) else ():
        if isinstance(code, str) and code.strip():
            yield _key(code)


def _key(code: str) -> str:
    return code.strip().casefold()[:100]


def _days(value: Any) -> int:
    try:
        return min(max(int(value), 0), 3650)
    except (TypeError, ValueError):
        return 7


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < 10**10 else None


class Migration(migrations.Migration):
    dependencies = [("smsflow", "0008_money")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
