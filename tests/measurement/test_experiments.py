"""Tests of what experiments come to, read from facts."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from smsflow_plugin.engine.trials import copy_experiment, split_experiment
from smsflow_plugin.flows.program import Exit, Jump, Send, Split, Variant
from smsflow_plugin.measurement.experiments import Experiment, experiments, result, title
from smsflow_plugin.measurement.judging import Arm, State
from smsflow_plugin.models import Contact, Event, Exposure, Flow, FlowVersion, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
AB = Send("s1", {"": "Hello"}, variants=(Variant("B", 50, {"": "Hi"}),))
_numbers = count(1)


@pytest.fixture(autouse=True)
def in_english(still: TestClock) -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def flow(store: Store) -> Flow:
    return make_flow(store, AB, name="Welcome")


def expose(store: Store, name: str, arm: str, *, at: datetime = NOON, contact: Contact | None = None) -> Contact:
    contact = contact or make_contact(store, phone=None)
    flow = int(name.split(":")[1].partition("@")[0]) if name.startswith("flow") else 7
    step = name.split(":")[2].partition("@")[0] if name.count(":") == 2 else ""
    Exposure.objects.create(store=store, experiment=name, arm=arm, contact=contact, at=at, flow_id=flow, step=step)
    return contact


def bought(contact: Contact, after: timedelta, total: str = "50.00", **values: Any) -> Event:
    number = next(_numbers)
    return Event.objects.create(
        **{
            "store": contact.store, "contact": contact, "kind": "order_created", "key": f"k{number}",
            "subject": f"o{number}", "occurred_at": NOON + after, "data": {"order": {"total": total}}, **values,
        }
    )  # fmt: skip


def read(store: Store, name: str = "", after: timedelta = 14 * DAY) -> Any:
    [found] = [each for each in experiments(store) if name in each.name]
    return result(store, found, NOON + after)


def arms(found: Any) -> dict[str, Arm]:
    return {arm.name: arm for arm in found.judgement.arms}


def test_an_experiment_is_found_with_its_design(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)
    expose(store, name, "A")
    expose(store, name, "B", at=NOON + DAY)
    [found] = experiments(store)
    assert isinstance(found, Experiment)
    assert (found.name, found.flow, found.step, found.people) == (name, "Welcome", "s1", 2)
    assert (found.began, found.last, found.running) == (NOON, NOON + DAY, True)
    assert dict(found.weights) == {"A": 50, "B": 50}
    assert title(found) == "“Welcome”: a step that tries variants"


def test_orders_count_by_person_within_the_window(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)
    ada, bea, cis, dot = (expose(store, name, arm) for arm in "ABBA")
    bought(ada, DAY)
    bought(bea, 4 * DAY)
    bought(bea, 4.5 * DAY, "30.00")
    bought(cis, -DAY)  # before the text
    bought(dot, 6 * DAY)  # more than five days after it
    bought(make_contact(store, phone=None), DAY)
    found = arms(read(store))
    assert [(found[arm].exposed, found[arm].converted, found[arm].orders) for arm in "AB"] == [(2, 1, 1), (2, 1, 2)]
    assert found["A"].revenue.mean == pytest.approx(25)
    # the dearest hundredth is cut off: of two people who spent 50 and 80, next to nothing
    assert found["B"].revenue.mean == pytest.approx(79.7 / 2)


def test_an_order_that_is_paid_for_is_one_order(store: Store, flow: Flow) -> None:
    ada = expose(store, copy_experiment(flow.pk, AB), "A")
    bought(ada, DAY, subject="same")
    bought(ada, DAY, subject="same", kind="order_paid")
    found = arms(read(store))["A"]
    assert (found.orders, found.revenue.mean) == (1, 50)


def test_an_order_that_was_placed_before_and_paid_for_afterwards_is_none(store: Store, flow: Flow) -> None:
    ada = expose(store, copy_experiment(flow.pk, AB), "A")
    bought(ada, -timedelta(hours=1), subject="old")
    bought(ada, timedelta(hours=1), subject="old", kind="order_paid")
    assert (arms(read(store))["A"].converted, arms(read(store))["A"].orders) == (0, 0)


def test_an_order_comes_to_what_was_last_said_of_it(store: Store, flow: Flow) -> None:
    ada, bea = (expose(store, copy_experiment(flow.pk, AB), arm) for arm in "AB")
    bought(ada, DAY, subject="edited")
    bought(ada, 6 * DAY, "30.00", subject="edited", kind="order_paid")
    bought(bea, DAY, data={"order": {"total": "5000", "currency": "JPY"}})  # counted, but nobody can add its money
    found = arms(read(store))
    # less the hundredth that is cut off, see above
    assert (found["A"].orders, found["A"].revenue.mean) == (1, pytest.approx(29.7))
    assert (found["B"].converted, found["B"].revenue.mean) == (1, 0)


def test_cancelled_orders_do_not_count_and_refunds_are_taken_off(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)
    ada, bea = expose(store, name, "A"), expose(store, name, "B")
    bought(ada, DAY, subject="gone")
    bought(ada, 9 * DAY, subject="gone", kind="order_cancelled", data={})
    bought(bea, DAY, subject="part")
    bought(bea, 30 * DAY, subject="part", kind="order_refunded", data={"order": {"refunded": "20.00"}})
    found = arms(read(store, after=31 * DAY))
    assert (found["A"].converted, found["A"].revenue.mean) == (0, 0)
    assert (found["B"].converted, found["B"].revenue.mean) == (1, 30)


def test_opt_outs_and_clicks_are_those_of_people_within_the_window(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)
    ada, bea, cis = (expose(store, name, arm) for arm in "ABB")
    for contact, after in ((ada, 9 * DAY), (bea, DAY), (bea, 2 * DAY)):
        bought(contact, after, kind="opted_out", data={})
    texts = {"store": store, "flow": flow, "step": "s1", "to": "+12025550101", "body": "Hi", "queued_at": NOON}
    for visit in (0, 1):
        Message.objects.create(contact=cis, visit=visit, key=f"m{visit}", clicked_at=NOON + DAY, **texts)
    Message.objects.create(contact=ada, key="other", clicked_at=NOON + DAY, **{**texts, "step": "s9"})
    found = arms(read(store))
    assert [(found[arm].opted_out, found[arm].clicked) for arm in "AB"] == [(0, 0), (1, 1)]


def test_a_holdout_compares_those_without_texts_with_those_with(store: Store) -> None:
    flow = make_flow(store, Send("s1", {"": "Hello"}), name="Welcome", holdout=20)
    name = f"flow:{flow.pk}@20"
    held = [expose(store, name, "held") for _ in range(60)]
    sent = [expose(store, name, "sent") for _ in range(240)]
    for contact in [*held[:10], *sent[:100]]:
        bought(contact, DAY)
    found = read(store)
    assert title(found.experiment) == "Holdout of “Welcome”"
    assert [arm.name for arm in found.judgement.arms] == ["held", "sent"]
    assert found.judgement.split == pytest.approx(1)
    assert found.judgement.state is State.OPEN
    assert found.verdict.startswith("With texts more people order, by 25.0 points (")


def test_the_holdout_of_a_store_belongs_to_no_flow(store: Store) -> None:
    Policy.objects.update(holdout=5)
    expose(store, "store:2026-Q1@5", "held")
    expose(store, "store:2025-Q4@5", "sent", at=NOON - 90 * DAY)
    this, last = experiments(store)
    assert (title(this), this.flow_id, this.running) == ("Holdout of the store, 2026-Q1", 0, True)
    assert (last.name, last.running) == ("store:2025-Q4@5", False)
    assert dict(this.weights) == {"held": 5, "sent": 95}


def test_a_split_is_an_experiment_with_its_ways(store: Store) -> None:
    split = Split("x", (80, 20), (1, 2))
    flow = make_flow(store, split, Jump("x", 3), Exit("x"), name="Two ways")
    name = split_experiment(flow.pk, split)
    for arm, people in (("A", 80), ("B", 20)):
        for _ in range(people):
            expose(store, name, arm)
    found = read(store)
    assert dict(found.experiment.weights) == {"A": 80, "B": 20}
    assert found.judgement.split == 1


def test_a_split_that_is_not_as_designed_hides_the_figures(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)
    for arm, people in (("A", 90), ("B", 40)):
        for _ in range(people):
            expose(store, name, arm)
    found = read(store)
    assert found.judgement.state is State.BROKEN
    assert found.verdict == "The split is not as it should be (A 90, B 40): the figures cannot be trusted."


def test_what_is_no_longer_tried_stands_still(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)
    expose(store, name, "A")
    expose(store, name, "B", at=NOON + 3 * DAY)
    newer = make_flow(store, Send("s1", {"": "Hi"}), name="Newer").current_version
    FlowVersion.objects.filter(pk=newer.pk).update(flow=flow, number=2)
    Flow.objects.filter(pk=flow.pk).update(current_version=newer)
    found = read(store, after=300 * DAY)
    assert not found.experiment.running
    assert found.judgement.days == 3


def test_a_store_is_a_wall(store: Store, flow: Flow) -> None:
    other = make_store(name="Other", domain="other.myshopify.com", sender="+12025550199")
    ada = expose(store, copy_experiment(flow.pk, AB), "A")
    bought(ada, DAY)
    assert experiments(other) == []


def test_the_number_of_queries_depends_on_nothing(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            for each in experiments(store):
                result(store, each, NOON + 14 * DAY)
        return len(captured)

    expose(store, name, "A")
    few = queries()
    for arm in "AB" * 20:
        bought(expose(store, name, arm), DAY)
    assert queries() == few == 4 + 2


def test_an_order_that_was_placed_before_and_paid_after_is_nobodys_doing(store: Store, flow: Flow) -> None:
    name = copy_experiment(flow.pk, AB)
    people = [expose(store, name, arm) for arm in "AB"]
    for contact in people:
        for kind, at in (("order_created", NOON - DAY), ("order_paid", NOON + DAY)):
            Event.objects.create(
                store=store, contact=contact, kind=kind, key=f"{kind}-{contact.pk}", subject=f"o-{contact.pk}",
                occurred_at=at, data={"order": {"total": "50.00", "currency": "USD"}},
            )  # fmt: skip
    assert [arm.converted for arm in read(store).judgement.arms] == [0, 0]


def test_what_has_stopped_promises_no_more_days(store: Store, flow: Flow) -> None:
    expose(store, "store:2026-Q1@5", "held")
    expose(store, "store:2026-Q1@5", "sent")
    (stopped,) = experiments(store)
    found = result(store, stopped, NOON + 3 * DAY)
    assert (stopped.running, found.judgement.state, found.judgement.to_go) == (False, State.ENDED, None)
    assert "to go" not in found.verdict
