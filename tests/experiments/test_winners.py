"""Tests of what becomes of a conclusive test: it is told, and by the flow's rule its winner is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Workflow, WorkflowContentType, WorkflowTask

from smsflow_plugin.engine.moving import Choice, MovePeople, move_people
from smsflow_plugin.engine.notices import StaffNotice
from smsflow_plugin.engine.state import State as RunState
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.program import Send
from smsflow_plugin.measurement import standings, winners
from smsflow_plugin.measurement.conclusive import conclusive_tests
from smsflow_plugin.measurement.experiments import experiments
from smsflow_plugin.measurement.winners import KEEP_WINNER, judge_experiments
from smsflow_plugin.models import (
    Contact,
    CopySnippet,
    Enrollment,
    Event,
    ExperimentStanding,
    Exposure,
    Flow,
    FlowVersion,
    Store,
    StoreApprovalTask,
    StoreLogEntry,
)
from smsflow_plugin.simulation.test_runs import draft_version
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.experiments.test_page import fill, trying
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

KEEP = Flow.Conclusive.KEEP
CLEAR = (("A", 200, 40), ("B", 200, 110))


@pytest.fixture
def flow(store: Store, still: TestClock) -> Flow:
    flow = trying(store, when_conclusive=KEEP)
    fill(store, flow, *CLEAR)
    still.move(days=9)
    return flow


def again(flow: Flow) -> Flow:
    return Flow.objects.select_related("current_version").get(pk=flow.pk)


def outcome() -> str:
    return ExperimentStanding.objects.get().outcome


def live_text(flow: Flow) -> Send:
    text = again(flow).current_version.compiled.instructions[0]
    assert isinstance(text, Send)
    return text


def nothing_was_published(flow: Flow) -> bool:
    return again(flow).current_version_id == flow.current_version_id and bool(live_text(flow).variants)


def test_the_winner_is_kept_and_published(store: Store, flow: Flow) -> None:
    judge_experiments()
    assert outcome() == "kept"
    assert live_text(flow) == Send("s1", {"": "Hi.", "da": "Dav."}, {"": "Hey."})
    found = again(flow)
    assert (found.current_version.number, found.has_unpublished_changes) == (2, False)
    assert compile_flow(found.get_latest_revision_as_object()).content_hash == found.current_version.content_hash
    [entry] = StoreLogEntry.objects.filter(action=KEEP_WINNER)
    assert (entry.object_id, entry.user_id, entry.data["arm"]) == (str(flow.pk), None, "B")
    [told] = conclusive_tests(store)
    assert "B is better than A by 35.0 points" in told.words
    assert "The flow's rule has kept only B and published it." in told.words


def test_it_is_done_once_however_often_one_looks(store: Store, flow: Flow, still: TestClock) -> None:
    for _turn in range(3):
        judge_experiments()
        still.move(hours=1)
    assert FlowVersion.objects.filter(flow=flow).count() == 2
    assert StoreLogEntry.objects.filter(action=KEEP_WINNER).count() == 1
    assert StaffNotice.objects.count() == 1


def test_whoever_publishes_it_again_wants_it_so(store: Store, flow: Flow, still: TestClock) -> None:
    before = flow.latest_revision
    judge_experiments()
    before.publish()
    assert live_text(flow).variants
    still.move(hours=1)
    judge_experiments()
    assert live_text(flow).variants


def test_a_worker_that_is_killed_leaves_nothing_half_done(
    store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_args: Any, **_values: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(winners, "queue_notices", dies)
        judge_experiments()
    assert nothing_was_published(flow)
    assert (outcome(), again(flow).has_unpublished_changes) == ("", False)
    judge_experiments()
    assert outcome() == "kept"


def test_a_draft_that_is_tried_out_ends_no_experiment(store: Store, flow: Flow) -> None:
    draft_with(flow, cap_day=1)
    draft_version(again(flow))
    assert [each.running for each in experiments(store)] == [True]


def test_the_rule_waits_while_people_are_moved(store: Store, flow: Flow, still: TestClock) -> None:
    """What a person chose for those of an older version is done first."""
    program = flow.current_version.program
    older = FlowVersion.objects.create(store=store, flow=flow, number=0, content_hash="x", program=program)
    run = Enrollment.objects.create(
        store=store, flow=flow, version=older, contact=make_contact(store, phone=None), entry_key="1",
        entered_at=NOON, state=RunState(at=1, reached_at=NOON).to_json(),
    )  # fmt: skip
    MovePeople(flow, choices={(older.pk, ""): Choice.MOVE}).plan(skip_permission_checks=True)
    judge_experiments()
    assert (outcome(), nothing_was_published(flow)) == ("moving", True)
    while move_people():
        pass
    still.move(hours=1)
    judge_experiments()
    run.refresh_from_db()
    assert (outcome(), run.version_id) == ("kept", again(flow).current_version_id)


def test_a_winner_with_which_more_people_opt_out_is_left_to_a_person_though_it_is_the_text_itself(
    store: Store, still: TestClock
) -> None:
    flow = trying(store, when_conclusive=KEEP)
    fill(store, flow, ("A", 200, 110), ("B", 200, 40))
    for exposure in Exposure.objects.filter(arm="A")[:60]:
        Event.objects.create(
            store=store, contact_id=exposure.contact_id, kind="opted_out", key=str(exposure.pk), occurred_at=NOON
        )
    still.move(days=9)
    judge_experiments()
    assert (outcome(), nothing_was_published(flow)) == ("harms", True)
    [told] = conclusive_tests(store)
    assert "With A more people opt out: 30.0 points more" in told.words


def test_an_owner_who_has_left_the_store_is_told_nothing(store: Store, still: TestClock) -> None:
    owner = make_user("ann", "Store admin", make_store(name="Tea", domain="tea.myshopify.com"))
    owner.email = "ann@example.com"
    owner.save()
    flow = trying(store, owner=owner)
    fill(store, flow, *CLEAR)
    still.move(days=9)
    judge_experiments()
    [notice] = StaffNotice.objects.all()
    assert "ann@example.com" not in notice.to


def test_people_inside_go_on_and_those_of_older_versions_stay(store: Store, flow: Flow) -> None:
    older = FlowVersion.objects.create(
        store=store, flow=flow, number=9, content_hash="x", program=flow.current_version.program
    )
    for version in (flow.current_version, older):
        contact = make_contact(store, phone=None)
        Enrollment.objects.create(
            store=store, flow=flow, version=version, contact=contact, entry_key=str(version.pk), entered_at=NOON,
            state=RunState(at=1, reached_at=NOON).to_json(),
        )  # fmt: skip
    judge_experiments()
    assert outcome() == "kept"
    now = again(flow).current_version_id
    assert [(each.version_id, each.status) for each in Enrollment.objects.order_by("pk")] == [
        (now, "waiting"),
        (older.pk, "waiting"),
    ]


def test_without_the_rule_it_is_told_only(store: Store, still: TestClock) -> None:
    owner = make_user("ann", "Store admin", store)
    owner.email = "ann@example.com"
    owner.save()
    flow = trying(store, owner=owner)
    fill(store, flow, *CLEAR)
    still.move(days=9)
    judge_experiments()
    judge_experiments()
    assert nothing_was_published(flow)
    assert not again(flow).has_unpublished_changes
    [letter] = StaffNotice.objects.all()
    assert letter.to == ["ann@example.com"]
    assert "B is better than A" in letter.body
    assert "/smsflow/experiments/?" in letter.body
    [told] = conclusive_tests(store)
    assert told.words == f"“{flow}”: {standings_verdict(store)}"
    # whoever has published one wording has seen to it
    flow.live = False
    flow.save()
    assert list(conclusive_tests(store)) == []


def standings_verdict(store: Store) -> str:
    [experiment] = winners.experiments(store)
    found = standings.standing(experiment)
    assert found
    return found.verdict


@pytest.mark.parametrize(
    ("arms", "days"),
    [
        ((("A", 200, 40), ("B", 200, 110)), 3),  # early
        ((("A", 30, 3), ("B", 30, 20)), 9),  # early
        ((("A", 290, 40), ("B", 150, 110)), 9),  # broken
        ((("A", 200, 60), ("B", 200, 66)), 9),  # open
        ((("A", 200, 60), ("B", 200, 66)), 50),  # over
    ],
)
def test_what_is_not_conclusive_is_left_alone(store: Store, still: TestClock, arms: Any, days: int) -> None:
    flow = trying(store, when_conclusive=KEEP)
    fill(store, flow, *arms)
    still.move(days=days)
    judge_experiments()
    assert nothing_was_published(flow)
    assert (outcome(), StaffNotice.objects.count()) == ("", 0)
    assert list(conclusive_tests(store)) == []


def test_a_winner_with_more_opt_outs_is_told_only(store: Store, flow: Flow) -> None:
    for exposure in Exposure.objects.filter(arm="B")[:60]:
        Event.objects.create(
            store=store,
            contact_id=exposure.contact_id,
            kind="opted_out",
            key=str(exposure.pk),
            occurred_at=NOON,
            data={},
        )
    judge_experiments()
    assert (outcome(), nothing_was_published(flow)) == ("harms", True)
    [told] = conclusive_tests(store)
    assert "With B more people opt out" in told.words
    assert "leaves it to you" in told.words


def draft_with(flow: Flow, **values: Any) -> None:
    draft = again(flow).get_latest_revision_as_object()
    for name, value in values.items():
        setattr(draft, name, value)
    draft.save_revision()


def test_a_draft_with_other_changes_is_nobodys_to_publish(store: Store, flow: Flow, still: TestClock) -> None:
    before = again(flow).latest_revision_id
    draft_with(flow, cap_day=1)
    mine = again(flow).latest_revision_id
    assert mine != before
    judge_experiments()
    assert (outcome(), nothing_was_published(flow), again(flow).latest_revision_id) == ("changed", True, mine)
    # once it is published, the rule goes on
    again(flow).latest_revision.publish()
    still.move(hours=1)
    judge_experiments()
    assert outcome() == "kept"
    assert again(flow).current_version.compiled.cap_day == 1
    assert StaffNotice.objects.count() == 2


def test_what_has_changed_elsewhere_is_not_published_with_it(store: Store, still: TestClock) -> None:
    snippet = CopySnippet.objects.create(store=store, name="bye", text="Bye")
    flow = trying(store, when_conclusive=KEEP)
    draft = flow.get_latest_revision_as_object()
    raw = draft.steps.stream_block.get_prep_value(draft.steps)
    raw[1]["value"]["text"] = "{% render 'bye' %}"
    draft.steps = draft.steps.stream_block.to_python(raw)
    draft.save_revision().publish()
    flow = again(flow)
    fill(store, flow, *CLEAR)
    still.move(days=9)
    snippet.text = "Good bye"
    snippet.save()
    judge_experiments()
    assert (outcome(), nothing_was_published(flow)) == ("changed", True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"paused_at": NOON}, "still"), ({"closed_at": NOON}, "still"), ({"locked": True}, "locked")],
)
def test_the_rule_waits_while_the_flow_stands_still(
    store: Store, flow: Flow, change: Any, expected: str, still: TestClock
) -> None:
    Flow.objects.filter(pk=flow.pk).update(**change)
    judge_experiments()
    assert (outcome(), nothing_was_published(flow)) == (expected, True)
    Flow.objects.filter(pk=flow.pk).update(paused_at=None, closed_at=None, locked=False)
    judge_experiments()
    assert outcome() == "kept"


def test_what_cannot_be_published_is_told_with_its_reason(
    store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smsflow_plugin.flows.problems import CannotCompile, Problem

    def refuses(draft: Flow) -> Any:
        if not any(block.value["variants"] for block in draft.steps):
            raise CannotCompile([Problem("s1", (), "There is no text.")])
        return compile_flow(draft)

    monkeypatch.setattr(winners, "compile_flow", refuses)
    judge_experiments()
    assert (outcome(), nothing_was_published(flow)) == ("problem", True)
    assert not again(flow).has_unpublished_changes
    assert not StoreLogEntry.objects.filter(action=KEEP_WINNER).exists()
    [told] = conclusive_tests(store)
    assert "There is no text." in told.words
    assert "There is no text." in StaffNotice.objects.get().body


def test_what_must_be_approved_stays_a_draft(store: Store, flow: Flow, still: TestClock) -> None:
    task = StoreApprovalTask.objects.create(name="Approval")
    workflow = Workflow.objects.create(name="Flows")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=1)
    WorkflowContentType.objects.create(workflow=workflow, content_type=ContentType.objects.get_for_model(Flow))
    judge_experiments()
    assert (outcome(), nothing_was_published(flow)) == ("drafted", True)
    found = again(flow)
    assert found.has_unpublished_changes
    first = compile_flow(found.get_latest_revision_as_object()).instructions[0]
    assert first == Send("s1", {"": "Hi.", "da": "Dav."}, {"": "Hey."})
    still.move(hours=1)
    judge_experiments()
    assert again(flow).latest_revision_id == found.latest_revision_id
    [told] = conclusive_tests(store)
    assert "Somebody must approve it." in told.words


def test_one_flow_that_fails_stops_no_other(
    store: Store, flow: Flow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_store(name="Other", domain="other.myshopify.com", sender="+12025550199")
    second = trying(other, when_conclusive=KEEP)
    fill(other, second, *CLEAR)
    ExperimentStanding.objects.all().delete()
    decide = winners._decide

    def failing(found: Flow, result: Any) -> Any:
        if found.pk == flow.pk:
            raise RuntimeError("broken")
        return decide(found, result)

    monkeypatch.setattr(winners, "_decide", failing)
    judge_experiments()
    assert not live_text(second).variants
    assert live_text(flow).variants
    assert "could not be decided" in caplog.text


def test_a_test_that_was_conclusive_by_mistake_is_told_no_more(store: Store, still: TestClock) -> None:
    flow = trying(store)
    fill(store, flow, *CLEAR)
    still.move(days=9)
    judge_experiments()
    assert outcome() == "told"
    Event.objects.filter(store=store).delete()
    still.move(hours=1)
    judge_experiments()
    assert outcome() == ""
    assert list(conclusive_tests(store)) == []


# On the pages ---------------------------------------------------------------------------------------


def test_the_store_page_and_the_flows_history_say_it(store: Store, flow: Flow) -> None:
    judge_experiments()
    client = client_of(make_user("sam", "Store admin", store))
    text = client.get(page_of(store)).content.decode()
    assert "has kept only B and published it." in text
    history = client.get(reverse(f"{flow.snippet_viewset.get_url_name('history')}", args=[flow.pk])).content.decode()
    assert "Winner of an experiment kept by the flow&#x27;s rule" in history or "kept by the flow's rule" in history
    experiment = client.get(reverse("smsflow_experiments:index")).content.decode()
    assert "has kept only B and published it." in experiment


def page_of(store: Store) -> str:
    return reverse("smsflow_figures:store", args=[store.pk])


def test_the_list_asks_the_same_however_many_tests_there_are(store: Store, still: TestClock) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            list(conclusive_tests(store))
        return len(captured)

    assert queries() == 1
    for _turn in range(2):
        flow = trying(store)
        Contact.objects.filter(store=store).delete()
        fill(store, flow, *CLEAR)
    still.move(days=9)
    judge_experiments()
    assert len(list(conclusive_tests(store))) >= 1
    assert queries() == 2


def test_the_form_asks_what_happens(store: Store, client: Client) -> None:
    flow = trying(store)
    text = (
        client_of(make_user("sam", "Store admin", store))
        .get(reverse(flow.snippet_viewset.get_url_name("edit"), args=[flow.pk]))
        .content.decode()
    )
    assert "Keep the winner by itself" in text
