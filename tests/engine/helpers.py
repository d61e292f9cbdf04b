"""Puts facts into the inbox without a vendor, and flows without a form."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Consent,
    Fact,
    Happening,
    Inbound,
    Person,
    PersonFact,
    RawDelivery,
    StoreInfo,
    Translation,
)
from smsflow_plugin.flows.program import Instruction, Program, Trigger
from smsflow_plugin.models import Delivery, Event, Flow, FlowVersion, Message, Store

FACTS: dict[str, tuple[Fact, ...]] = {}
_numbers = count(1)


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """The translator of the source "test": the body names the facts."""
    body = raw.body.decode()
    if body == "nonsense":
        raise CannotUnderstand("This is nonsense.")
    return Translation(FACTS[body])


def deliver(store: Store, *facts: Fact, body: str = "") -> Delivery:
    """Put a delivery with these facts into the inbox."""
    name = body or f"delivery-{next(_numbers)}"
    FACTS[name] = facts
    return Delivery.objects.create(
        store=store, source="test", external_id=f"{name}-{next(_numbers)}", body=name.encode()
    )


def happened(
    store: Store,
    kind: str,
    *,
    phone: str | None = "+12025550101",
    customer: str | None = None,
    key: str = "",
    at: datetime | None = None,
    subject: str = "",
    data: dict[str, Any] | None = None,
    consent: str = "",
    **person: Any,
) -> Delivery:
    """Deliver one event about one person, with consent when given ("granted" or "revoked")."""
    at = at or clock.now()
    key = key or f"{kind}-{next(_numbers)}"
    identities = ((("customer", customer),) if customer else ()) + tuple(person.pop("identities", ()))
    consents = (Consent(consent, "marketing", "test", at, key=f"consent:{key}"),) if consent else ()
    who = Person(identities=identities, phone=phone, **person)
    return deliver(store, PersonFact(who, consents, (Happening(kind, key, at, subject, data or {}),)))


def texted(store: Store, body: str, *, phone: str = "+12025550101", at: datetime | None = None) -> Delivery:
    """Deliver a text from a person."""
    return deliver(store, Inbound(f"mo-{next(_numbers)}", phone, store.sender, body, at or clock.now()))


def make_flow(store: Store, *instructions: Instruction, name: str = "Flow", **values: Any) -> Flow:
    """A live flow with its first version. ``trigger``: a kind of event; ``triggers``: one or more ``Trigger``."""
    triggers = values.pop("triggers", None) or (Trigger(values.pop("trigger", "opted_in")),)
    program = Program(triggers, instructions, **values)
    flow = Flow.objects.create(store=store, name=name, trigger=triggers[0].kind, live=True, priority=program.priority)
    version = FlowVersion.objects.create(
        store=store, flow=flow, number=1, content_hash=program.content_hash, program=program.to_json()
    )
    Flow.objects.filter(pk=flow.pk).update(current_version=version)
    flow.refresh_from_db()
    return flow


def pump() -> None:
    """Ingest and advance until nothing is left to do now."""
    while ingest():
        pass
    while advance():
        pass


def leave() -> None:
    """Let all queued texts have left when they were queued, as they do while the gateway answers."""
    Message.objects.filter(state="queued").update(state="accepted")


def kinds(store: Store) -> list[str]:
    return list(Event.objects.filter(store=store).order_by("pk").values_list("kind", flat=True))
