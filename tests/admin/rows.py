"""One row of everything in a store, all of it carrying a mark by which a leak is seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from smsflow_plugin import clock
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.flows.program import Program, Send, Trigger
from smsflow_plugin.models import (
    Batch,
    Connection,
    ConsentRecord,
    Contact,
    CopySnippet,
    Decision,
    DisclosureVersion,
    Effect,
    Enrollment,
    Flow,
    FlowVersion,
    Intake,
    Interest,
    Message,
    OptInAttempt,
    OptInForm,
    OptInPause,
    Segment,
    Store,
    TestNumber,
    Variant,
)
from tests.factories import make_contact


@dataclass
class Rows:
    store: Store
    contact: Contact
    flow: Flow
    version: FlowVersion
    enrollment: Enrollment
    message: Message
    parked: Delivery
    consent: ConsentRecord
    segment: Segment
    snippet: CopySnippet
    number: TestNumber
    form: OptInForm
    pause: OptInPause


def fill(store: Store, mark: str = "") -> Rows:
    """Fill ``store`` with one contact, who has lived through everything."""
    now = clock.now()
    contact = make_contact(store, first_name=f"Grace{mark}", email=f"grace{mark}@example.com".lower())
    flow = Flow(store=store, name=f"Welcome{mark}", live=True)
    flow.save()
    flow.save_revision()
    flow.name = f"Welcome back{mark}"
    flow.save_revision()
    program = Program((Trigger("opted_in"),), (Send("s1", {"": f"Welcome{mark}"}), Send("s2", {"": "Bye"}))).to_json()
    version = FlowVersion.objects.create(store=store, flow=flow, number=1, content_hash="0" * 64, program=program)
    Flow.objects.filter(pk=flow.pk).update(current_version=version)
    start = now - timedelta(hours=20)
    consent = ConsentRecord.objects.create(
        store=store, contact=contact, key="shop:1", action="granted", scope="marketing", source="shopify",
        effective_at=start, phone=str(contact.phone), wording=f"Yes, text me{mark}.",
    )  # fmt: skip
    body = b'{"id": 1, "note": "<script>alert(1)</script>%s"}' % mark.encode()
    done = Delivery.objects.create(
        store=store, source="shopify", external_id=f"done{mark}", topic="orders/create", body=body, state="done",
        headers={"x-shopify-topic": "orders/create"},
    )  # fmt: skip
    parked = Delivery.objects.create(
        store=store, source="shopify", external_id=f"parked{mark}", topic="checkouts/update", body=body,
        headers={"x-shopify-topic": "checkouts/update"}, state="parked", reason=f"There is no checkout in it{mark}.",
    )  # fmt: skip
    Event.objects.create(
        store=store, contact=contact, kind="order_created", key="o1", occurred_at=start, delivery=done,
        data={"order": {"name": f"#1001{mark}", "total": "129.00", "currency": store.currency}},
    )  # fmt: skip
    Event.objects.create(
        store=store, contact=contact, kind="message_received", key="in1", occurred_at=now,
        data={"body": f"Thanks!{mark}", "keyword": None},
    )  # fmt: skip
    enrollment = Enrollment.objects.create(
        store=store, flow=flow, version=version, contact=contact, entered_at=start, wake_at=now + timedelta(hours=3)
    )
    at = {"store": store, "contact": contact, "flow": flow, "enrollment": enrollment, "message_class": "marketing"}
    Decision.objects.create(
        **at, step="s1", at=start + timedelta(minutes=1), verdict="defer", reason="quiet_hours",
        until=start + timedelta(hours=11),
        notes=[{"rule": "quiet_hours", "until": (start + timedelta(hours=11)).isoformat()}],
    )  # fmt: skip
    Decision.objects.create(
        **at, step="s1", at=start + timedelta(hours=11), verdict="allow", reason="allowed", notes=[]
    )
    Decision.objects.create(**at, step="s2", at=now - timedelta(hours=2), verdict="skip", reason="cap_day", notes=[])
    batch = Batch.objects.create(
        store=store, connection=Connection.objects.get(store=store, kind="sinch"), provider_id=f"batch{mark}",
        state="accepted", size=1, started_at=start + timedelta(hours=11),
    )  # fmt: skip
    message = Message.objects.create(
        store=store, contact=contact, flow=flow, enrollment_id=enrollment.pk, step="s1", message_class="marketing",
        sender=store.sender, to=str(contact.phone), body=f"{store.brand}: welcome, Grace{mark}! Reply STOP to end.",
        state="delivered", batch=batch, queued_at=start + timedelta(hours=11),
        not_before=start + timedelta(hours=11), accepted_at=start + timedelta(hours=11, seconds=2),
        finished_at=start + timedelta(hours=11, seconds=9),
    )  # fmt: skip
    _fill_around(store, contact, flow, enrollment, mark)
    segment = Segment.objects.create(store=store, name=f"Loyal{mark}", description=f"Good customers{mark}")
    snippet = CopySnippet.objects.create(store=store, name=f"hours{mark.lower()}", text=f"Open 9 to 5{mark}.")
    number = TestNumber.objects.create(store=store, phone="+12025550199", label=f"Anna{mark}", verified_at=now)
    form, pause = _fill_sign_up(store, mark)
    return Rows(
        store, contact, flow, version, enrollment, message, parked, consent, segment, snippet, number, form, pause
    )


def _fill_sign_up(store: Store, mark: str) -> tuple[OptInForm, OptInPause]:
    """A form with its words, somebody who has sent it, and numbers that are stopped."""
    form = OptInForm.objects.create(
        store=store, name=f"Footer{mark}", heading=f"Join{mark}", terms_url="https://shop.example/terms",
        privacy_url="https://shop.example/privacy", disclosures={"en": f"Yes, text me{mark}."}, tags=[f"footer{mark}"],
    )  # fmt: skip
    DisclosureVersion.objects.create(
        store=store, form=form, sha256="0" * 64, language="en", text=f"Yes, text me{mark}.", html=f"<p>{mark}</p>"
    )
    OptInAttempt.objects.create(
        store=store, form=form, phone_hash="0" * 64, prefix="+1202555", country="US", dial_code=1, ip_hash="0" * 64,
        outcome="asked",
    )  # fmt: skip
    pause = OptInPause.objects.create(store=store, kind="prefix", value="+1202555", asked=12, confirmed=1)
    return form, pause


def _fill_around(store: Store, contact: Contact, flow: Flow, enrollment: Enrollment, mark: str) -> None:
    """Everything that stands around a flow: what it asks of others, and what texts and rules share."""
    Segment.objects.create(store=store, name=f"Regulars{mark}", rules=[])
    Effect.objects.create(
        store=store, contact=contact, flow=flow, enrollment=enrollment, step="s3", kind="notice", state="done",
        payload={"to": ["staff@example.com"], "subject": f"Call Grace{mark}", "body": "Now."}, result={"value": {}},
    )  # fmt: skip
    Intake.objects.create(store=store, flow=flow, key="publish:1", state="done", total=1, seen=1, entered=1)
    Variant.objects.create(store=store, variant_id="1", title=f"Trail Jacket{mark}", price="129.00", available=0)
    Interest.objects.create(store=store, contact=contact, variant_id="1", kind="waitlist")
