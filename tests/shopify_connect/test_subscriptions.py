"""Which webhooks are wanted for which flows, and what differs from what is there."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.events.facts import CannotUnderstand, RawDelivery, StoreInfo
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.program import Discount, Email, Exit, Program, Send, Trigger, WaitForEvent
from smsflow_plugin.integrations.shopify import letter as letters
from smsflow_plugin.integrations.shopify.payload import Payload
from smsflow_plugin.integrations.shopify.subscriptions import Found, compare, needs
from smsflow_plugin.integrations.shopify.topic_table import ALWAYS, OF_KIND, TOPICS, Topic
from smsflow_plugin.integrations.shopify.translate import TOPICS as UNDERSTOOD
from smsflow_plugin.integrations.shopify.translate import translate
from tests.conftest import NOON
from tests.shopify import payloads
from tests.shopify.webhooks import SHARED, needs_shared, samples

URI = "https://texts.example/smsflow/shopify/webhooks/"
#: Kinds that do not come from Shopify: of texts, appointments, other systems, and the engine's own.
ELSEWHERE = {
    "preferences_changed", "field_changed", "segment_entered", "appointment_booked", "appointment_moved",
    "appointment_cancelled", "message_received", "message_failed", "link_clicked", "case_opened", "case_closed",
    "case_updated", "custom", "goal_reached", "date_due", "scheduled", "entered_by_hand", "entered_from_flow",
}  # fmt: skip


def flow(*triggers: str, steps: Any = (), **values: Any) -> Program:
    return Program(tuple(Trigger(kind) for kind in triggers), (Send("s", {"": "Hello"}), *steps, Exit("e")), **values)


def wanted(*flows: tuple[str, Program]) -> dict[str, Any]:
    return dict(needs(flows, understood=TOPICS).topics)


# --- what flows need


def test_without_flows_only_people_and_their_orders_are_followed() -> None:
    assert set(wanted()) == set(ALWAYS)
    assert set(needs((), understood=TOPICS).scopes) == {
        "read_customers", "write_customers", "read_orders", "read_customer_merge"
    }  # fmt: skip


def test_a_cart_flow_needs_checkouts_and_says_which_flow_it_is() -> None:
    topics = wanted(("Abandoned cart", flow("checkout_updated", exits=("order_created",))))
    assert topics["checkouts/update"] == topics["checkouts/create"] == ["Abandoned cart"]
    assert "products/update" not in topics and "carts/update" not in topics


@pytest.mark.parametrize(
    "program",
    [
        flow("parcel_delivered"),
        flow("order_created", exits=("parcel_delivered",)),
        flow("order_created", goal="parcel_delivered"),
        flow("order_created", steps=[WaitForEvent("w", ("parcel_delivered",), 3, "days")]),
        flow("order_created", audience={"event": "parcel_delivered", "hours": 24}),
        Program((Trigger("order_created", {"not": {"event": "parcel_delivered", "ever": True}}),), (Exit("e"),)),
    ],
)
def test_wherever_a_flow_speaks_of_an_event_its_topics_are_needed(program: Program) -> None:
    assert wanted(("Care", program))["fulfillment_events/create"] == ["Care"]


def test_steps_need_rights_and_topics_of_their_own() -> None:
    codes = needs([("Codes", flow("opted_in", steps=[Discount("d", "code")]))], understood=TOPICS)
    assert codes.scopes["write_discounts"] == ["Codes"]
    mails = needs([("Mails", flow("opted_in", steps=[Email("m", {"": "Hi"}, {"": "Hi"})]))], understood=TOPICS)
    assert mails.topics["customers_email_marketing_consent/update"] == ["Mails"]
    looks = needs([("Looks", flow("product_viewed"))], understood=TOPICS)
    assert looks.scopes["write_pixels"] == looks.scopes["read_customer_events"] == ["Looks"]


def test_what_a_segment_asks_is_needed_by_the_flow_that_it_starts() -> None:
    more = [("VIP", {"all": [{"event": "cart_updated", "ever": True}]})]
    found = needs([("VIP", flow("segment_entered"))], understood=TOPICS, more=more)
    assert found.topics["carts/update"] == ["VIP"]


def test_a_topic_that_nobody_reads_is_not_asked_for() -> None:
    found = needs([("Cart", flow("cart_updated"))], understood={"customers/update"})
    assert set(found.topics) == {"customers/update"}


def test_every_kind_of_event_has_its_topics_or_comes_from_elsewhere() -> None:
    assert set(KINDS) <= set(OF_KIND) | ELSEWHERE
    assert not set(OF_KIND) & ELSEWHERE
    assert {topic for topics in OF_KIND.values() for topic in topics} | set(ALWAYS) <= set(TOPICS)


# --- what is there


def found_of(topic: Topic, number: int = 1, **values: Any) -> Found:
    return replace(Found(f"gid://{number}", topic.enum, URI, filter=topic.filter, fields=topic.fields), **values)


PAID, PRODUCTS = TOPICS["orders/paid"], TOPICS["products/update"]


def test_what_is_as_it_should_be_is_left_alone() -> None:
    plan = compare([PAID, PRODUCTS], [found_of(PAID), found_of(PRODUCTS, 2)], uri=URI, before=[])
    assert not plan.create and not plan.update and not plan.delete


def test_what_is_missing_is_made_and_what_was_there_before_was_lost() -> None:
    plan = compare([PAID, PRODUCTS], [], uri=URI, before=["orders/paid"])
    assert plan.create == (PAID, PRODUCTS) and plan.lost == {"orders/paid"}


def test_what_is_not_wanted_and_what_comes_twice_is_taken_away() -> None:
    rows = [found_of(PAID, 1), found_of(PAID, 2), found_of(PRODUCTS, 3)]
    plan = compare([PAID], rows, uri=URI, before=[])
    assert [row.id for row in plan.delete] == ["gid://2", "gid://3"] and not plan.create


@pytest.mark.parametrize("wrong", [{"filter": "x:1"}, {"fields": ("id",)}, {"format": "XML"}, {"uri": URI.rstrip("/")}])
def test_what_is_wrong_is_changed(wrong: dict[str, Any]) -> None:
    row = found_of(PRODUCTS, **wrong)
    plan = compare([PRODUCTS], [row], uri=URI, before=["products/update"])
    assert plan.update == ((row, PRODUCTS),) and not plan.create and not plan.delete


def test_the_order_of_fields_does_not_matter() -> None:
    row = found_of(PRODUCTS, fields=tuple(reversed(PRODUCTS.fields)))
    assert not compare([PRODUCTS], [row], uri=URI, before=[]).update


def test_another_site_of_the_same_app_is_not_touched() -> None:
    theirs = found_of(PAID, uri="https://staging.example/smsflow/shopify/webhooks/")
    plan = compare([], [theirs], uri=URI, before=[])
    assert not plan.delete
    assert compare([PAID], [theirs], uri=URI, before=[]).create == (PAID,)


_ROWS = st.lists(
    st.builds(
        Found,
        id=st.uuids().map(str),
        topic=st.sampled_from([topic.enum for topic in TOPICS.values()]),
        uri=st.sampled_from([URI, URI.rstrip("/"), "https://elsewhere.example/"]),
        filter=st.sampled_from(["", "status:delivered"]),
        fields=st.sampled_from([(), ("id",), PRODUCTS.fields]),
    ),
    max_size=12,
)


@given(st.sets(st.sampled_from(sorted(TOPICS))), _ROWS)
def test_once_the_plan_is_carried_out_there_is_nothing_left_to_do(names: set[str], rows: list[Found]) -> None:
    topics = [TOPICS[name] for name in sorted(names)]
    plan = compare(topics, rows, uri=URI, before=[])
    gone = {row.id for row in plan.delete}
    changed = {row.id: topic for row, topic in plan.update}
    after = [found_of(changed[row.id], id=row.id) if row.id in changed else row for row in rows if row.id not in gone]
    after += [found_of(topic, id=f"new {topic.name}") for topic in plan.create]
    again = compare(topics, after, uri=URI, before=[])
    assert not again.create and not again.update and not again.delete
    assert [row for row in rows if "elsewhere" in row.uri] == [row for row in after if "elsewhere" in row.uri]


# --- the table against Shopify's own words


@needs_shared
def test_every_topic_is_one_that_shopify_knows() -> None:
    with gzip.open(SHARED / "shopify" / "admin_2026-10.json.gz") as file:
        found = json.load(file)
    types = (found.get("data") or found)["__schema"]["types"]
    [enum] = [each for each in types if each["name"] == "WebhookSubscriptionTopic"]
    said = {value["name"]: value["description"] or "" for value in enum["enumValues"]}
    for topic in TOPICS.values():
        assert topic.enum in said, topic.name
        assert f"`{topic.name}`" in said[topic.enum]
        if "Requires" in said[topic.enum]:
            text = " ".join(said[topic.enum].split())
            assert any(scope in text for scope in topic.scopes), (topic.name, text)
        else:
            assert not topic.scopes, topic.name


class Reading(Payload):
    """A payload that notes which of its keys are asked for."""

    def __init__(self, value: object, seen: set[str]) -> None:
        super().__init__(value)
        self.seen = seen

    def __contains__(self, key: str) -> bool:
        self.seen.add(key)
        return super().__contains__(key)


def _noting(name: str) -> Callable[..., Any]:
    original = getattr(Payload, name)

    def method(self: Reading, key: str, *args: Any, **kwargs: Any) -> Any:
        self.seen.add(key)
        return original(self, key, *args, **kwargs)

    return method


for _name in ("text", "id", "token", "word", "time", "money", "count", "number", "texts", "url", "is_true"):
    setattr(Reading, _name, _noting(_name))
for _name in ("object", "objects"):
    setattr(Reading, _name, _noting(_name))


def read_by(topic: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return which keys of a payload its translator asks for, on the outermost level."""
    seen: set[str] = set()
    parse = letters.parse
    monkeypatch.setattr(letters, "parse", lambda raw: Reading(parse(raw)._values, seen))
    shop = {"x-shopify-shop-domain": "sierra-gear.myshopify.com"}
    raw = RawDelivery("shopify", topic, "w-1", shop, body, NOON)
    info = StoreInfo(country="US", timezone="UTC", language="en", currency="USD")
    try:
        translate(raw, info)
    except CannotUnderstand:
        pass
    finally:
        monkeypatch.setattr(letters, "parse", parse)
    return seen


