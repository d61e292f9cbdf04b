"""Which of a store's numbers texts whom: rules that hold for any senders, and the stories behind them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.messaging.choosing import Candidate, Senders, choose, keeps, may_send, may_text

US, US_TOO, DANISH, NAME, SERVICE = "+12025550100", "+12025550101", "+4592451000", "Nordic Tea", "+12025550102"
CLASSES = ("marketing", "service", "optin", "reply")
COUNTRIES = ("US", "DK", "GB", "FR", "ZZ", "")

candidates = st.builds(
    Candidate,
    address=st.sampled_from([US, US_TOO, DANISH, NAME, SERVICE, "12345", "+33612345678"]),
    channel=st.sampled_from(["sms", "mms", "rcs", "whatsapp"]),
    use=st.sampled_from(["all", "service", "marketing"]),
    countries=st.frozensets(st.sampled_from(["US", "DK", "GB", "FR"]), max_size=2),
    active=st.booleans(),
)
stores = st.builds(
    Senders,
    st.sampled_from([Candidate(US), Candidate(DANISH), Candidate(NAME)]),
    st.lists(candidates, max_size=5, unique_by=lambda one: one.address).map(tuple),
)


def of(*others: Candidate, own: str = US) -> Senders:
    return Senders(Candidate(own), others)


def chosen(senders: Senders, message_class: str = "marketing", country: str = "US", **more: Any) -> str:
    return choose(senders, message_class=message_class, country=country, **more).address


@given(stores, st.sampled_from(CLASSES), st.sampled_from(COUNTRIES), st.booleans())
def test_who_sends_may_whenever_anybody_may(senders: Senders, kind: str, country: str, picture: bool) -> None:
    found = choose(senders, message_class=kind, country=country, picture=picture)
    assert found.address in {one.address for one in senders.all}
    if senders.others and any(may_send(one, kind, country) for one in senders.all):
        assert may_send(found, kind, country)


@given(stores, st.sampled_from(CLASSES), st.sampled_from(COUNTRIES), st.sampled_from([US, DANISH, NAME, "+99"]))
def test_a_number_is_kept_as_long_as_it_may_text(senders: Senders, kind: str, country: str, sticky: str) -> None:
    found = choose(senders, message_class=kind, country=country, sticky=sticky)
    kept = next((one for one in senders.all if one.address == sticky), None)
    if kept is not None and senders.others and may_send(kept, kind, country):
        assert found == kept


@given(stores, st.sampled_from(CLASSES), st.sampled_from(COUNTRIES), candidates)
def test_who_was_texted_answers(senders: Senders, kind: str, country: str, texted: Candidate) -> None:
    found = choose(senders, message_class=kind, country=country, texted=texted.address.removeprefix("+"))
    known = senders.named(texted.address)
    if known is not None and known.active and not known.is_name:
        assert found == known


@given(stores, st.sampled_from(CLASSES), st.sampled_from(COUNTRIES), st.sampled_from(["", US, DANISH, NAME, "+99"]))
def test_a_name_never_sticks_and_asking_twice_changes_nothing(
    senders: Senders, kind: str, country: str, sticky: str
) -> None:
    found = choose(senders, message_class=kind, country=country, sticky=sticky)
    kept = keeps(senders, sticky, found.address, country)
    assert kept in (sticky, found.address)
    assert kept == sticky or not Candidate(kept).is_name
    again = choose(senders, message_class=kind, country=country, sticky=kept)
    assert keeps(senders, kept, again.address, country) == kept


def test_a_store_without_senders_sends_from_its_own_whatever_the_country() -> None:
    assert chosen(of(), country="FR") == US
    assert chosen(of(own=NAME), "reply", country="US") == NAME


def test_the_exact_country_comes_before_everywhere() -> None:
    senders = of(Candidate(US_TOO), Candidate(DANISH, countries=frozenset({"DK", "SE"})))
    assert chosen(senders, country="DK") == DANISH
    assert chosen(senders, country="US") == US_TOO
    assert chosen(senders, country="") == US_TOO


@pytest.mark.parametrize(("kind", "sender"), [("marketing", US_TOO), ("service", SERVICE), ("reply", SERVICE)])
def test_what_is_kept_for_a_use_comes_first_and_sends_nothing_else(kind: str, sender: str) -> None:
    senders = of(Candidate(US), Candidate(US_TOO, use="marketing"), Candidate(SERVICE, use="service"))
    assert chosen(senders, kind) == sender
    only_service = of(Candidate(SERVICE, use="service"), own=US)
    assert chosen(only_service, "marketing") == US


def test_a_name_texts_only_where_the_country_lets_it() -> None:
    senders = of(Candidate(NAME), Candidate(US))
    assert chosen(senders, country="DK") == NAME
    assert chosen(senders, country="US") == US
    assert chosen(senders, "optin", country="DK") == US, "a question needs a number that can be answered"
    assert not may_text(Candidate(NAME), "US")


def test_an_answer_comes_from_the_number_that_was_texted_even_one_kept_for_marketing() -> None:
    senders = of(Candidate(US), Candidate(US_TOO, use="marketing"))
    assert chosen(senders, "reply", sticky=US, texted="1 202 555 0101".replace(" ", "")) == US_TOO
    assert chosen(senders, "reply", sticky=US, texted="+4599999999") == US, "none of ours"


def test_a_number_that_was_switched_off_is_left() -> None:
    senders = of(Candidate(US_TOO, active=False), Candidate(DANISH), own=DANISH)
    assert chosen(senders, sticky=US_TOO, texted=US_TOO) == DANISH
    assert keeps(senders, US_TOO, DANISH, "US") == DANISH


def test_a_picture_goes_from_a_number_that_carries_it() -> None:
    senders = of(Candidate(US), Candidate(US_TOO, channel="mms"))
    assert chosen(senders) == US
    assert chosen(senders, picture=True) == US_TOO
    assert chosen(senders, picture=True, sticky=US) == US, "people keep their number"
