"""A click becomes an event: flows start by it, runs wait for it, and no other store hears of it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.facts import CannotUnderstand, RawDelivery, StoreInfo
from smsflow_plugin.flows.program import Send, Trigger, WaitForEvent
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.links.translate import translate
from smsflow_plugin.models import Contact, Delivery, Enrollment, Event, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, leave, make_flow, pump
from tests.factories import caps, make_contact, make_store
from tests.links.people import IMESSAGE, IPHONE

ADA = "+12025550101"
SHOP = "https://sierra-gear.example"


def send(text: str, step: str = "s1", **values: Any) -> Send:
    return Send(step, {"": text}, **values)


def texted(store: Store, text: str = f"See {SHOP}/sale", **values: Any) -> Message:
    """Let Ada have a text with a link, by a flow of its own."""
    Policy.objects.update(caps=caps(9, 9))
    make_flow(store, send(text), name="Sale", message_class="service", **values)
    happened(store, "opted_in", phone=ADA)
    pump()
    leave()
    return Message.objects.filter(store=store).latest("pk")


def tap(client: Client, message: Message, agent: str = IPHONE) -> None:
    """Open the link that stands in the text, as a phone does."""
    found = re.search(r"http://testserver(\S+)", message.body)
    assert found is not None
    response = client.get(found[1], headers={"User-Agent": agent})
    assert response.status_code == 302


@pytest.mark.django_db
def test_the_event_says_which_text_and_which_step_it_was(client: Client, shop: Store, still: TestClock) -> None:
    ada = make_contact(shop, phone=ADA)
    message = texted(shop)
    still.move(minutes=3)
    tap(client, message)
    pump()
    event, link = Event.objects.get(kind="link_clicked"), Link.objects.get()
    assert (event.contact, event.store, event.key) == (ada, shop, link.code)
    assert event.occurred_at == NOON + timedelta(minutes=3)
    assert event.data == {
        "url": f"{SHOP}/sale", "message": message.pk, "flow": message.flow_id, "flow_name": "Sale", "step": "s1",
        "variant": "", "link": link.code, "first": True,
    }  # fmt: skip
    assert link.clicked_at == event.occurred_at
    assert Contact.objects.count() == 1


@pytest.mark.django_db
def test_a_flow_starts_by_a_click_and_another_by_a_click_of_something_else_does_not(
    client: Client, shop: Store
) -> None:
    make_contact(shop, phone=ADA)

    def clicked(path: str) -> tuple[Trigger]:
        return (Trigger("link_clicked", {"field": "trigger.url", "op": "contains", "value": path}),)

    service = {"message_class": "service"}
    make_flow(shop, send("You looked at {{ url }}", "a"), name="Looked", triggers=clicked("/sale"), **service)
    make_flow(shop, send("Shoes", "b"), name="Shoes", triggers=clicked("/shoes"), **service)
    message = texted(shop)
    tap(client, message, IMESSAGE)
    pump()
    assert not Event.objects.filter(kind="link_clicked").exists()
    tap(client, message)
    pump()
    bodies = [m.body for m in Message.objects.order_by("pk")[1:]]
    assert len(bodies) == 1
    # what it says of the address is shortened again: it is a new text
    assert bodies[0].startswith("You looked at http://testserver/smsflow/l/")
    assert Link.objects.filter(target=f"{SHOP}/sale").count() == 2


@pytest.mark.django_db
def test_a_run_that_waits_for_the_click_goes_on(client: Client, shop: Store, still: TestClock) -> None:
    make_contact(shop, phone=ADA)
    Policy.objects.update(caps=caps(9, 9))
    make_flow(
        shop,
        send(f"See {SHOP}/sale", "first"),
        WaitForEvent("wait", ("link_clicked",), 2, "hours"),
        send("Thank you for looking", "second"),
        message_class="service",
    )
    happened(shop, "opted_in", phone=ADA)
    pump()
    leave()
    assert Enrollment.objects.get().status == "waiting"
    still.move(minutes=20)
    tap(client, Message.objects.get())
    pump()
    assert Enrollment.objects.get().status == "finished"
    assert [m.step for m in Message.objects.order_by("pk")] == ["first", "second"]
    assert Message.objects.latest("pk").queued_at == NOON + timedelta(minutes=20)


@pytest.mark.django_db
def test_a_second_click_is_kept_and_is_no_second_event(client: Client, shop: Store, still: TestClock) -> None:
    make_contact(shop, phone=ADA)
    message = texted(shop)
    tap(client, message)
    tap(client, message)
    pump()
    still.move(days=1)
    tap(client, message)
    pump()
    assert Click.objects.filter(kind="human").count() == 3
    assert Event.objects.filter(kind="link_clicked").count() == 1
    assert Link.objects.get().clicked_at == NOON


@pytest.mark.django_db
def test_a_click_in_one_store_is_none_in_another(client: Client, shop: Store) -> None:
    other = make_store(name="Other", domain="other.myshopify.com", shorten_links=True)
    for store in (shop, other):
        make_contact(store, phone=ADA)
        make_flow(store, send("Thanks", "t"), name=f"Thanks {store}", trigger="link_clicked", message_class="service")
    tap(client, texted(shop))
    pump()
    assert set(Event.objects.filter(kind="link_clicked").values_list("store", flat=True)) == {shop.pk}
    assert not Message.objects.filter(store=other).exists()
    assert set(Click.objects.values_list("store", flat=True)) == {shop.pk}
    assert Message.objects.filter(store=shop, step="t").count() == 1


@pytest.mark.django_db
def test_the_statements_of_ingest_do_not_grow_with_the_clicks(client: Client, shop: Store) -> None:
    def clicked(people: range) -> int:
        for n in people:
            contact = make_contact(shop, phone=f"+1202555{n:04d}")
            code = f"code{n:04d}"
            Link.objects.create(store=shop, code=code, target=SHOP, contact=contact)
            client.get(f"/smsflow/l/{code}", headers={"User-Agent": IPHONE})
        with CaptureQueriesContext(connection) as queries:
            ingest()
        assert not Delivery.objects.filter(state="pending").exists()
        return len(queries)

    clicked(range(1, 3))
    assert clicked(range(10, 12)) == clicked(range(20, 50))
    assert Link.objects.filter(clicked_at=NOON).count() == Link.objects.count() == 34


def raw(body: bytes) -> RawDelivery:
    return RawDelivery("links", "click", "x", {}, body, NOON)


STORE = StoreInfo("US", "America/New_York", "en", "USD")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"phone": "+1", "link": "x"}', b'{"phone": "+1", "link": "x", "at": "soon"}']
)
def test_what_no_link_said_is_not_understood(body: bytes) -> None:
    with pytest.raises(CannotUnderstand):
        translate(raw(body), STORE)


def test_an_old_delivery_may_know_less() -> None:
    body = json.dumps({"phone": ADA, "link": "aB3dE6gH", "at": NOON.isoformat()}).encode()
    (fact,) = translate(raw(body), STORE).facts
    assert fact.happenings[0].key == "aB3dE6gH"  # type: ignore[union-attr]
    assert fact.happenings[0].data["url"] is None  # type: ignore[union-attr]
