"""Which flows an event starts, and which runs it starts afresh."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import (
    Choice,
    Listen,
    Program,
    Reentry,
    Send,
    SetField,
    Throttle,
    Trigger,
    Wait,
    WaitUntilDate,
)
from smsflow_plugin.models import Contact, Decision, Enrollment, Event, Flow, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, leave, make_flow, pump, texted
from tests.factories import make_contact

ADA = "+12025550101"
WORDS, ANY_TEXT = {"words": ["join", "vip club"]}, {"any": True}
ALWAYS = Reentry("always")


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone=ADA)


def send(text: str = "Hello", step: str = "s1", **values: Any) -> Send:
    return Send(step, {"": text}, **values)


def on_text(options: dict[str, Any]) -> tuple[Trigger, ...]:
    return (Trigger("message_received", options=options),)


def entered() -> list[str]:
    return list(Enrollment.objects.order_by("pk").values_list("flow__name", flat=True))


def refusals() -> list[str]:
    return list(Decision.objects.filter(enrollment=None).order_by("pk").values_list("reason", flat=True))


def appointment(store: Store, kind: str, starts_at: str, subject: str = "a1", **values: Any) -> None:
    happened(store, kind, subject=subject, data={"appointment": {"starts_at": starts_at}}, **values)
    pump()


# Several triggers ------------------------------------------------------------------------------------


def test_any_of_its_triggers_starts_a_flow_if_what_it_asks_of_the_event_holds(store: Store, ada: Contact) -> None:
    dear = {"field": "trigger.order.total", "op": "gt", "value": 100}
    make_flow(store, send(), triggers=(Trigger("order_created", dear), Trigger("customer_created")), reentry=ALWAYS)
    happened(store, "order_created", data={"order": {"total": "99.00"}})
    happened(store, "order_created", data={"order": {"total": "101.00"}})
    happened(store, "customer_created")
    pump()
    assert [run.trigger_event.kind for run in Enrollment.objects.order_by("pk")] == [
        "order_created",
        "customer_created",
    ]
    assert not refusals()


def test_a_condition_that_makes_no_sense_stops_its_own_flow_only(store: Store, ada: Contact) -> None:
    make_flow(store, send(), name="Odd", triggers=(Trigger("order_paid", {"field": "x", "op": "like", "value": 1}),))
    make_flow(store, send(), name="Odd audience", trigger="order_paid", audience={"field": "x", "op": "?", "value": 1})
    make_flow(store, send(), name="Good", trigger="order_paid")
    happened(store, "order_paid")
    pump()
    assert entered() == ["Good"]


def test_events_made_for_one_flow_start_no_other(store: Store, ada: Contact) -> None:
    first = make_flow(store, send(), name="First", trigger="date_due")
    make_flow(store, send(), name="Second", trigger="date_due")
    for flow in (first.pk, None):
        happened(store, "date_due", data={"flow": flow})
    pump()
    assert entered() == ["First"]


def test_people_are_let_in_by_hand_whatever_starts_the_flow_and_without_its_filters_if_wanted(
    store: Store, ada: Contact
) -> None:
    flow = make_flow(store, send(), trigger="order_paid", audience={"tag": "vip"})
    happened(store, "entered_by_hand", data={"flow": flow.pk})
    pump()
    assert (entered(), refusals()) == ([], ["audience"])
    happened(store, "entered_by_hand", data={"flow": flow.pk, "apply_audience": False})
    pump()
    assert entered() == ["Flow"]
    happened(store, "entered_by_hand", data={"flow": flow.pk, "apply_audience": False})
    happened(store, "entered_by_hand", data={"flow": flow.pk, "apply_audience": False, "again": True})
    pump()
    assert entered() == ["Flow", "Flow"]


def test_nobody_is_let_into_a_flow_of_another_store(store: Store, danish_store: Store, ada: Contact) -> None:
    flow = make_flow(danish_store, send())
    happened(store, "entered_by_hand", data={"flow": flow.pk})
    pump()
    assert entered() == []


def test_the_audience_may_ask_for_the_other_flows_that_somebody_is_in(store: Store, ada: Contact) -> None:
    first = make_flow(store, Wait("w", 1, "days"), name="First")
    make_flow(store, send(), name="Second", trigger="order_paid", audience={"not": {"in_flow": first.pk}})
    happened(store, "opted_in")
    pump()
    happened(store, "order_paid")
    pump()
    assert (entered(), refusals()) == (["First"], ["audience"])


# Texts -----------------------------------------------------------------------------------------------


def test_a_text_goes_to_the_question_then_to_keywords_then_to_any_text(
    store: Store, ada: Contact, still: TestClock
) -> None:
    make_flow(store, send(), name="Any", triggers=on_text(ANY_TEXT), reentry=ALWAYS, message_class="service")
    make_flow(store, send(), name="Join", triggers=on_text(WORDS), reentry=ALWAYS, message_class="service")
    make_flow(store, send("?", "q"), Listen("q", (Choice(2),), 1, "days"), name="Ask", trigger="custom")
    texted(store, "Hi there")
    pump()
    assert entered() == ["Any"]
    still.move(hours=25)  # a flow for any text answers once a day
    for body in ("JOIN!", "V.I.P. club", "vip CLUB"):
        texted(store, body)
        pump()
    assert entered() == ["Any", "Join", "Any", "Join"]
    still.move(minutes=1)
    happened(store, "custom")
    pump()
    texted(store, "vip club")
    pump()
    assert entered() == ["Any", "Join", "Any", "Join", "Ask"]
    assert Enrollment.objects.get(flow__name="Ask").status == "finished"
    texted(store, "vip club")
    pump()
    assert entered()[-1] == "Join"


def test_a_text_that_comes_too_late_for_the_question_is_a_keyword(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, send("?", "q"), Listen("q", (Choice(2),), 1, "hours"), name="Ask", trigger="custom")
    make_flow(store, send(), name="Join", triggers=on_text(WORDS))
    happened(store, "custom")
    pump()
    still.move(minutes=61)
    texted(store, "vip club")
    ingest()
    assert entered() == ["Ask", "Join"]
    pump()
    assert Event.objects.get(kind="message_received").heard_by is None


@pytest.mark.parametrize("body", ["STOP", "help", "START"])
def test_words_of_the_law_start_no_flow(store: Store, ada: Contact, body: str) -> None:
    make_flow(store, send(), triggers=on_text(ANY_TEXT))
    make_flow(store, send(), triggers=on_text({"words": ["stop", "help", "start"]}))
    texted(store, body)
    pump()
    assert entered() == []


# Runs about the same thing ---------------------------------------------------------------------------


def reminder(store: Store, **values: Any) -> Flow:
    date = WaitUntilDate("d", "trigger.appointment.starts_at", -1, "days")
    return make_flow(store, send("Booked", "b"), date, send("Tomorrow", "r"), message_class="service", **values)


BOOKED, MOVED = Trigger("appointment_booked"), Trigger("appointment_moved")


def test_a_moved_appointment_begins_anew_whatever_was_sent(store: Store, ada: Contact, still: TestClock) -> None:
    reminder(store, triggers=(BOOKED, MOVED), reentry=Reentry("subject"))
    appointment(store, "appointment_booked", "2026-03-06T15:00:00+00:00")
    still.move(hours=1)
    appointment(store, "appointment_moved", "2026-03-09T15:00:00+00:00")
    run = Enrollment.objects.get()
    assert run.wake_at == NOON.replace(day=8, hour=15)
    still.at = NOON.replace(day=8, hour=16)
    pump()
    assert [(m.step, m.visit) for m in Message.objects.order_by("pk")] == [("b", 0), ("b", 1), ("r", 0)]
    run.refresh_from_db()
    assert run.status == "finished"
    appointment(store, "appointment_moved", "2026-03-20T15:00:00+00:00")
    run.refresh_from_db()
    assert (run.status, run.finished_at, run.wake_at) == ("waiting", None, NOON.replace(day=19, hour=15))
    assert Message.objects.filter(step="b").count() == 3


def test_a_flow_that_is_not_started_by_the_move_follows_the_date(store: Store, ada: Contact, still: TestClock) -> None:
    reminder(store, triggers=(BOOKED,), reentry=Reentry("subject"))
    appointment(store, "appointment_booked", "2026-03-06T15:00:00+00:00")
    still.move(hours=1)
    appointment(store, "appointment_moved", "2026-03-09T15:00:00+00:00", subject="another")
    assert Enrollment.objects.get().wake_at == NOON.replace(day=5, hour=15)
    appointment(store, "appointment_moved", "2026-03-09T15:00:00+00:00")
    run = Enrollment.objects.get()
    assert run.wake_at == NOON.replace(day=8, hour=15)
    assert run.trigger_event.kind == "appointment_moved"
    assert Message.objects.count() == 1


def test_a_run_follows_the_date_in_a_field_that_changes(store: Store, ada: Contact) -> None:
    Contact.objects.update(fields={"wedding": "2026-03-20"})
    make_flow(store, WaitUntilDate("d", "fields.wedding", -1, "days"), send())
    make_flow(store, SetField("f", "wedding", "2026-03-10"), name="Changes", trigger="custom")
    happened(store, "opted_in")
    pump()
    assert Enrollment.objects.get().wake_at == NOON.replace(day=19, hour=13)
    happened(store, "custom")
    pump()
    assert Enrollment.objects.get(flow__name="Flow").wake_at == NOON.replace(day=9, hour=13)


def test_an_old_move_that_arrives_late_moves_nothing(store: Store, ada: Contact, still: TestClock) -> None:
    reminder(store, triggers=(BOOKED, MOVED), reentry=Reentry("subject"))
    appointment(store, "appointment_booked", "2026-03-06T15:00:00+00:00")
    still.move(hours=1)
    appointment(store, "appointment_moved", "2026-03-09T15:00:00+00:00", at=NOON - timedelta(hours=1))
    assert Enrollment.objects.get().wake_at == NOON.replace(day=5, hour=15)


def test_a_run_that_has_sent_something_knows_the_cart_as_it_is_now(
    store: Store, ada: Contact, still: TestClock
) -> None:
    Policy.objects.update(cart_countries=[])  # in the US the second text would be one too many
    make_flow(
        store, send("{{ cart.total }}", "a"), Wait("w", 2, "hours"), send("{{ cart.total }}", "b"),
        trigger="checkout_updated", reentry=Reentry("subject"), restart=True, exits=("order_created",),
    )  # fmt: skip
    happened(store, "checkout_updated", subject="t", data={"cart": {"total": "1.00"}}, at=NOON - timedelta(hours=3))
    pump()
    leave()
    still.move(minutes=30)
    happened(store, "checkout_updated", subject="t", data={"cart": {"total": "2.00"}})
    pump()
    assert Enrollment.objects.get().wake_at == NOON + timedelta(hours=2)
    still.move(minutes=90)
    pump()
    assert ["1.00" in m.body for m in Message.objects.order_by("pk")] == [True, False]
    assert "2.00" in Message.objects.get(step="b").body


def test_an_order_of_before_the_newest_cart_still_ends_the_run(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(
        store, send(step="a"), Wait("w", 2, "hours"), send(step="b"),
        trigger="checkout_updated", reentry=Reentry("subject"), exits=("order_created",),
    )  # fmt: skip
    happened(store, "checkout_updated", subject="t", at=NOON - timedelta(hours=3))
    pump()
    still.move(minutes=30)
    happened(store, "checkout_updated", subject="t")
    pump()
    happened(store, "order_created", at=NOON - timedelta(hours=2))
    pump()
    assert Enrollment.objects.get().exit_reason == "event:order_created"


def test_only_what_is_about_the_same_order_ends_a_run_whose_exit_is_its_own(
    store: Store, ada: Contact, still: TestClock
) -> None:
    make_flow(
        store, Wait("w", 2, "hours"), trigger="order_created", reentry=Reentry("subject"),
        exits=("order_cancelled",), own_exits=("order_cancelled",),
    )  # fmt: skip
    for subject in ("1", "2"):
        happened(store, "order_created", subject=subject)
    pump()
    still.move(minutes=1)
    happened(store, "order_cancelled", subject="2")
    pump()
    assert dict(Enrollment.objects.values_list("entry_key", "status")) == {"1": "waiting", "2": "exited"}


# Doors -----------------------------------------------------------------------------------------------


def crowd(store: Store, size: int, start: int = 100, kind: str = "opted_in") -> None:
    for n in range(start, start + size):
        make_contact(store, phone=f"+1202555{n:04d}")
        happened(store, kind, phone=f"+1202555{n:04d}")


def turns() -> list[float]:
    return sorted((at - NOON).total_seconds() / 60 for at in Enrollment.objects.values_list("entered_at", flat=True))


def test_people_beyond_the_throttle_wait_their_turn_one_by_one(store: Store, still: TestClock) -> None:
    make_flow(store, send(), throttle=Throttle(3, "hour"))
    crowd(store, 7)
    pump()
    assert turns() == [0, 0, 0, 60, 80, 100, 120]
    assert Message.objects.count() == 3
    still.move(minutes=30)
    crowd(store, 1, start=200)
    pump()
    assert turns()[-1] == 140
    assert Message.objects.count() == 3
    still.move(minutes=70)
    pump()
    assert Message.objects.count() == 6


@pytest.mark.parametrize("steps", [[3, 4, 2], [1] * 9, [9], [0, 5, 0, 4]])
def test_no_window_takes_more_than_the_throttle_lets_in(store: Store, still: TestClock, steps: list[int]) -> None:
    make_flow(store, send(), throttle=Throttle(2, "hour"))
    for n, size in enumerate(steps):
        crowd(store, size, start=100 + 10 * n)
        pump()
        still.move(minutes=25)
    times = turns()
    assert len(times) == 9
    assert all(later - earlier >= 60 - 1e-6 for earlier, later in zip(times, times[2:], strict=False))


def test_an_event_wakes_nobody_before_their_turn(store: Store, still: TestClock) -> None:
    make_flow(store, send(), throttle=Throttle(1, "hour"), exits=("order_created",))
    crowd(store, 2)
    pump()
    still.move(minutes=5)
    last = Enrollment.objects.latest("entered_at").contact
    happened(store, "order_created", phone=str(last.phone))
    pump()
    assert Message.objects.count() == 1
    still.move(hours=1)
    pump()
    assert Enrollment.objects.get(contact=last).exit_reason == "event:order_created"
    assert Message.objects.count() == 1


def test_nobody_enters_after_as_many_people_as_the_flow_takes(store: Store) -> None:
    make_flow(store, send(), max_people=2, reentry=ALWAYS)
    crowd(store, 3)
    pump()
    crowd(store, 1, start=200)
    pump()
    assert (len(entered()), refusals()) == (2, ["flow_full", "flow_full"])
    happened(store, "opted_in", phone="+12025550100")  # was in before, and takes no second place
    pump()
    assert len(entered()) == 3


def test_a_test_run_takes_nobodys_place_and_may_be_made_again(store: Store, ada: Contact) -> None:
    flow = make_flow(store, send(), max_people=1, throttle=Throttle(1, "day"))
    for _time in range(3):
        happened(store, "entered_by_hand", data={"flow": flow.pk, "test_pace": 60})
    pump()
    assert list(Enrollment.objects.values_list("test_pace", flat=True)) == [60, 60, 60]
    happened(store, "opted_in")
    pump()
    assert Enrollment.objects.get(test_pace=None).entered_at == NOON


def test_a_program_that_was_stored_before_still_runs(store: Store, ada: Contact) -> None:
    flow = make_flow(store, send())
    old = flow.current_version.program
    old = {key: value for key, value in old.items() if key not in ("triggers", "own_exits", "throttle")}
    old.update(format=1, trigger="opted_in")
    assert Program.from_json(old).triggers == (Trigger("opted_in"),)
    flow.versions.update(program=old)
    happened(store, "opted_in")
    pump()
    assert Message.objects.count() == 1


def test_the_number_of_statements_does_not_grow_with_the_batch_at_narrow_doors(store: Store) -> None:
    make_flow(
        store, send(), name="A", triggers=(Trigger("order_created"), *on_text(WORDS)), throttle=Throttle(5, "minute"),
        max_people=60, reentry=ALWAYS, audience={"event": "order_created", "ever": True, "at_least": 1},
    )  # fmt: skip
    make_flow(store, send(), name="B", triggers=on_text(ANY_TEXT), max_people=3)

    def statements(size: int, start: int) -> int:
        for n in range(start, start + size):
            happened(store, "order_created", phone=f"+1202555{n:04d}", customer=str(n))
            texted(store, "vip club", phone=f"+1202555{n:04d}")
            texted(store, "hello", phone=f"+1202555{n:04d}")
        with CaptureQueriesContext(connection) as queries:
            ingest()
        return len(queries)

    statements(2, 100)
    assert statements(3, 200) == statements(40, 300)
    assert Event.objects.count() == 3 * 45


def test_events_of_different_kinds_that_share_a_number_each_start_a_flow_that_may_always_be_entered(
    store: Store, ada: Contact, still: TestClock
) -> None:
    triggers = (Trigger("parcel_sent"), Trigger("parcel_delivered"))
    make_flow(store, send("{{ parcel.status }}"), triggers=triggers, reentry=ALWAYS, message_class="service")
    for kind, status in (("parcel_sent", "success"), ("parcel_delivered", "delivered"), ("parcel_delivered", "again")):
        still.move(hours=5)
        happened(store, kind, key="4870", subject="5610", data={"parcel": {"status": status}})
        pump()
    texts = Message.objects.order_by("pk").values_list("body", flat=True)
    assert [text.removeprefix("Sierra Gear: ") for text in texts] == ["success", "delivered"]
