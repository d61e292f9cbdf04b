"""The pages about breakers: who sees them, and who decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.engine.watching import watch
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.management.doctor import stops
from smsflow_plugin.measurement.health import breaker_state
from smsflow_plugin.models import BreakerTrip, Flow, PanicStop, Store
from tests.admin.people import client_of, make_user
from tests.engine.helpers import happened, make_flow, pump
from tests.safety.conftest import Sends, usually

pytestmark = pytest.mark.django_db


@pytest.fixture
def flow(store: Store) -> Flow:
    return make_flow(store, Wait("w", 1, "hours"), Send("s1", {"": "Hello"}), name="Welcome")


@pytest.fixture
def trip(store: Store, ada: Any, flow: Flow, sends: Sends) -> BreakerTrip:
    happened(store, "opted_in", phone=str(ada.phone))
    pump()
    sends(flow, 100, failed=60)
    watch()
    return BreakerTrip.objects.get()


def page(view: str, *args: Any) -> str:
    return reverse(f"smsflow_breakers:{view}", args=args)


def test_the_list_names_what_waits_and_the_menu_counts_it(store: Store, trip: BreakerTrip) -> None:
    client = client_of(make_user("olga", "Store admin", store))
    html = client.get(page("index")).content.decode()
    assert "60 of 100 texts failed" in html
    assert "Waits for a decision" in html
    assert "Breakers (1 waits)" in html


def test_a_person_decides_with_a_note(store: Store, trip: BreakerTrip, flow: Flow) -> None:
    user = make_user("olga", "Agency", store)
    client = client_of(user)
    assert page("resolve", trip.pk) in client.get(page("inspect", trip.pk)).content.decode()
    html = client.get(page("resolve", trip.pk)).content.decode()
    assert "<strong>1</strong> person is in the flow now." in html
    answer = client.post(page("resolve", trip.pk), {"choice": "drain", "note": "Wrong list"}, follow=True)
    assert "is closed. Everybody inside goes on to the end." in answer.content.decode()
    trip.refresh_from_db()
    flow.refresh_from_db()
    assert (trip.state, trip.decided_by, trip.note, bool(flow.closed_at)) == ("drained", user, "Wrong list", True)
    again = client.post(page("resolve", trip.pk), {"choice": "empty"}, follow=True)
    assert "Somebody has decided on this already." in again.content.decode()


def test_support_sees_it_and_decides_nothing(store: Store, trip: BreakerTrip) -> None:
    client = client_of(make_user("sam", "Support", store))
    html = client.get(page("inspect", trip.pk)).content.decode()
    assert "Somebody who may publish flows has to decide." in html
    assert client.post(page("resolve", trip.pk), {"choice": "resume"}).status_code == 302
    trip.refresh_from_db()
    assert trip.state == "open"


def test_a_stranger_does_not_learn_that_it_exists(trip: BreakerTrip, danish_store: Store) -> None:
    client = client_of(make_user("dan", "Store admin", danish_store))
    assert client.get(page("inspect", trip.pk)).status_code == 404
    assert client.get(page("resolve", trip.pk)).status_code == 404
    assert client.post(page("resolve", trip.pk), {"choice": "resume"}).status_code == 404
    html = client.get(page("index")).content.decode()
    assert "Welcome" not in html
    assert "(1 waits)" not in html


def test_the_flow_says_on_its_own_pages_what_holds_it(store: Store, trip: BreakerTrip, flow: Flow) -> None:
    client = client_of(make_user("olga", "Store admin", store))
    flows = "wagtailsnippets_smsflow_flow"
    assert "Stopped by a breaker" in client.get(reverse(f"{flows}:list")).content.decode()
    html = client.get(reverse(f"{flows}:edit", args=[flow.pk])).content.decode()
    assert "A circuit breaker has paused this flow. 60 of 100 texts failed" in html
    assert page("inspect", trip.pk) in html
    answer = client.get(reverse(f"{flows}:resume", args=[flow.pk]))
    assert answer.headers["Location"] == page("inspect", trip.pk)


def test_a_closed_flow_is_opened_again(store: Store, trip: BreakerTrip, flow: Flow) -> None:
    client = client_of(make_user("olga", "Store admin", store))
    client.post(page("resolve", trip.pk), {"choice": "drain"})
    flows = "wagtailsnippets_smsflow_flow"
    assert "Closed to newcomers" in client.get(reverse(f"{flows}:list")).content.decode()
    address = reverse(f"{flows}:open", args=[flow.pk])
    assert address in client.get(reverse(f"{flows}:edit", args=[flow.pk])).content.decode()
    client.post(address)
    flow.refresh_from_db()
    assert flow.closed_at is None


def test_a_whole_store_can_only_go_on(store: Store, ada: Any, sends: Sends) -> None:
    for n in range(3):
        sends(make_flow(store, Send("o", {"": "x"}), name=f"F{n}"), 60, failed=55)
    watch()
    trip = BreakerTrip.objects.get()
    client = client_of(make_user("olga", "Store admin", store))
    html = client.get(page("resolve", trip.pk)).content.decode()
    assert "Let the store go on" in html
    assert "Empty it" not in html
    client.post(page("resolve", trip.pk), {"choice": "resume"})
    assert PanicStop.objects.get().released_at is not None


def test_the_state_of_a_store_shows_every_live_flow_against_its_limits(
    store: Store, trip: BreakerTrip, sends: Sends
) -> None:
    other = make_flow(store, Send("o", {"": "x"}), name="Any")
    usually(other, texts=20)
    sends(other, 40, failed=1)
    state = breaker_state(store)
    assert [health.flow.name for health in state.flows] == ["Welcome", "Any"], "what is held comes first"
    assert state.open_trips == (trip,)
    held, fine = state.flows
    assert (held.failures, held.trip) == (60.0, trip)
    assert (fine.texts, fine.failures, fine.opt_outs, fine.most_texts, fine.spend) == (40, 2.5, 0.0, 20, None)
    assert state.rules.breaker_failures == 25
    with CaptureQueriesContext(connection) as queries:
        breaker_state(store)
    for n in range(5):
        make_flow(store, Send("o", {"": "x"}), name=f"More {n}")
    with CaptureQueriesContext(connection) as more:
        breaker_state(store)
    assert len(queries) == len(more)


def test_the_doctor_tells_what_is_stopped(store: Store, trip: BreakerTrip) -> None:
    assert [(finding.ok, finding.message) for finding in stops()] == [
        (
            False,
            "A circuit breaker has stopped “Welcome”. 60 of 100 texts failed in 24 hours (60 %); the limit is 25 %.",
        )
    ]
    BreakerTrip.objects.update(state="resumed")
    assert [finding.ok for finding in stops()] == [True]
    PanicStop.objects.create(store=None, reason="Wrong prices")
    assert [finding.message for finding in stops()] == ["All texts of The whole site are stopped. Wrong prices"]
