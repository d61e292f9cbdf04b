"""From the help desk's call to the text that is not sent, and the one that is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin import clock
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Reentry, Send
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Contact, Decision, Delivery, Event, Flow, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.scripted import ScriptedGateway
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact
from tests.helpdesk.conftest import Call, told

pytestmark = pytest.mark.django_db
ADA = "+12025550101"


@pytest.fixture
def ada(store: Store, still: TestClock) -> Contact:
    Policy.objects.update(minimum_gap=0, caps=[{"limit": 9, "window": "day"}])
    return make_contact(store, phone=ADA, email="Ada@example.com")


@pytest.fixture
def sale(store: Store, still: TestClock) -> Flow:
    text, again = Send("s1", {"": "Sale!"}), Reentry("always")
    flow = make_flow(store, text, priority="promo", reentry=again, trigger="browsed")
    Flow.objects.update(priority="promo")
    return flow


def asked(store: Store) -> str:
    """Let Ada come to the promotion once more, and return what was decided."""
    happened(store, "browsed")
    pump()
    return Decision.objects.latest("pk").reason


def open_since(contact: Contact) -> object:
    contact.refresh_from_db()
    return contact.open_case_at


def test_no_promotion_while_a_case_is_open_and_one_after_it_is_closed(
    call: Call, store: Store, ada: Contact, sale: Flow, still: TestClock
) -> None:
    call(told())
    pump()
    assert open_since(ada) == NOON
    assert asked(store) == "open_case"
    assert not Message.objects.exists()
    still.move(minutes=5)
    call(told("closed"))
    pump()
    assert (open_since(ada), asked(store)) == (None, "allowed")
    assert Message.objects.get().body.startswith("Sierra Gear: Sale!")


def test_a_queued_promotion_is_stopped_by_a_case_that_is_opened_before_it_leaves(
    call: Call, store: Store, ada: Contact, sale: Flow, gateway: type[ScriptedGateway]
) -> None:
    assert asked(store) == "allowed"
    call(told())
    pump()
    dispatch()
    assert not gateway.calls
    text = Message.objects.get()
    assert (text.state, text.reason) == ("cancelled", "open_case")


def test_a_case_that_is_never_closed_keeps_nobody_silent_for_ever(
    call: Call, store: Store, ada: Contact, sale: Flow, still: TestClock
) -> None:
    call(told())
    pump()
    still.move(days=29)
    assert asked(store) == "open_case"
    call(told("updated"))
    pump()
    still.move(days=29)
    assert asked(store) == "open_case", "it was worked on in the meantime"
    still.move(days=1)
    assert asked(store) == "allowed"


def test_a_person_may_be_known_by_their_address_only(
    call: Call, store: Store, danish_store: Store, ada: Contact, still: TestClock
) -> None:
    second = make_contact(store, email="ada@EXAMPLE.com")
    others = [make_contact(store, email=""), make_contact(store, email="bob@example.com")]
    others.append(make_contact(danish_store, email="ada@example.com"))
    call(told(contact={"email": "ADA@example.com"}))
    pump()
    assert [open_since(ada), open_since(second)] == [NOON, NOON]
    assert [open_since(other) for other in others] == [None] * 3
    call(told("closed", contact={"email": "ADA@example.com"}))
    pump()
    assert [open_since(ada), open_since(second)] == [None, None]


def test_an_address_that_nobody_has_makes_nobody(call: Call, store: Store) -> None:
    call(told(contact={"email": "nobody@example.com"}))
    pump()
    assert (Contact.objects.count(), Event.objects.count(), Delivery.objects.get().state) == (0, 0, "done")


def test_the_statements_do_not_depend_on_the_number_of_cases(call: Call, store: Store, still: TestClock) -> None:
    def statements(people: int) -> int:
        for n in range(people):
            make_contact(store, email=f"p{people}-{n}@example.com")
            call(told(case=f"{people}-{n}", contact={"email": f"p{people}-{n}@example.com"}))
        with CaptureQueriesContext(
            database,
        ) as queries:
            ingest()
        return len(queries)

    assert statements(2) == statements(20)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["opened", "closed", "reopened", "updated"]), st.sampled_from("12")),
        min_size=1,
        max_size=6,
    ),
    st.randoms(use_true_random=False),
    st.integers(1, 4),
)
def test_any_order_and_any_number_of_times(
    call: Call, store: Store, ada: Contact, still: TestClock, story: list, random: object, batch: int
) -> None:
    """However a story is delivered, the person is as the story left them."""
    Event.objects.all().delete()
    Delivery.objects.all().delete()
    start = clock.now() - timedelta(hours=12)
    bodies = [
        told(event, case, id=f"e{n}", at=(start + timedelta(minutes=n)).isoformat())
        for n, (event, case) in enumerate(story)
    ]
    state: dict[str, bool] = {}
    for event, case in story:
        if event != "updated":
            state[case] = event != "closed"
    shuffled = [*bodies, *bodies[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for place in range(0, len(shuffled), batch):
        for body in shuffled[place : place + batch]:
            assert call(body) == 200
        pump()
    assert (open_since(ada) is not None) == any(state.values())
    assert Event.objects.count() == len(bodies)
