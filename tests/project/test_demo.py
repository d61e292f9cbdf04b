"""The demo's inbox: who talks with staff there, and what answers by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.replies import fold
from smsflow_plugin.flows.program import Send
from smsflow_plugin.models import CannedReply, FlowVersion, Keyword, Policy, Sender, Store
from smsflow_site.demo import talks
from smsflow_site.demo.people import happenings
from smsflow_site.demo.shops import STORES, enable_flows

moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@given(now=moments)
def test_whoever_talks_has_agreed_and_stays(now: datetime) -> None:
    before = happenings(now)
    story = talks.with_talks(before, now)
    assert story == sorted(story)
    assert all(one.at < now for one in story)
    agreed = {(one.domain, one.phone) for one in before if one.does == "opts-in"}
    silent = agreed - {(one.domain, one.phone) for one in before if one.does == "says"}
    wrote = {(one.domain, one.phone) for one in story if one.does == "answers"}
    assert wrote
    assert wrote <= silent


@given(now=moments)
def test_the_first_words_of_a_conversation_are_the_persons(now: datetime) -> None:
    """Staff does nothing in a conversation that there is not yet, and every talk has somebody to hold it."""
    before = happenings(now)
    added = [one for one in talks.with_talks(before, now) if one not in before]
    asked = {(one.domain, one.says) for one in added if one.does == "says"}
    assert asked == {
        (domain, says)
        for domain, all_talks in talks.TALKS.items()
        for talk in all_talks
        for _minutes, does, says in talk
        if does == "says"
    }
    joined = {one.phone: one.at for one in before if one.does == "opts-in"}
    assert all(joined[one.phone] < one.at for one in added if one.does == "says")
    assert all(one.at > now - timedelta(days=22) for one in added)


@pytest.mark.django_db
def test_what_answers_by_itself_and_the_second_number() -> None:
    stores = {domain: Store.objects.create(**values) for domain, values in STORES.items()}
    for store in stores.values():
        Policy.objects.create(store=store)
    talks.set_up(stores)
    for store in stores.values():
        words = [fold(word) for line in Keyword.objects.filter(store=store) for word in line.words]
        assert words and len(words) == len(set(words))
        assert CannedReply.objects.filter(store=store).exists()
    sierra = stores["sierra-gear.myshopify.com"]
    assert list(Sender.objects.filter(store=sierra).values_list("use", flat=True)) == ["all", "marketing"]


@pytest.mark.django_db
def test_one_text_is_tried_in_other_words() -> None:
    stores = [Store.objects.create(**values) for values in STORES.values()]
    for store in stores:
        Policy.objects.create(store=store)
    enable_flows(stores)
    tried = [
        (version.flow.store, version.flow.template)
        for version in FlowVersion.objects.select_related("flow__store")
        if any(isinstance(step, Send) and step.variants for step in version.compiled.instructions)
    ]
    assert tried == [(Store.objects.get(name="Sierra Gear"), "abandoned_cart")]
