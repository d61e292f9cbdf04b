"""What a help desk says, in the core's own words."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.events.facts import CannotUnderstand, Person, PersonFact, RawDelivery, StoreInfo
from smsflow_plugin.integrations.helpdesk.translate import translate
from tests.conftest import NOON
from tests.helpdesk.conftest import told

STORE = StoreInfo("US", "America/New_York", "en", "USD")


def read(body: Any) -> PersonFact:
    raw = RawDelivery("helpdesk", "case_opened", "e1", {}, json.dumps(body).encode(), NOON)
    (fact,) = translate(raw, STORE).facts
    assert isinstance(fact, PersonFact)
    return fact


def test_a_case_is_something_that_happened_to_a_person() -> None:
    (one,) = read(
        told(subject="Wrong size", url="https://help.example/77", opened_at="2026-03-01T09:00:00Z")
    ).happenings
    assert (one.kind, one.key, one.subject) == ("case_opened", "helpdesk:e1", "77")
    assert one.data == {"case": {"id": "77", "title": "Wrong size", "url": "https://help.example/77"}}
    assert one.occurred_at == datetime.fromisoformat("2026-03-01T09:00:00Z")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("opened", "case_opened"),
        ("Reopened", "case_opened"),
        ("updated", "case_updated"),
        ("CLOSED", "case_closed"),
    ],
)
def test_every_event_has_its_kind(event: str, kind: str) -> None:
    assert read(told(event)).happenings[0].kind == kind


@pytest.mark.parametrize(
    ("contact", "person"),
    [
        ({"phone": "(202) 555-0101"}, Person(phone="+12025550101")),
        ({"phone": "+4520123456", "email": "a@b.example"}, Person(phone="+4520123456")),
        ({"customer_id": 7}, Person(identities=(("customer", "7"),))),
        ({"customer_id": "gid://shopify/Customer/7"}, Person(identities=(("customer", "7"),))),
        ({"email": "Ada@Example.com"}, Person(mailbox="Ada@Example.com")),
        ({"phone": "ask her", "email": "a@b.example"}, Person(mailbox="a@b.example")),
    ],
)
def test_a_person_is_named_by_number_customer_or_address(contact: dict[str, Any], person: Person) -> None:
    assert read(told(contact=contact)).person == person


def test_only_an_opening_has_the_time_at_which_the_case_was_opened() -> None:
    opened = "2026-03-01T09:00:00+01:00"
    assert read(told("closed", opened_at=opened)).happenings[0].occurred_at == NOON
    early = read(told("opened", opened_at=opened, at="2026-03-01T08:30:00")).happenings[0].occurred_at
    assert early == datetime.fromisoformat("2026-03-01T08:30:00+00:00")


def test_nothing_happens_in_the_future() -> None:
    ahead = (NOON + timedelta(hours=1)).isoformat()
    assert read(told("closed", at=ahead)).happenings[0].occurred_at == NOON


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["id", "event", "case", "contact", "at", "opened_at", "subject", "url"])


@given(st.dictionaries(NAMES, JSON, max_size=8))
def test_whatever_comes_is_understood_or_refused_with_a_sentence(body: dict[str, Any]) -> None:
    for given_body in (body, {**told(), **body}):
        raw = RawDelivery("helpdesk", "", "e1", {}, json.dumps(given_body).encode(), NOON)
        try:
            translate(raw, STORE)
        except CannotUnderstand as error:
            assert str(error)