def bodies(topic: str) -> list[bytes]:
    """Return payloads of a topic: Shopify's samples, and those of the tests, which say more."""
    own = {"checkouts/create": payloads.checkout, "checkouts/update": payloads.checkout}
    made = [json.dumps(own[topic]()).encode()] if topic in own else []
    return made + [body for name, body in samples() if name == topic] + [b'{"id": 1, "variants": [{"id": 2}]}']


#: What those who read people ask of every payload, and only a customer's own profile has.
OF_A_PROFILE = {"default_address"}
SMALL = [topic for topic in TOPICS.values() if topic.fields and topic.name in UNDERSTOOD]


@pytest.mark.parametrize("topic", SMALL, ids=[topic.name for topic in SMALL])
def test_every_field_that_a_translator_reads_is_sent(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in bodies(topic.name):
        missing = read_by(topic.name, body, monkeypatch) - set(topic.fields) - OF_A_PROFILE
        assert not missing, f"Put {sorted(missing)} into the fields of {topic.name}."


def test_what_is_known_of_topics_is_of_those_that_are_read() -> None:
    by_file = {"customers/data_request", "customers/redact", "shop/redact"}
    assert set(UNDERSTOOD) - by_file == set(TOPICS)


def test_without_the_time_of_the_change_shopify_would_take_two_changes_for_one() -> None:
    assert all("updated_at" in topic.fields for topic in TOPICS.values() if topic.fields)
