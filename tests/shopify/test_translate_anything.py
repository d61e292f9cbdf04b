"""Whatever comes in: facts, a reason for ignoring it, or a sentence for a person. Never a crash."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.models import ConsentRecord, Contact, Identity
from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Person,
    PersonFact,
    StockFact,
    StoreGone,
    StoreWord,
    Translation,
)
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.integrations.shopify.translate import AFTER_THE_END, IGNORED, TOPICS, translate
from tests.shopify import payloads
from tests.shopify.more_payloads import of_more_topics
from tests.shopify.webhooks import DENMARK, US, body_of, needs_shared, raw, samples, told

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
EVERY = {**payloads.of_every_topic(), **of_more_topics()}
COLUMNS = ("email", "first_name", "last_name", "language", "country", "province", "postcode")


def check(translation: Translation) -> None:
    """Everything in it fits into the database, whichever it is."""
    assert bool(translation.facts) != bool(translation.ignored)
    for fact in translation.facts:
        assert isinstance(fact, PersonFact | StockFact | StoreGone | StoreWord)
        if isinstance(fact, StockFact):
            check_stock(fact)
        if isinstance(fact, StoreWord):
            assert_storable(dict(fact.data))
            assert_aware(fact.at)
        if isinstance(fact, PersonFact):
            check_person(fact.person)
            check_consents(fact)
            check_happenings(fact)


def check_stock(fact: StockFact) -> None:
    assert 0 < len(fact.variant_id) <= 80
    assert_storable([fact.variant_id, fact.product_id, fact.title, fact.variant, fact.url, fact.price])
    assert fact.available is None or abs(fact.available) < 2**31
    assert_aware(fact.said_at)


def check_person(person: Person) -> None:
    assert person.identities or person.phone
    assert all(kind in Identity.Kind and 0 < len(value) <= 255 for kind, value in person.identities)
    for name in COLUMNS:
        value = getattr(person, name)
        assert value is None or len(value) <= Contact._meta.get_field(name).max_length
        assert_storable(value)
    assert_storable([person.identities, person.was, person.phone, person.tags])
    assert_aware(person.profile_at)


def check_consents(fact: PersonFact) -> None:
    for consent in fact.consents:
        assert consent.action in ConsentRecord.Action
        assert consent.scope in ConsentRecord.Scope
        assert len(consent.source) <= 40
        assert 0 < len(consent.key) <= 255
        assert fact.person.phone or consent.action == "revoked"
        assert_storable([consent.key, dict(consent.evidence)])
        assert_aware(consent.effective_at)


def check_happenings(fact: PersonFact) -> None:
    for happening in fact.happenings:
        shape = KINDS[happening.kind].sample
        assert 0 < len(happening.key) <= 255
        assert len(happening.subject) <= 255
        for name, sample in shape.items():
            if isinstance(sample, dict):
                assert set(happening.data[name]) == set(sample), f"{happening.kind} holds what its sample does not"
            else:
                assert isinstance(happening.data[name], type(sample))
        assert set(happening.data) <= {*shape, "unusable_phone"}
        assert_storable([happening.key, happening.subject, dict(happening.data)])
        assert_aware(happening.occurred_at)


def assert_storable(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in text
    assert text.encode()


def assert_aware(moment: datetime | None) -> None:
    assert moment is None or (moment.tzinfo is not None and 2000 <= moment.year < 2100)


def read(topic: str, body: bytes) -> None:
    for store in (US, DENMARK):
        try:
            translation = translate(raw(topic, body), store)
        except CannotUnderstand as reason:
            assert str(reason).endswith(".")
        else:
            check(translation)


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_our_own_payload_of_each_topic_is_understood(topic: str) -> None:
    check(told(topic, EVERY[topic]))


@given(st.sampled_from(sorted(TOPICS)), st.binary(max_size=200))
def test_any_bytes(topic: str, body: bytes) -> None:
    read(topic, body)


@given(st.sampled_from(sorted(TOPICS)), ANY_JSON)
def test_any_json(topic: str, value: Any) -> None:
    read(topic, body_of(value))


@given(st.data())
def test_real_payloads_in_which_anything_is_missing_or_something_else(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(sorted(TOPICS)))
    payload = deepcopy(EVERY[topic])
    for _ in range(data.draw(st.integers(1, 8))):
        damage(payload, data)
    read(topic, body_of(payload))


def damage(payload: Any, data: st.DataObject) -> None:
    """Delete or replace one value somewhere in ``payload``."""
    holder: Any = payload
    while True:
        places = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            return
        place = data.draw(st.sampled_from(places))
        if isinstance(holder[place], dict | list) and data.draw(st.booleans()):
            holder = holder[place]
        elif data.draw(st.booleans()):
            del holder[place]
            return
        else:
            holder[place] = data.draw(ANY_JSON)
            return


@needs_shared
@pytest.mark.parametrize(("topic", "body"), samples(), ids=[topic for topic, _body in samples()])
def test_every_published_sample(topic: str, body: bytes) -> None:
    read(topic, body)


@pytest.mark.parametrize("topic", ["collections/update", "draft_orders/create", "themes/publish", "?"])
def test_a_topic_of_no_use_is_ignored_by_name(topic: str) -> None:
    assert told(topic, {}).ignored == f"SMSFlow makes no use of {topic}."


def test_topics_are_read_in_any_case() -> None:
    assert told("Orders/Create", payloads.order()).facts


def test_a_webhook_without_a_topic_is_not_understood() -> None:
    with pytest.raises(CannotUnderstand, match="no topic"):
        told("", payloads.order())


@pytest.mark.parametrize("topic", sorted(IGNORED))
def test_why_a_topic_is_ignored_stands_in_a_sentence(topic: str) -> None:
    assert topic not in TOPICS
    assert told(topic, {}).ignored == IGNORED[topic]
    assert IGNORED[topic].endswith(".")


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_nothing_of_a_shop_that_has_gone_counts_but_refusals_and_the_law(topic: str) -> None:
    translation = translate(raw(topic, body_of(EVERY[topic])), replace(US, gone=True))
    assert bool(translation.facts) == (topic in AFTER_THE_END)
    if not translation.facts:
        assert "taken the app away" in translation.ignored
