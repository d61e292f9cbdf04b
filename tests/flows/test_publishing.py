from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from wagtail.actions import action_registry

from smsflow_plugin import clock
from smsflow_plugin.flows.library import TEMPLATES, build
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program
from smsflow_plugin.flows.publishing import PublishFlowAction
from smsflow_plugin.models import Flow, FlowVersion
from tests.flows.people import COPYWRITER, STORE_ADMIN, person, published_flow, saved_flow, send, wait

pytestmark = pytest.mark.django_db


def republish(flow: Flow, **changes: Any) -> Flow:
    for name, value in changes.items():
        setattr(flow, name, value)
    flow.save_revision(clean=False).publish()
    return Flow.objects.get(pk=flow.pk)


def test_publishing_writes_a_version_and_lets_it_run(store: Any) -> None:
    flow = published_flow(store)
    version = flow.current_version
    assert (flow.live, flow.state, version.number, version.store) == (True, Flow.State.LIVE, 1, store)
    assert [trigger.kind for trigger in version.compiled.triggers] == ["checkout_updated"]
    assert version.content_hash == version.compiled.content_hash == Program.from_json(version.program).content_hash


def test_publishing_the_same_again_uses_the_same_version(store: Any) -> None:
    flow = published_flow(store)
    again = republish(flow, name="Carts, renamed")
    assert (again.name, again.current_version, FlowVersion.objects.count()) == (
        "Carts, renamed",
        flow.current_version,
        1,
    )


def test_a_change_becomes_the_next_version_and_the_old_one_stays(store: Any) -> None:
    flow = published_flow(store)
    old = flow.current_version
    again = republish(flow, exits=["order_created"])
    assert (again.current_version.number, again.current_version.compiled.exits) == (2, ("order_created",))
    old.refresh_from_db()
    assert old.compiled.exits == ("opted_out", "order_created")


def test_going_back_to_an_old_revision_makes_a_new_version(store: Any) -> None:
    flow = published_flow(store)
    first = flow.latest_revision
    republish(flow, exits=["order_created"])
    first.publish()
    flow.refresh_from_db()
    assert (flow.current_version.number, flow.exits) == (3, ["order_created", "opted_out"])


def test_a_draft_beside_a_live_flow_changes_nothing_that_runs(store: Any) -> None:
    flow = published_flow(store)
    flow.steps = [send("Something else.")]
    flow.save_revision(clean=False)
    flow = Flow.objects.get(pk=flow.pk)
    assert (flow.has_unpublished_changes, flow.current_version.number, len(flow.steps)) == (True, 1, 2)


def test_an_unpublished_flow_is_paused_and_keeps_its_version(store: Any) -> None:
    flow = published_flow(store)
    flow.unpublish()
    flow = Flow.objects.get(pk=flow.pk)
    assert (flow.live, flow.state, flow.current_version.number) == (False, Flow.State.PAUSED, 1)


def test_what_cannot_compile_is_refused_and_nothing_changes(store: Any) -> None:
    flow = published_flow(store)
    flow.steps = [wait(), send("")]
    with pytest.raises(CannotCompile, match="Step 2, Send a text: Write the text."):
        flow.save_revision(clean=False).publish()
    flow = Flow.objects.get(pk=flow.pk)
    assert (flow.live, flow.current_version.number, FlowVersion.objects.count()) == (True, 1, 1)
    assert [child.block_type for child in flow.steps] == ["wait_for_event", "send"]


def test_a_scheduled_flow_gets_its_version_when_its_time_has_come(store: Any) -> None:
    flow = saved_flow(store)
    flow.go_live_at = clock.system() + timedelta(hours=1)
    revision = flow.save_revision(clean=False)
    revision.publish()
    flow = Flow.objects.get(pk=flow.pk)
    assert (flow.live, flow.current_version) == (False, None)
    _make_due(flow)
    call_command("publish_scheduled")
    flow = Flow.objects.get(pk=flow.pk)
    assert (flow.live, flow.current_version.number) == (True, 1)


def test_scheduling_what_cannot_compile_is_refused_at_once(store: Any) -> None:
    flow = saved_flow(store, steps=[send("")], go_live_at=clock.system() + timedelta(hours=1))
    with pytest.raises(CannotCompile):
        flow.latest_revision.publish()


def test_a_due_flow_that_no_longer_compiles_does_not_hold_up_the_others(store: Any, caplog: Any) -> None:
    broken, sound = saved_flow(store, steps=[send("")]), saved_flow(store, "welcome")
    for flow in (broken, sound):
        _make_due(flow)
    call_command("publish_scheduled")
    assert [Flow.objects.get(pk=flow.pk).live for flow in (broken, sound)] == [False, True]
    assert "Write the text." in caplog.text
    assert not broken.revisions.filter(approved_go_live_at__isnull=False).exists()


def test_the_right_to_publish_is_the_role_s_in_the_flow_s_own_store(store: Any, danish_store: Any) -> None:
    flow = saved_flow(store)
    elsewhere = person("Olga", (danish_store, STORE_ADMIN), (store, COPYWRITER))
    with pytest.raises(PermissionDenied):
        flow.latest_revision.publish(user=elsewhere)
    flow.latest_revision.publish(user=person("Ines", (store, STORE_ADMIN)))
    assert FlowVersion.objects.get().published_by == "Ines"


def test_a_revision_cannot_move_a_flow_to_another_store(store: Any, danish_store: Any) -> None:
    flow = saved_flow(store)
    revision = flow.latest_revision
    revision.content = {**revision.content, "store": danish_store.pk, "current_version": 999, "template": "x"}
    restored = revision.as_object()
    assert (restored.store, restored.current_version_id, restored.template) == (store, None, "abandoned_cart")


def test_other_code_finds_our_way_of_publishing_in_wagtail_s_registry() -> None:
    assert action_registry.get_action_class(Flow, "publish") is PublishFlowAction


def test_only_flows_that_are_live_and_compiled_are_for_the_engine(store: Any) -> None:
    live = published_flow(store)
    saved_flow(store, "welcome")
    build(TEMPLATES["post_purchase"], store).save()
    assert list(Flow.objects.filter(live=True, current_version__isnull=False)) == [live]


def _make_due(flow: Flow) -> None:
    flow.latest_revision.refresh_from_db()
    content = {**flow.latest_revision.content, "go_live_at": None}
    flow.revisions.filter(pk=flow.latest_revision_id).update(
        approved_go_live_at=clock.system() - timedelta(minutes=1), content=content
    )
