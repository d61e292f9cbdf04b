"""Live flows with triggers that no webhook brings, and facts put straight into the inbox."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from smsflow_plugin.engine.due_days import kept_date
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import Fact, Happening, Person, PersonFact, RawDelivery, StoreInfo, Translation
from smsflow_plugin.flows.program import Program, Reentry, Trigger, Wait
from smsflow_plugin.models import Contact, ContactDate, Delivery, Event, Flow, FlowVersion, Store

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
FACTS: dict[str, tuple[Fact, ...]] = {}
_numbers = count(1)


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """The translator of the source "test": the body names the facts."""
    return Translation(FACTS[raw.body.decode()])


def take_in(store: Store, *facts: Fact) -> None:
    """Deliver these facts, and ingest them."""
    name = f"delivery-{next(_numbers)}"
    FACTS[name] = facts
    Delivery.objects.create(store=store, source="test", external_id=name, body=name.encode())
    while ingest():
        pass


def happened(store: Store, contact: Contact, kind: str, at: datetime, *, subject: str = "", **data: Any) -> None:
    """Let something happen to a person."""
    happening = Happening(kind, f"{kind}-{next(_numbers)}", at, subject, data)
    take_in(store, PersonFact(Person(phone=contact.phone), happenings=(happening,)))


def make_flow(store: Store, *triggers: Trigger, published_at: datetime = LONG_AGO, **values: Any) -> Flow:
    """A live flow in which everybody waits for a year."""
    values.setdefault("reentry", Reentry("always"))
    program = Program(triggers=triggers, instructions=(Wait("w", 12, "months"),), **values)
    kind = triggers[0].kind if triggers else ""
    flow = Flow.objects.create(store=store, name="Flow", trigger=kind, live=True)
    version = FlowVersion.objects.create(
        store=store,
        flow=flow,
        number=1,
        content_hash=program.content_hash,
        program=program.to_json(),
        published_at=published_at,
    )
    Flow.objects.filter(pk=flow.pk).update(current_version=version)
    flow.refresh_from_db()
    return flow


def on_date(
    field: str = "birthday", *, amount: int = 0, unit: str = "days", time: str = "09:00", yearly: bool = True
) -> Trigger:
    options = {"field": field, "amount": amount, "unit": unit, "time": time, "yearly": yearly}
    return Trigger("date_due", options=options)


def set_date(contact: Contact, name: str, value: date | str) -> None:
    kept = kept_date(str(value), "UTC")
    assert kept is not None
    ContactDate.objects.update_or_create(
        contact=contact, name=name, defaults={"store": contact.store, "at": kept.at, "month_day": kept.month_day}
    )


def told(kind: str) -> list[int]:
    """The contacts who have an event of this kind, in the order in which they got it."""
    return list(Event.objects.filter(kind=kind).order_by("pk").values_list("contact_id", flat=True))
