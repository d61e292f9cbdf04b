"""The pump that looks at every live flow, and what becomes of those that it stops."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.actions import RecordOptOut
from smsflow_plugin.engine.figures import KEPT, baselines_of, figures_of, keep_days
from smsflow_plugin.engine.notices import tell_staff
from smsflow_plugin.engine.pausing import OpenFlow, PauseFlow, ResumeFlow
from smsflow_plugin.engine.resolving import CannotResolve, ResolveBreaker
from smsflow_plugin.engine.watching import watch
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.models import (
    BreakerTrip,
    Contact,
    Enrollment,
    Flow,
    FlowDay,
    Heartbeat,
    Message,
    PanicStop,
    StaffNotice,
    Store,
    StoreLogEntry,
    StoreMembership,
)
from smsflow_plugin.stores.roles import STORE_ADMIN, ensure_roles
from tests.admin.people import make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, leave, make_flow, pump
from tests.factories import make_contact
from tests.safety.conftest import Sends, leaves, rule, usually

pytestmark = pytest.mark.django_db


@pytest.fixture
def flow(store: Store) -> Flow:
    return make_flow(store, Wait("w", 1, "hours"), Send("s1", {"": "Hello"}), name="Welcome")


def trips() -> list[tuple[Any, str, str]]:
    rows = BreakerTrip.objects.order_by("pk")
    return [(trip.flow and trip.flow.name, trip.kind, trip.state) for trip in rows]


def mails() -> list[Any]:
    while tell_staff():
        pass
    return mail.outbox


# What trips ------------------------------------------------------------------------------------------


def test_a_flow_whose_texts_fail_is_paused_with_its_numbers_and_its_people(
    store: Store, ada: Contact, flow: Flow, sends: Sends
) -> None:
    happened(store, "opted_in", phone=str(ada.phone))
    pump()
    sends(flow, 100, failed=60)
    assert watch() == 1
    flow.refresh_from_db()
    trip = BreakerTrip.objects.get()
    assert flow.paused_at == trip.tripped_at == NOON
    assert (trip.store, trip.kind, trip.measured, trip.limit, trip.count, trip.texts) == (
        store, "failures", Decimal("60.00"), Decimal("25.00"), 60, 100,
    )  # fmt: skip
    assert Enrollment.objects.get().status == "waiting"
    entry = StoreLogEntry.objects.get(action="smsflow.breaker")
    assert (entry.object_id, entry.data["kind"], entry.store) == (str(flow.pk), "failures", store)


def test_one_opt_out_after_three_texts_stops_nothing(ada: Contact, flow: Flow, sends: Sends) -> None:
    sends(flow, 3)
    leaves(ada)
    assert (watch(), trips()) == (0, [])


def test_an_opt_out_counts_for_the_flow_that_wrote_last_within_a_day(store: Store, flow: Flow, sends: Sends) -> None:
    other = make_flow(store, Send("o", {"": "Other"}), name="Other")
    for n, contact in enumerate(make_contact(store) for _n in range(10)):
        sends(flow, 6, contact=contact, at=NOON - timedelta(hours=3))
        sends(other, 6, contact=contact, at=NOON - timedelta(hours=2))
        sends(flow, 1, contact=contact, at=NOON - timedelta(hours=1), message_class="reply")  # no reason to leave
        sends(other, 1, contact=contact, at=NOON - timedelta(hours=1), state="cancelled")
        sends(flow, 1, contact=contact, at=NOON)  # after they left
        if n < 8:
            leaves(contact, NOON - timedelta(minutes=30))
    long_ago = make_contact(store)
    sends(flow, 1, contact=long_ago, at=NOON - timedelta(hours=26))
    leaves(long_ago, NOON - timedelta(minutes=30))
    figures = figures_of([store.pk], NOON)[store.pk]
    assert (figures[other.pk].opt_outs, figures[flow.pk].opt_outs) == (8, 0)
    watch()
    assert trips() == [("Other", "opt_outs", "open")]


def test_stop_and_what_staff_records_are_opt_outs(store: Store, ada: Contact, flow: Flow, sends: Sends) -> None:
    sends(flow, 1, at=NOON - timedelta(hours=1))
    RecordOptOut(ada).execute(skip_permission_checks=True)
    assert figures_of([store.pk], NOON)[store.pk][flow.pk].opt_outs == 1


def test_texts_of_tests_say_nothing(flow: Flow, sends: Sends) -> None:
    sends(flow, 100, failed=100, purpose="test_run")
    sends(flow, 100, failed=100, purpose="test")
    assert watch() == 0


def test_more_than_ever_stops_a_flow_while_its_texts_still_wait(flow: Flow, sends: Sends) -> None:
    usually(flow, texts=20)
    sends(flow, 101, state="queued")
    watch()
    assert trips() == [("Welcome", "volume", "open")]
    trip = BreakerTrip.objects.get()
    assert (trip.measured, trip.limit, trip.baseline) == (101, 100, 20)


def test_money_stops_a_flow_by_what_its_texts_cost_when_they_were_queued(flow: Flow, sends: Sends) -> None:
    """The ledger of spend and the breaker speak of one sum: that of the texts themselves."""
    rule(breaker_spend=Decimal("1"), prices={"": "9.99"})
    sends(flow, 50, parts=2, cost=Decimal("0.02"))
    sends(flow, 3, state="cancelled", cost=Decimal("5"))
    sends(flow, 2)  # of no price
    assert watch() == 0
    sends(flow, 1, cost=Decimal("0.05"))
    assert watch() == 1
    trip = BreakerTrip.objects.get()
    assert (trip.kind, trip.measured, trip.limit) == ("spend", Decimal("1.05"), Decimal("1.00"))


def test_a_price_in_the_settings_alone_counts_for_the_breaker_too(store: Store, settings: Any, ada: Contact) -> None:
    """It did not: it knew the tables of the rules only, and took the country of the person for the number's."""
    settings.SMSFLOW = {**settings.SMSFLOW, "PART_PRICE": {"USD": "0.60"}}
    rule(breaker_spend=Decimal("1"))
    make_flow(store, Send("o", {"": "Hi"}), message_class="service")
    happened(store, "opted_in", phone=str(ada.phone))
    pump()
    dane = make_contact(store, phone="+12125550177", country="DK")
    happened(store, "opted_in", phone=str(dane.phone))
    pump()
    leave()
    assert watch() == 1
    assert BreakerTrip.objects.get().measured == Decimal("1.20")


