"""Flows in the database with people in them."""

from __future__ import annotations

from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.models import Contact, Decision, Enrollment, Flow, Store
from tests.factories import make_contact

TRIGGERS = [{"type": "event", "value": {"kind": "opted_in", "rules": []}, "id": "trigger"}]


def text(id: str, words: str = "Hello there.") -> dict[str, Any]:
    value = {"text": words, "fallback": "", "translations": [], "hold_amount": None, "hold_unit": "hours"}
    return {"type": "send", "value": value, "id": id}


def pause(id: str, amount: int = 1, unit: str = "days") -> dict[str, Any]:
    return {"type": "wait", "value": {"amount": amount, "unit": unit}, "id": id}


def make_flow(store: Store, *steps: Any, **values: Any) -> Flow:
    """A draft with a first revision."""
    flow = Flow(
        store=store,
        **{"name": "Hello", "triggers": TRIGGERS, "reentry": "always", "live": False, **values},
        steps=list(steps),
    )
    flow.save()
    flow.save_revision(clean=False)
    return flow


def publish(flow: Flow, *steps: Any, user: Any = None) -> Flow:
    """Publish the flow, with other steps if any are given."""
    flow = Flow.objects.get(pk=flow.pk).get_latest_revision_as_object()
    if steps:
        flow.steps = list(steps)
        flow.save_revision(clean=False)
    flow.refresh_from_db(fields=["latest_revision"])
    flow.latest_revision.publish(user=user)
    return Flow.objects.get(pk=flow.pk)


def enter(flow: Flow, contact: Contact | None = None, **values: Any) -> Enrollment:
    """Let somebody into the flow's version that runs now, and run it to its first wait."""
    contact = contact or make_contact(flow.store)
    now = clock.now()
    run = Enrollment.objects.create(
        **{
            "store": flow.store,
            "flow": flow,
            "version": flow.current_version,
            "contact": contact,
            "entry_key": f"{contact.pk}:{Enrollment.objects.count()}",
            "wake_at": now,
            "entered_at": now,
            **values,
        }
    )
    Contact.objects.filter(pk=contact.pk).update(wake_at=now)
    advance()
    run.refresh_from_db()
    return run


def asked(run: Enrollment) -> list[str]:
    """Return the steps whose texts the run has come to, in their order, whatever governance said to them."""
    steps = Decision.objects.filter(enrollment=run).order_by("pk").values_list("step", flat=True)
    return list(dict.fromkeys(steps))
