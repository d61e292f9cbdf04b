"""Pausing, resuming and unpublishing from the pages."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.models import Flow, StoreLogEntry
from tests.flows.people import COPYWRITER, STORE_ADMIN, person
from tests.flows.test_editor import signed_in, url
from tests.versions.flows import enter, make_flow, pause, publish, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def flow(store: Any, still: Any) -> Any:
    return publish(make_flow(store, text("A"), pause("W"), text("B")))


def test_a_flow_is_paused_and_resumed_and_says_so(flow: Any) -> None:
    enter(flow)
    ines = signed_in(person("Ines", (flow.store, STORE_ADMIN)))
    assert "<strong>1</strong> person is in it now." in ines.get(url("pause", flow.pk)).content.decode()
    ines.post(url("pause", flow.pk))
    flow.refresh_from_db()
    assert flow.state == Flow.State.PAUSED
    assert url("resume", flow.pk) in ines.get(url("edit", flow.pk)).content.decode()
    ines.post(url("resume", flow.pk))
    flow.refresh_from_db()
    assert flow.state == Flow.State.LIVE
    logged = StoreLogEntry.objects.filter(action__in=["smsflow.pause", "smsflow.resume"])
    assert set(logged.values_list("action", "user__username")) == {
        ("smsflow.pause", "Ines"),
        ("smsflow.resume", "Ines"),
    }


def test_only_who_may_publish_pauses(flow: Any, danish_store: Any) -> None:
    writer = signed_in(person("Carl", (flow.store, COPYWRITER)))
    stranger = signed_in(person("Stella", (danish_store, STORE_ADMIN)))
    assert url("pause", flow.pk) not in writer.get(url("edit", flow.pk)).content.decode()
    for view in ("pause", "resume"):
        assert writer.post(url(view, flow.pk)).status_code == 302
        assert stranger.post(url(view, flow.pk)).status_code == 404
    flow.refresh_from_db()
    assert flow.paused_at is None


def test_unpublishing_says_how_many_people_leave(flow: Any) -> None:
    enter(flow)
    enter(flow)
    ines = signed_in(person("Ines", (flow.store, STORE_ADMIN)))
    page = ines.get(url("unpublish", flow.pk)).content.decode()
    assert "2 people are in it now. They leave it, and get nothing more of it." in page