def test_without_prices_nobody_knows_what_a_flow_costs(flow: Flow, sends: Sends) -> None:
    rule(breaker_spend=Decimal("0"))
    sends(flow, 10)
    assert watch() == 0


def test_two_flows_that_trip_together_are_two_trips(store: Store, flow: Flow, sends: Sends) -> None:
    make_flow(store, Send("o", {"": "Other"}), name="Fine")
    fine = Flow.objects.get(name="Fine")
    other = make_flow(store, Send("o", {"": "Other"}), name="Loud")
    usually(other, texts=20)
    sends(flow, 100, failed=90)
    sends(fine, 900, at=NOON - timedelta(hours=3))
    sends(other, 200)
    assert watch() == 2
    assert trips() == [("Welcome", "failures", "open"), ("Loud", "volume", "open")]
    assert len(mails()) == 0, "nobody has an address"
    assert StaffNotice.objects.filter(state="failed").count() == 2


@pytest.mark.parametrize("by", ["hand", "off", "store", "panic"])
def test_what_stands_still_already_is_left_alone(store: Store, flow: Flow, sends: Sends, by: str) -> None:
    sends(flow, 100, failed=90)
    if by == "hand":
        PauseFlow(flow).execute(skip_permission_checks=True)
    elif by == "off":
        Flow.objects.update(live=False)
    elif by == "store":
        Store.objects.update(status="paused")
    else:
        PanicStop.objects.create(store=store)
    assert (watch(), trips()) == (0, [])


def test_looking_again_trips_nothing_again(flow: Flow, sends: Sends) -> None:
    sends(flow, 100, failed=90)
    assert (watch(), watch(), watch()) == (1, 0, 0)
    assert StaffNotice.objects.count() == 1


def test_another_store_is_not_held_by_this_ones_rules(store: Store, danish_store: Store, sends: Sends) -> None:
    make_flow(store, Send("o", {"": "Mine"}), name="Mine")
    theirs = make_flow(danish_store, Send("o", {"": "Theirs"}), name="Theirs")
    rule(store, breaker_failures=Decimal(1))
    sends(theirs, 100, failed=20, contact=make_contact(danish_store))
    assert watch() == 0
    rule(danish_store, breaker_failures=Decimal(1))
    assert watch() == 1


def test_the_number_of_statements_does_not_depend_on_the_flows(store: Store, sends: Sends) -> None:
    def statements(flows: int) -> int:
        for n in range(flows):
            made = make_flow(store, Send("o", {"": "x"}), name=f"F{n}")
            usually(made, texts=20)
            sends(made, 101)
        with CaptureQueriesContext(connection) as queries:
            assert watch() == flows
        return len(queries)

    statements(1)  # the rules' version is written once
    assert statements(1) == statements(12)


