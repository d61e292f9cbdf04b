"""One row of everything in a store, all of it carrying a mark by which a leak is seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.audience.suppression import suppress
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.flows.program import Program, Send, Trigger
from smsflow_plugin.integrations.shopify.kept import PrivacyRequest
from smsflow_plugin.integrations.shopify.models import CodePool, Grant, PoolCode, ShopifyApp, SubscriptionCheck, Write
from smsflow_plugin.models import (
    Autoresponder,
    Batch,
    BreakerTrip,
    CannedReply,
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
    Incentive,
    Intake,
    Interest,
    Keyword,
    Message,
    OptInAttempt,
    OptInForm,
    OptInPause,
    PanicStop,
    Policy,
    PolicyVersion,
    ReplyReview,
    Segment,
    Sender,
    Store,
    Suppression,
    TestNumber,
    Thread,
    ThreadNote,
    Variant,
)
from tests.factories import make_contact, said


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
    trip: BreakerTrip
    call: Batch
    incentive: Incentive
    decision: Decision
    policy: Policy
    review: ReplyReview
    suppression: Suppression
    form: OptInForm
    pause: OptInPause
    write: Write
    privacy: PrivacyRequest
    app: ShopifyApp
    thread: Thread
    keyword: Keyword
    autoresponder: Autoresponder
    canned: CannedReply
    sender: Sender


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
    consent = said(contact, key="shop:1", source="shopify", effective_at=start, wording=f"Yes, text me{mark}.")
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
    rules = PolicyVersion.objects.create(store=store, digest="0" * 64, rules={"blocked_countries": [f"X{mark}"]})
    decision = Decision.objects.create(
        **at, step="s2", at=now - timedelta(hours=2), verdict="skip", reason="cap_day", notes=[], policy_id=rules.pk
    )
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
    call = Batch.objects.create(
        store=store, connection=Connection.objects.get(store=store, kind="sinch"), state="parked", size=1,
        started_at=start, asked_at=now, detail=f"Nobody answers{mark}.",
    )  # fmt: skip
    _fill_around(store, contact, flow, enrollment, mark)
    segment = Segment.objects.create(store=store, name=f"Loyal{mark}", description=f"Good customers{mark}")
    snippet = CopySnippet.objects.create(store=store, name=f"hours{mark.lower()}", text=f"Open 9 to 5{mark}.")
    number = TestNumber.objects.create(store=store, phone="+12025550199", label=f"Anna{mark}", verified_at=now)
    trip = BreakerTrip.objects.create(
        store=store, flow=flow, kind="failures", measured=60, limit=25, count=60, texts=100, note=f"Bad list{mark}"
    )
    incentive = Incentive.objects.create(
        store=store, contact=contact, flow=flow, enrollment=enrollment, step="s4", kind="percent", amount=10,
        state="given", code=f"HELLO-{mark}1234", code_key=f"hello-{mark}1234".casefold(), wanted_at=start,
        given_at=start, valid_until=now + timedelta(days=9), redeemed_at=now, order_value="129.00",
        order_currency=store.currency,
    )  # fmt: skip
    policy = _fill_rules(store, flow, mark)
    review = ReplyReview.objects.create(
        store=store, contact=contact, key="inbound:r1", body=f"Too many texts{mark}!", because="unclear",
        received_at=start,
    )  # fmt: skip
    suppress([(store.pk, "+12025550188")], "by_hand", note=f"Wrong number{mark}", by=f"Anna{mark}", now=now)
    suppression = Suppression.objects.get(store=store)
    form, pause = _fill_sign_up(store, mark)
    talk = _fill_talk(store, contact, flow, mark)
    return Rows(
        store=store,
        contact=contact,
        flow=flow,
        version=version,
        enrollment=enrollment,
        message=message,
        parked=parked,
        consent=consent,
        segment=segment,
        snippet=snippet,
        number=number,
        trip=trip,
        call=call,
        incentive=incentive,
        decision=decision,
        policy=policy,
        suppression=suppression,
        review=review,
        form=form,
        pause=pause,
        write=_fill_shopify(store, contact, mark),
        privacy=PrivacyRequest.objects.create(
            store=store,
            shop=f"{mark or 'own'}.myshopify.com",
            kind="erase",
            key="erase:1",
            asked_at=now,
            due_at=now + timedelta(days=30),
            not_before=now + timedelta(days=7),
            outcome=f"Waits{mark}",
            file=b"zip",
        ),
        app=_fill_shop(store, mark),
        **talk,
    )


def _fill_shopify(store: Store, contact: Contact, mark: str) -> Write:
    """What the shop was told, and codes that lie ready in it."""
    now = clock.now()
    pool = CodePool.objects.create(
        store=store, connection=Connection.objects.get(store=store, kind="shopify"), definition="d", number=1,
        kind="percent", amount=10, valid_days=7, prefix=f"P{mark}".upper(), starts_at=now - timedelta(days=1),
        until=now + timedelta(days=6), ends_at=now + timedelta(days=13), discount="gid", trouble=f"Too many{mark}.",
    )  # fmt: skip
    PoolCode.objects.create(store=store, pool=pool, code=f"P{mark}-1", state="free")
    Write.objects.filter(store=store).delete()
    return Write.objects.create(
        store=store, contact=contact, kind="tag", tag=f"vip{mark}".casefold(), text=f"VIP{mark}", wanted=1, settled=1,
        outcome="parked", detail=f"No{mark}.", customer=f"7{mark}",
    )  # fmt: skip


def _fill_shop(store: Store, mark: str) -> ShopifyApp:
    """An app that is named after its client, what the shop has granted, and a webhook that Shopify had deleted."""
    name = f"Texts{mark} of {store.pk}"
    app = ShopifyApp.objects.create(name=name, client_id=f"app{mark}-{store.pk}", secrets={"secret": f"s{mark}"})
    app.stores.add(store)
    connection = Connection.objects.get(store=store, kind="shopify")
    Grant.objects.create(
        connection=connection, app=app, kind=Grant.Kind.STATIC, secrets={}, scopes=["read_customers"],
        broken_at=clock.now(), broken_because=f"The app was taken away{mark}.",
    )  # fmt: skip
    SubscriptionCheck.objects.create(
        connection=connection, compared_at=clock.now(), topics=["orders/create"],
        repairs=[{"at": clock.now().isoformat(), "topic": f"orders/create{mark}", "what": "lost"}],
        problems=[{"topic": "customers/update", "said": f"Not approved{mark}."}],
    )  # fmt: skip
    return app


def _fill_rules(store: Store, flow: Flow, mark: str) -> Policy:
    """Rules with a draft, and a panic switch that somebody has pressed and released."""
    policy, _made = Policy.objects.get_or_create(store=store)
    policy.flow_order = [flow.pk]
    policy.save_revision()
    policy.caps = [{"limit": 1, "window": "day", "scope": "flow", "of": str(flow.pk)}]
    policy.save_revision()
    PanicStop.objects.create(store=store, reason=f"Wrong price{mark}", released_at=clock.now())
    policy.refresh_from_db()
    return policy


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


def _fill_talk(store: Store, contact: Contact, flow: Flow, mark: str) -> dict[str, Any]:
    """A conversation with a note, what answers texts by itself, and from where texts come."""
    thread = Thread.objects.create(store=store, contact=contact, unread=1, last_words=f"Thanks!{mark}")
    ThreadNote.objects.create(store=store, thread=thread, body=f"Likes blue{mark}", author_name=f"Anna{mark}")
    return {
        "thread": thread,
        "keyword": Keyword.objects.create(
            store=store, words=[f"hours{mark}"], reply={"en": f"We open at nine{mark}."}, tag=f"asked{mark}", flow=flow
        ),
        "autoresponder": Autoresponder.objects.create(
            store=store, reply={"en": f"We read this tomorrow{mark}."}, office_hours={"mon": ["09:00", "17:00"]}
        ),
        "canned": CannedReply.objects.create(store=store, name=f"Sorry{mark}", body=f"We are sorry{mark}."),
        "sender": Sender.objects.create(store=store, address=f"{mark or 'Sierra'}"[:11], use="service"),
    }


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
