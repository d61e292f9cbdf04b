"""Tests of what is kept of experiments: the same as what is counted, and all that is left once people are forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin.engine.purging import purge
from smsflow_plugin.engine.trials import copy_experiment
from smsflow_plugin.flows.program import Send, Variant
from smsflow_plugin.measurement.experiments import Experiment, experiments, exposed, judged, result
from smsflow_plugin.measurement.judging import Arm
from smsflow_plugin.measurement.models import ExperimentStanding
from smsflow_plugin.measurement.purging import KINDS
from smsflow_plugin.measurement.standings import _arm, _as_json, count, count_due, is_due, standing
from smsflow_plugin.measurement.statistics import moments
from smsflow_plugin.measurement.winners import judge_experiments
from smsflow_plugin.models import Event, Exposure, Flow, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow
from tests.factories import make_store
from tests.measurement.test_experiments import AB, DAY, bought, expose

pytestmark = pytest.mark.django_db

PEOPLE = st.lists(
    st.tuples(
        st.sampled_from("AB"),
        st.integers(0, 20),
        st.one_of(st.none(), st.tuples(st.integers(0, 9), st.integers(1, 999))),
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture(autouse=True)
def in_time(still: TestClock) -> TestClock:
    return still


@pytest.fixture
def flow(store: Store) -> Flow:
    return make_flow(store, AB, name="Welcome")


def only(store: Store) -> Experiment:
    [found] = experiments(store)
    return found


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(people=PEOPLE, days=st.integers(0, 60))
def test_what_is_kept_is_what_would_be_counted_then(people: Any, days: int) -> None:
    store = make_store(name="Any", domain=f"any{Store.objects.count()}.myshopify.com", sender="+12025550177")
    flow = make_flow(store, AB, name="Welcome")
    for arm, day, order in people:
        contact = expose(store, copy_experiment(flow.pk, AB), arm, at=NOON + day * DAY)
        if order:
            bought(contact, (day + order[0]) * DAY, f"{order[1]}.10")
    now = NOON + days * DAY
    counted = result(store, only(store), now)
    count(store, only(store), now)
    kept = standing(only(store))
    assert kept is not None
    assert (kept.judgement, kept.verdict, kept.warnings) == (counted.judgement, counted.verdict, counted.warnings)
    # and the list says the same of it as one that reads all exposures
    names = [each.name for each in experiments(store)]
    listed, anew = experiments(store), experiments(store, names)
    assert [(e.name, e.step, e.began, e.last, e.people, e.weights, e.running) for e in listed] == [
        (e.name, e.step, e.began, e.last, e.people, e.weights, e.running) for e in anew
    ]
    store.delete()


@given(
    spent=st.lists(st.floats(0, 1e7, allow_nan=False), max_size=20),
    counts=st.tuples(*[st.integers(0, 10**6)] * 5),
    weight=st.one_of(st.integers(0, 100), st.floats(0, 100)),
)
def test_an_arm_is_the_same_after_it_was_kept(spent: list[float], counts: Any, weight: float) -> None:
    import json

    arm = Arm("B", weight, *counts, moments(spent, 7))
    assert _arm(json.loads(json.dumps(_as_json(arm)))) == arm


def test_the_names_are_found_without_reading_everybody(store: Store, flow: Flow) -> None:
    assert exposed(store.pk) == []
    other = make_store(name="Other", domain="other.myshopify.com", sender="+12025550199")
    expose(other, "flow:1@10", "held")
    for name in ("flow:2@10", "flow:10@10", "store:2026-Q4@5"):
        for arm in ("held", "sent", "sent"):
            expose(store, name, arm)
    assert sorted(exposed(store.pk)) == ["flow:10@10", "flow:2@10", "store:2026-Q4@5"]


def test_pages_read_no_exposures_once_they_were_counted(store: Store, flow: Flow) -> None:
    for arm in "AB" * 3:
        expose(store, copy_experiment(flow.pk, AB), arm)
    list(count_due(store))
    with CaptureQueriesContext(connection) as captured:
        for each in experiments(store):
            assert standing(each)
    assert len(captured) == 3
    # the one that walks over the names asks the index for one name at a time
    assert [
        query["sql"] for query in captured if "smsflow_exposure" in query["sql"] and "min(" not in query["sql"]
    ] == []


def test_what_is_due_is_counted_and_what_has_settled_is_not(store: Store, flow: Flow, still: TestClock) -> None:
    expose(store, copy_experiment(flow.pk, AB), "A")
    assert len(list(count_due(store))) == 1
    assert len(list(count_due(store))) == 0
    still.move(hours=1)
    expose(store, copy_experiment(flow.pk, AB), "B", at=still())
    assert len(list(count_due(store))) == 1
    assert only(store).people == 2
    # it has ended: it is counted until nothing is heard of orders any more
    flow.live = False
    flow.save()
    assert len(list(count_due(store))) == 1
    still.move(days=10)
    assert len(list(count_due(store))) == 1
    still.move(days=10)
    assert len(list(count_due(store))) == 1
    still.move(days=1)
    assert not is_due(store, only(store), still())
    assert len(list(count_due(store))) == 0


def test_one_that_cannot_be_counted_stops_no_other(
    store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    second = Send("s9", {"": "One"}, variants=(Variant("B", 50, {"": "Two"}),))
    other = make_flow(store, second, name="Other")
    for found, send in ((flow, AB), (other, second)):
        expose(store, copy_experiment(found.pk, send), "A")

    def failing(store: Store, experiment: Experiment, now: Any) -> Any:
        if experiment.flow == "Welcome":
            raise RuntimeError("broken")
        return result(store, experiment, now)

    monkeypatch.setattr("smsflow_plugin.measurement.standings.result", failing)
    assert [found.experiment.flow for found, _row in count_due(store)] == ["Other"]
    assert "cannot be counted" in caplog.text


def test_who_took_part_is_forgotten_a_year_after_the_end_and_the_figures_stay(
    store: Store, flow: Flow, still: TestClock
) -> None:
    running = make_flow(store, second := Send("s9", {"": "x"}, variants=(Variant("B", 50, {"": "y"}),)), name="Runs")
    for arm in "AABBB":
        bought(expose(store, copy_experiment(flow.pk, AB), arm), DAY)
    expose(store, copy_experiment(running.pk, second), "A")
    list(count_due(store))
    flow.live = False
    flow.save()
    still.move(days=364)
    list(count_due(store))
    purge(KINDS)
    assert Exposure.objects.count() == 6
    before = {each.flow: standing(each) for each in experiments(store)}["Welcome"]
    assert before
    still.move(days=2)
    assert purge(KINDS)["exposures"] == 5
    assert [each.experiment for each in Exposure.objects.all()] == [copy_experiment(running.pk, second)]
    assert purge(KINDS)["exposures"] == 0

    # never counted again, neither by the worker nor by somebody
    still.move(days=2)
    list(count_due(store))
    [welcome] = [each for each in experiments(store) if each.flow == "Welcome"]
    assert welcome.standing and welcome.standing.closed_at
    count(store, welcome)
    [welcome] = [each for each in experiments(store, [welcome.name]) if each.flow == "Welcome"]
    kept = standing(welcome)
    assert kept and kept.judgement == before.judgement
    assert welcome.people == 5


def test_what_has_settled_keeps_its_figures_when_it_ends(store: Store, flow: Flow, still: TestClock) -> None:
    """What people did is blanked some day: to count it anew then would make it nothing."""
    for arm in "AABBB":
        bought(expose(store, copy_experiment(flow.pk, AB), arm), DAY)
    still.move(days=90)
    list(count_due(store))
    before = ExperimentStanding.objects.get()
    Event.objects.update(data={})
    Flow.objects.update(live=False)
    still.move(days=700)
    list(count_due(store))
    after = ExperimentStanding.objects.get()
    assert (before.running, after.running) == (True, False)
    assert after.figures == before.figures and any(arm["revenue"][1] for arm in after.figures)


def test_who_took_part_is_not_forgotten_before_all_was_heard(store: Store, flow: Flow, still: TestClock) -> None:
    for arm in "AAB":
        expose(store, copy_experiment(flow.pk, AB), arm)
    Flow.objects.update(live=False)
    still.move(hours=2)
    list(count_due(store))
    still.move(days=400)  # nobody counted it in the meantime
    assert purge(KINDS)["exposures"] == 0
    Store.objects.update(status="paused")
    judge_experiments()
    assert purge(KINDS)["exposures"] == 3


def test_what_was_never_counted_is_not_forgotten(store: Store, flow: Flow, still: TestClock) -> None:
    expose(store, copy_experiment(flow.pk, AB), "A")
    still.move(days=800)
    assert purge(KINDS)["exposures"] == 0


def test_a_count_that_the_purge_overtakes_changes_nothing(store: Store, flow: Flow, still: TestClock) -> None:
    for arm in "AAB":
        expose(store, copy_experiment(flow.pk, AB), arm)
    count(store, only(store))
    overtaken = only(store)  # read before the purge begins
    ExperimentStanding.objects.update(closed_at=still())
    Exposure.objects.filter(arm="A").delete()
    count(store, overtaken)
    found = standing(only(store))
    assert found and [arm.exposed for arm in found.judgement.arms] == [2, 1]


def test_the_judgement_follows_whether_it_still_runs(store: Store, flow: Flow) -> None:
    for arm in "AB":
        expose(store, copy_experiment(flow.pk, AB), arm)
    count(store, only(store), NOON + timedelta(days=3))
    assert standing(only(store)).judgement.state == "early"  # type: ignore[union-attr]
    flow.live = False
    flow.save()
    found = only(store)
    assert standing(found).judgement.state == "ended"  # type: ignore[union-attr]
    assert judged(found, [], 3).judgement.state == "nobody"