# The whole store -------------------------------------------------------------------------------------


def test_when_everything_fails_the_store_is_stopped_once_and_one_letter_is_written(
    store: Store, sends: Sends, ada: Contact
) -> None:
    admin(store, "ada@example.com")
    flows = [make_flow(store, Send("o", {"": "x"}), name=f"F{n}") for n in range(20)]
    for one in flows:
        sends(one, 60, failed=55)
    assert watch() == 1
    assert trips() == [(None, "failures", "open")]
    assert not Flow.objects.filter(paused_at__isnull=False).exists()
    stop = PanicStop.objects.get()
    assert (stop.store, stop.stopped_by) == (store, None)
    (letter,) = mails()
    assert "Sierra Gear" in letter.subject
    assert watch() == 0
    resolve(BreakerTrip.objects.get(), "resume")
    stop.refresh_from_db()
    assert (stop.released_at, trips()) == (NOON, [(None, "failures", "resumed")])
    assert watch() == 0, "what failed before has been judged"


def test_a_store_that_is_let_go_elsewhere_closes_its_trip(store: Store, sends: Sends, still: TestClock) -> None:
    for n in range(3):
        sends(make_flow(store, Send("o", {"": "x"}), name=f"F{n}"), 60, failed=55)
    watch()
    PanicStop.objects.update(released_at=still.move(minutes=1))
    watch()
    assert trips() == [(None, "failures", "resumed")]


def test_a_store_can_only_go_on(store: Store, sends: Sends) -> None:
    for n in range(3):
        sends(make_flow(store, Send("o", {"": "x"}), name=f"F{n}"), 60, failed=55)
    watch()
    with pytest.raises(CannotResolve):
        resolve(BreakerTrip.objects.get(), "drain")


# Letters ---------------------------------------------------------------------------------------------


def admin(store: Store, email: str) -> User:
    ensure_roles()
    user = User.objects.create(username=email, email=email)
    StoreMembership.objects.create(store=store, user=user, role=Group.objects.get(name=STORE_ADMIN))
    return user


def test_the_owner_is_told_once_with_the_numbers(store: Store, flow: Flow, sends: Sends) -> None:
    admin(store, "boss@example.com")
    Flow.objects.update(owner=make_user("olga", "Copywriter", store))
    sends(flow, 100, failed=60)
    watch()
    (letter,) = mails()
    assert letter.to == ["olga@example.com"]
    assert "Welcome" in letter.subject
    assert "60 of 100 texts failed in 24 hours (60 %); the limit is 25 %." in letter.body
    assert f"/smsflow/breakers/{BreakerTrip.objects.get().pk}/" in letter.body
    assert StaffNotice.objects.get().state == "sent"


def test_without_an_owner_the_admins_of_this_store_are_told(
    store: Store, danish_store: Store, flow: Flow, sends: Sends
) -> None:
    gone = User.objects.create(username="gone", email="gone@example.com", is_active=False)
    Flow.objects.update(owner=gone)
    admin(store, "b@example.com"), admin(store, "a@example.com"), admin(danish_store, "dane@example.com")
    sends(flow, 100, failed=60)
    watch()
    (letter,) = mails()
    assert letter.to == ["a@example.com", "b@example.com"]


