from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from smsflow_plugin import bulk, clock
from smsflow_plugin.models import Contact, Event, Flow, FlowDay, Message, Policy, Store
from tests.conftest import TestClock
from tests.dispatch.conftest import gateway  # noqa: F401 - a fixture
from tests.factories import make_contact

_numbers = count(1)


@pytest.fixture(autouse=True)
def _world(settings: Any, still: TestClock) -> None:
    """The clock stands still, and deliveries of the source "test" are understood."""
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}


Sends = Callable[..., None]


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store)


@pytest.fixture
def sends(ada: Contact) -> Sends:
    """Let a flow have sent so many texts: ``failed`` of them failed, and the others arrived."""

    def send(flow: Flow, texts: int, *, failed: int = 0, at: datetime | None = None, **values: Any) -> None:
        at = at or clock.now() - timedelta(minutes=5)
        contact = values.pop("contact", ada)
        states = ["failed"] * failed + [values.pop("state", "delivered")] * (texts - failed)
        defaults = {
            "store_id": flow.store_id,
            "contact_id": contact.pk,
            "flow_id": flow.pk,
            "message_class": "marketing",
            "sender": "x",
            "to": str(contact.phone),
            "body": "Hi",
            "queued_at": at,
            "not_before": at,
            **values,
        }
        rows = [(*defaults.values(), state, f"safety-{next(_numbers)}") for state in states]
        bulk.insert(Message, (*defaults, "state", "key"), rows)

    return send


def leaves(contact: Contact, at: datetime | None = None) -> None:
    """The person opts out."""
    Event.objects.create(
        store_id=contact.store_id, contact=contact, kind="opted_out", key=f"out-{next(_numbers)}",
        occurred_at=at or clock.now(),
    )  # fmt: skip


def usually(flow: Flow, *, texts: int, days: int = 28, failed: int = 0, opt_outs: int = 0) -> None:
    """Every day the flow does the same."""
    first = clock.now().date() - timedelta(days=days + 1)
    rows = [(flow.store_id, flow.pk, first + timedelta(days=n), texts, failed, opt_outs) for n in range(days)]
    bulk.insert(FlowDay, ("store_id", "flow_id", "day", "texts", "failed", "opt_outs"), rows)


def rule(store: Store | None = None, **values: Any) -> None:
    """Set rules of the only store, or of this one."""
    policies = Policy.objects.filter(store=store) if store else Policy.objects.filter(store__isnull=False)
    policies.update(**values)
