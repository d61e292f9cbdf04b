"""Short links are made with the texts in which they stand: one for each person, in one statement for all."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.audience.preference_links import preference_url
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Send
from smsflow_plugin.links.models import Link
from smsflow_plugin.messaging import short_links
from smsflow_plugin.messaging.grouping import Outgoing, group
from smsflow_plugin.models import Connection, Enrollment, Message, Store
from tests.conftest import NOON
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

SHOP = "https://sierra-gear.example"
#: As the tests' site includes the plugin.
BASE = "http://testserver/smsflow/l/"


def send(text: str, **values: Any) -> Send:
    return Send("s1", {"": text}, **values)


def person(store: Store, n: int = 1, **values: Any) -> Any:
    return make_contact(store, phone=f"+1202555{n:04d}", **values)


def test_everybody_has_a_link_of_their_own_and_all_share_a_call(shop: Store) -> None:
    flow = make_flow(shop, send(f"Hi {{{{ contact.first_name }}}}, see {SHOP}/sale."))
    for n in range(1, 4):
        person(shop, n, first_name=f"Ada{n}")
        happened(shop, "opted_in", phone=f"+1202555{n:04d}")
    pump()
    messages, links = list(Message.objects.order_by("pk")), list(Link.objects.order_by("message_id"))
    assert len({link.code for link in links}) == 3
    for message, link in zip(messages, links, strict=True):
        assert f"see {BASE}{link.code}." in message.body
        assert (link.store, link.contact, link.message) == (shop, message.contact, message)
        assert (link.target, link.created_at) == (f"{SHOP}/sale", NOON)
        assert link.expires_at == NOON + timedelta(days=90)
        assert (message.version_id, message.variant) == (flow.current_version_id, "")
    texts = [Outgoing(m.pk, 1, m.sender, m.to, m.body, tuple((start, end) for start, end in m.slots)) for m in messages]
    (call,) = group(texts, lambda _connection: 1000)
    assert "${p1}" in call.body
    assert set(call.parameters[messages[0].to]) == {"Ada1", f"{BASE}{links[0].code}"}


def test_a_store_that_does_not_shorten_sends_what_was_written(store: Store) -> None:
    person(store)
    make_flow(store, send(f"See {store.website or SHOP}/sale"))
    happened(store, "opted_in", phone="+12025550001")
    pump()
    assert f"{SHOP}/sale" in Message.objects.get().body
    assert not Link.objects.exists()


def test_only_hosts_that_are_allowed_are_shortened(shop: Store) -> None:
    Store.objects.update(link_hosts=["lookbook.example"])
    other = make_store(name="Other", domain="other-shop.myshopify.com")
    person(shop)
    addresses = [
        "https://www.sierra-gear.example/a", "https://sierra-gear.myshopify.com/cart/c/1?key=2",
        "https://checkout.shopify.com/1", "https://lookbook.example/",
    ]  # fmt: skip
    kept = [
        "https://other-shop.myshopify.com/", "https://evil.example/", "https://sierra-gear.example:8443/",
        "https://sub.sierra-gear.example/", "https://sierra-gear.example@evil.example/",
    ]  # fmt: skip
    make_flow(shop, send(" ".join([*addresses, *kept])))
    happened(shop, "opted_in", phone="+12025550001")
    pump()
    assert set(Link.objects.values_list("target", flat=True)) == set(addresses)
    body = Message.objects.get().body
    assert all(address in body for address in kept)
    assert not any(address in body for address in addresses)
    assert other.pk != shop.pk


def test_a_persons_own_page_is_never_shortened(shop: Store) -> None:
    # even where shop and site are one
    Store.objects.update(website="http://testserver/")
    ada = person(shop)
    make_flow(shop, send("Choose: {{ contact.preferences_link }} or http://testserver/sale"))
    happened(shop, "opted_in", phone="+12025550001")
    pump()
    body = Message.objects.get().body
    assert preference_url(ada) in body
    assert [link.target for link in Link.objects.all()] == ["http://testserver/sale"]


def test_the_brands_own_domain_stands_in_texts(shop: Store) -> None:
    Store.objects.update(link_domain="go.sierra-gear.example", link_days=7)
    person(shop)
    make_flow(shop, send(f"See {SHOP}/"))
    happened(shop, "opted_in", phone="+12025550001")
    pump()
    link = Link.objects.get()
    assert f"https://go.sierra-gear.example/{link.code}" in Message.objects.get().body
    assert link.expires_at == NOON + timedelta(days=7)


def test_a_text_that_is_skipped_leaves_no_link(shop: Store) -> None:
    person(shop)
    make_flow(shop, send(f"{SHOP}/{{{{ order.name }}}}", fallback={}))
    happened(shop, "opted_in", phone="+12025550001")
    pump()
    assert not Message.objects.exists()
    assert not Link.objects.exists()


def test_test_runs_have_links_as_well(shop: Store) -> None:
    person(shop)
    flow = make_flow(shop, send(f"See {SHOP}/"))
    happened(shop, "opted_in", phone="+12025550001")
    ingest()
    Enrollment.objects.filter(flow=flow).update(test_pace=60)
    pump()
    message = Message.objects.get()
    assert message.purpose == "test_run"
    assert Link.objects.get().message == message


def statements(shop: Store, people: range, text: str) -> int:
    flow = make_flow(shop, send(text), name=f"Flow {people}", trigger="customer_created")
    for n in people:
        person(shop, n)
        happened(shop, "customer_created", phone=f"+1202555{n:04d}")
    while ingest():
        pass
    with CaptureQueriesContext(
        connection,
    ) as queries:
        advance()
    type(flow).objects.filter(pk=flow.pk).update(live=False)
    return len(queries)


def test_the_statements_do_not_grow_with_the_batch_and_texts_without_links_cost_none(shop: Store) -> None:
    statements(shop, range(1, 3), "Hello")  # reads what is kept from then on
    plain = statements(shop, range(5, 7), "Hello")
    few = statements(shop, range(10, 12), f"See {SHOP}/a and https://sierra-gear.myshopify.com/")
    many = statements(shop, range(20, 60), f"See {SHOP}/a and https://sierra-gear.myshopify.com/")
    assert few == many
    # the links, and the shop's other domain
    assert few == plain + 2
    Store.objects.update(shorten_links=False)
    assert statements(shop, range(70, 72), "Hello") == plain


def test_a_code_that_exists_is_never_given_twice(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = person(shop)
    Link.objects.create(store=shop, code="aaaaaaaa", target="https://sierra-gear.example/hers", contact=owner)
    codes = iter(["aaaaaaaa", "fresh001"])
    monkeypatch.setattr(short_links, "new_code", lambda: next(codes))
    make_flow(shop, send(f"See {SHOP}/mine"))
    happened(shop, "opted_in", phone="+12025550001")
    pump()
    found = re.search(re.escape(BASE) + r"(\w+)", Message.objects.get().body)
    assert found is not None
    assert found[1] == "fresh001"
    assert Link.objects.get(code="aaaaaaaa").target.endswith("/hers")
    assert Link.objects.get(code="fresh001").target.endswith("/mine")


def test_a_store_without_a_shop_system_shortens_its_own_website(shop: Store) -> None:
    Connection.objects.filter(kind="shopify").delete()
    person(shop)
    make_flow(shop, send(f"See {SHOP}/ and https://unknown.example/"))
    happened(shop, "opted_in", phone="+12025550001")
    pump()
    assert [link.target for link in Link.objects.all()] == [f"{SHOP}/"]