def test_a_letter_waits_for_the_mail_server(
    store: Store, flow: Flow, sends: Sends, settings: Any, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin(store, "boss@example.com")
    sends(flow, 100, failed=60)
    watch()
    down = ConnectionRefusedError()
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", lambda *args, **kwargs: _raise(down))
        assert mails() == []
    still.move(seconds=11)
    assert len(mails()) == 1


def _raise(error: Exception) -> None:
    raise error


# What people decide ----------------------------------------------------------------------------------


def resolve(trip: BreakerTrip, choice: str, user: Any = None, note: str = "") -> BreakerTrip:
    action = ResolveBreaker(trip, user, choice=choice, note=note)
    return action.execute(skip_permission_checks=user is None)


@pytest.fixture
def tripped(store: Store, ada: Contact, flow: Flow, sends: Sends) -> BreakerTrip:
    happened(store, "opted_in", phone=str(ada.phone))
    pump()
    sends(flow, 100, failed=60)
    watch()
    return BreakerTrip.objects.get()


def test_resumed_people_go_on_and_only_what_is_new_is_measured(
    tripped: BreakerTrip, flow: Flow, sends: Sends, still: TestClock
) -> None:
    still.move(hours=2)
    pump()
    sent = Message.objects.filter(purpose="flow", enrollment_id__isnull=False)
    assert not sent.exists()
    olga = User.objects.create_superuser("olga")
    resolve(tripped, "resume", olga, "A wrong link")
    pump()
    assert sent.count() == 1
    tripped.refresh_from_db()
    assert (tripped.state, tripped.decided_by, tripped.decided_at, tripped.note) == (
        "resumed", olga, still.at, "A wrong link",
    )  # fmt: skip
    assert watch() == 0
    still.move(hours=1)
    sends(flow, 100, failed=10)
    assert watch() == 0
    sends(flow, 100, failed=90)
    assert watch() == 1
    assert BreakerTrip.objects.latest("pk").count == 100, "of the new texts alone"


def test_a_crowd_that_waited_is_no_new_alarm(flow: Flow, sends: Sends, still: TestClock) -> None:
    usually(flow, texts=20)
    PauseFlow(flow).execute(skip_permission_checks=True)
    ResumeFlow(flow).execute(skip_permission_checks=True)
    sends(flow, 500, at=NOON)
    assert watch() == 0
    still.move(hours=25)
    sends(flow, 500)
    assert watch() == 1


def test_a_closed_flow_lets_nobody_in_and_everybody_inside_finish(
    tripped: BreakerTrip, store: Store, flow: Flow, still: TestClock
) -> None:
    resolve(tripped, "drain")
    flow.refresh_from_db()
    assert (flow.paused_at, flow.closed_at, tripped.state) == (None, NOON, "drained")
    bob = make_contact(store)
    happened(store, "opted_in", phone=str(bob.phone))
    happened(store, "entered_by_hand", phone=str(bob.phone), data={"flow": flow.pk})
    pump()
    still.move(hours=2)
    pump()
    assert Enrollment.objects.get().status == "finished"
    OpenFlow(flow).execute(skip_permission_checks=True)
    happened(store, "opted_in", phone=str(bob.phone))
    pump()
    assert Enrollment.objects.count() == 2


def test_an_emptied_flow_lets_everybody_leave_and_sends_nothing_more(
    tripped: BreakerTrip, store: Store, ada: Contact, flow: Flow, still: TestClock
) -> None:
    run = Enrollment.objects.get()
    waiting = Message.objects.create(
        store=store, contact=ada, flow=flow, enrollment_id=run.pk, step="x", message_class="marketing", sender="x",
        to="y", body="z",
    )  # fmt: skip
    resolve(tripped, "empty")
    run.refresh_from_db()
    waiting.refresh_from_db()
    assert (run.status, waiting.state, tripped.state) == ("exited", "cancelled", "emptied")
    still.move(hours=2)
    pump()
    assert not Message.objects.filter(state="queued").exists()


def test_who_resumes_the_flow_on_its_own_page_has_decided_too(tripped: BreakerTrip, flow: Flow) -> None:
    olga = User.objects.create_superuser("olga")
    ResumeFlow(flow, olga).execute()
    tripped.refresh_from_db()
    assert (tripped.state, tripped.decided_by) == ("resumed", olga)


def test_deciding_twice_is_deciding_once(tripped: BreakerTrip) -> None:
    resolve(tripped, "drain")
    resolve(tripped, "empty")
    assert tripped.state == "drained"
    assert Enrollment.objects.get().status == "waiting"
    assert StoreLogEntry.objects.filter(action="smsflow.resolve_breaker").count() == 1


def test_only_who_may_publish_in_this_store_decides(tripped: BreakerTrip, danish_store: Store) -> None:
    stranger = admin(danish_store, "dane@example.com")
    with pytest.raises(PermissionDenied):
        resolve(tripped, "resume", stranger)


# What is usual ---------------------------------------------------------------------------------------


def test_days_are_kept_once_they_have_been_over_for_a_day(store: Store, ada: Contact, flow: Flow, sends: Sends) -> None:
    for days in (1, 2, 3, 40):
        sends(flow, 10 * days, failed=days, at=NOON - timedelta(days=days))
    leaves(ada, NOON - timedelta(days=3) + timedelta(hours=1))
    watch()
    kept = FlowDay.objects.order_by("day").values_list("day", "texts", "failed", "opt_outs")
    today = NOON.astimezone(UTC).date()
    assert list(kept) == [(today - timedelta(days=3), 30, 3, 1), (today - timedelta(days=2), 20, 2, 0)]
    with CaptureQueriesContext(connection) as queries:
        keep_days(NOON)
    assert len(queries) == 1, "a day is read once"
    assert keep_days(NOON + timedelta(days=1)) == 1
    assert Heartbeat.objects.get(name=KEPT).at.date() == today
    assert baselines_of([flow.pk], NOON)[flow.pk].days == 3
