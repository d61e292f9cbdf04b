"""Texts find their way: to a question, a keyword, an answer that goes by itself, or people."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Choice, HandOver, Listen, Reentry, Send, Trigger, Wait
from smsflow_plugin.models import (
    Autoresponder,
    Contact,
    Delivery,
    Enrollment,
    Event,
    Flow,
    Keyword,
    Message,
    Store,
    Thread,
    ThreadNote,
)
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact

ANY_TEXT = (Trigger("message_received", options={"any": True}),)
ALWAYS = Reentry("always")


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone="+12025550101")


def write(store: Store, body: str, **values: Any) -> dict[str, Any]:
    """Let Ada write, and return who took it."""
    texted(store, body, **values)
    pump()
    assert not Delivery.objects.filter(state="parked").exists(), Delivery.objects.filter(state="parked").first().reason
    return dict(Event.objects.filter(kind="message_received").latest("pk").data["route"])


def keyword(store: Store, *words: str, **values: Any) -> Keyword:
    return Keyword.objects.create(store=store, words=list(words), **values)


def answers() -> list[str]:
    return list(Message.objects.filter(key__startswith="answer:").order_by("pk").values_list("body", flat=True))


def test_a_text_that_nothing_takes_opens_a_conversation(store: Store, ada: Contact, still: TestClock) -> None:
    assert write(store, "Where is my parcel?") == {"by": "inbox", "why": "nothing"}
    thread = Thread.objects.get()
    assert (thread.contact, thread.state, thread.needs, thread.unread) == (ada, "open", "answer", 1)
    assert (thread.last_words, thread.heard_at, thread.last_from_person) == ("Where is my parcel?", NOON, True)
    still.move(minutes=1)
    write(store, "Hello?")
    thread.refresh_from_db()
    assert (thread.unread, thread.last_words) == (2, "Hello?")


@pytest.mark.parametrize(
    ("body", "by"), [("STOP", "keyword_stop"), ("HELP", "keyword_help"), ("START", "keyword_start")]
)
def test_words_of_the_law_open_no_conversation(store: Store, ada: Contact, body: str, by: str) -> None:
    keyword(store, "stop", "help", "start", reply={"en": "No."}, tell_staff=True)
    assert write(store, body)["by"] == f"keyword_{body.lower()}"
    assert not Thread.objects.exists()
    assert answers() == []


def test_a_line_of_the_table_answers_tags_and_starts_its_flow_before_any_flow_for_any_text(
    store: Store, ada: Contact
) -> None:
    make_flow(store, Send("s1", {"": "Any"}), name="Any", triggers=ANY_TEXT, message_class="service")
    own = make_flow(store, Send("s1", {"": "A tour"}), name="Own", trigger="custom")
    tagged = make_flow(store, Wait("w", 1, "days"), name="Tagged", trigger="tag_added")
    line = keyword(store, "Tour", reply={"en": "Hi {{ contact.first_name }}!"}, tag="tour", flow=own)
    assert write(store, "tour!") == {"by": "keyword", "word": "tour", "keyword": line.pk, "flows": [own.pk]}
    assert answers() == ["Sierra Gear: Hi Ada!"]
    message = Message.objects.get(key__startswith="answer:")
    assert (message.purpose, message.message_class, message.to) == ("answer", "service", "+12025550101")
    ada.refresh_from_db()
    assert ada.tags == ["tour"]
    assert set(Enrollment.objects.values_list("flow", flat=True)) == {own.pk, tagged.pk}
    assert not Thread.objects.exists()


def test_a_line_may_tell_staff_as_well_and_speaks_the_persons_language(store: Store, ada: Contact) -> None:
    Contact.objects.update(language="da")
    keyword(store, "size", match="anywhere", reply={"en": "A chart", "da": "En tabel"}, tell_staff=True)
    write(store, "Which size?")
    assert answers() == ["Sierra Gear: En tabel"]
    assert Thread.objects.get().needs == "answer"


def test_an_answer_that_cannot_be_written_is_for_people(store: Store, ada: Contact) -> None:
    keyword(store, "size", reply={"en": "{{ order.name }}"})
    assert write(store, "size")["why"] == "copy"
    assert (answers(), Thread.objects.count()) == ([], 1)


def test_words_of_another_store_and_those_that_are_off_say_nothing(
    store: Store, danish_store: Store, ada: Contact
) -> None:
    keyword(danish_store, "hours", reply={"en": "Theirs"})
    keyword(store, "hours", reply={"en": "Off"}, active=False)
    Autoresponder.objects.create(store=danish_store, active=True, reply={"en": "Theirs"})
    assert write(store, "hours")["by"] == "inbox"
    foreign = make_flow(danish_store, Send("s1", {"": "x"}), trigger="custom")
    keyword(store, "tour", flow=foreign)
    assert write(store, "tour")["by"] == "keyword"
    assert not Enrollment.objects.exists()


def test_who_has_opted_out_gets_no_answer_but_is_seen(store: Store, ada: Contact) -> None:
    Contact.objects.update(marketing_consent="revoked", service_consent="revoked")
    keyword(store, "hours", reply={"en": "Nine"})
    taken = write(store, "hours")
    assert (taken["by"], taken["why"]) == ("keyword", "opted_out")
    assert answers() == []
    assert Thread.objects.get().state == "open"


def test_the_question_goes_before_the_table_and_what_comes_too_late_goes_on_down_the_list(
    store: Store, ada: Contact, still: TestClock
) -> None:
    ask = Send("q", {"": "A or B?"}), Listen("q", (Choice(2),), 1, "hours")
    flow = make_flow(store, *ask, trigger="custom", message_class="service")
    keyword(store, "A", reply={"en": "The table"})
    happened(store, "custom")
    pump()
    still.move(minutes=61)
    assert write(store, "A")["by"] == "keyword"
    assert Event.objects.get(kind="message_received").heard_by is None
    Enrollment.objects.all().delete()
    still.move(minutes=1)
    happened(store, "custom", key="again")
    pump()
    still.move(minutes=5)
    run = Enrollment.objects.get()
    assert write(store, "A") == {"by": "question", "enrollment": run.pk, "flows": [flow.pk]}
    assert Event.objects.filter(kind="message_received").latest("pk").heard_by == run.pk
    assert not Thread.objects.exists()


def test_the_autoresponder_answers_once_a_day_and_people_see_every_text(
    store: Store, ada: Contact, still: TestClock
) -> None:
    Autoresponder.objects.create(store=store, active=True, reply={"en": "We write tomorrow."})
    assert write(store, "Hello")["by"] == "autoresponder"
    still.move(hours=1)
    assert write(store, "Anybody?") == {"by": "inbox", "why": "answered"}
    still.move(hours=24)
    assert write(store, "Still there?")["by"] == "autoresponder"
    assert answers() == ["Sierra Gear: We write tomorrow."] * 2
    assert Thread.objects.get().unread == 3


def test_two_texts_in_one_batch_get_one_answer(store: Store, ada: Contact) -> None:
    Autoresponder.objects.create(store=store, active=True, reply={"en": "Later."})
    for body in ("Hello", "Are you there?"):
        texted(store, body)
    pump()
    assert len(answers()) == 1


def test_in_office_hours_by_the_stores_clock_the_autoresponder_is_silent(store: Store, ada: Contact) -> None:
    hours = {"wed": ["09:00", "17:00"]}
    responder = Autoresponder.objects.create(store=store, active=True, reply={"en": "Closed."}, office_hours=hours)
    assert write(store, "Hello")["why"] == "office_hours"
    Autoresponder.objects.filter(pk=responder.pk).update(office_hours={"wed": ["12:00", "17:00"]})
    assert write(store, "Hello again")["by"] == "autoresponder"


def test_a_flow_for_any_text_that_lets_nobody_in_has_not_taken_the_text(
    store: Store, ada: Contact, still: TestClock
) -> None:
    make_flow(store, Send("s1", {"": "Hi"}), triggers=ANY_TEXT, message_class="service")
    assert write(store, "Hello")["by"] == "any_text"
    assert not Thread.objects.exists()
    still.move(hours=25)
    assert write(store, "Hello?")["by"] == "inbox"
    assert Thread.objects.get().unread == 1


def test_two_robots_do_not_text_each_other(store: Store, still: TestClock) -> None:
    Autoresponder.objects.create(store=store, active=True, reply={"en": "Out."})
    keyword(store, "order", match="anywhere", reply={"en": "About your order"})
    make_contact(store, phone=store.sender)
    assert write(store, "An order", phone=store.sender)["why"] == "machine"
    make_contact(store, phone="+12025550101")
    for _time in range(30):
        write(store, "Thank you for your order. We are away.")
        still.move(minutes=1)
    # once, and again when the first is no more than ten minutes old; never without end
    assert len(answers()) <= 2


def test_a_text_is_told_once_however_often_it_is_delivered(store: Store, ada: Contact) -> None:
    from smsflow_plugin.events.facts import Inbound
    from tests.engine.helpers import deliver

    for _time in range(2):
        deliver(store, Inbound("mo-1x", "+12025550101", store.sender, "Hello", NOON))
    pump()
    assert (Thread.objects.get().unread, Event.objects.count()) == (1, 1)


def test_an_unclear_reply_has_its_own_queue(store: Store, ada: Contact) -> None:
    assert write(store, "please no more of this")["by"] in ("unclear", "keyword_stop")
    assert not Thread.objects.exists()


# Handing over ------------------------------------------------------------------------------------


def test_a_flow_that_hands_over_opens_the_conversation_with_the_last_words(
    store: Store, ada: Contact, still: TestClock
) -> None:
    make_flow(store, HandOver("h", "Wants a call"), Send("s1", {"": "Later"}), triggers=ANY_TEXT)
    write(store, "Call me")
    thread = Thread.objects.get()
    assert (thread.needs, thread.last_words, thread.unread) == ("person", "Call me", 1)
    note = ThreadNote.objects.get()
    assert (note.kind, note.body, note.author) == ("taken_over", "Wants a call", None)
    still.move(minutes=5)
    keyword(store, "hours", reply={"en": "Nine"})
    assert write(store, "hours")["by"] == "staff"
    assert answers() == []
    assert Thread.objects.get().unread == 2


def test_what_the_person_says_to_staff_is_no_answer_to_a_question_of_a_flow(
    store: Store, ada: Contact, still: TestClock
) -> None:
    from smsflow_plugin.engine.actions import HandOverContact, ResumeAutomation

    make_flow(
        store, Send("q", {"": "A?"}), Listen("q", (Choice(2),), 1, "days"), Send("s", {"": "x"}), trigger="custom"
    )
    happened(store, "custom")
    pump()
    still.move(minutes=1)
    HandOverContact(ada).execute()
    assert write(store, "A")["by"] == "staff"
    still.move(minutes=1)
    ResumeAutomation(ada).execute()
    pump()
    run = Enrollment.objects.get()
    assert (run.status, run.state.get("answer")) == ("waiting", None)


def test_service_flows_go_on_and_start_while_staff_has_the_person(store: Store, ada: Contact, still: TestClock) -> None:
    from smsflow_plugin.engine.actions import HandOverContact, ResumeAutomation

    day = Wait("w", 1, "hours")
    for name, priority in (("Order", "service"), ("News", "lifecycle")):
        make_flow(
            store, day, Send("s1", {"": name}), name=name, trigger="order_created", reentry=ALWAYS,
            priority=priority, message_class="service",
        )  # fmt: skip
    happened(store, "order_created")
    pump()
    HandOverContact(ada).execute()
    happened(store, "order_created")
    still.move(hours=2)
    pump()
    still.move(hours=2)
    pump()
    assert list(Message.objects.values_list("flow__name", flat=True)) == ["Order", "Order"]
    ada.refresh_from_db()
    assert ada.wake_at is None
    ResumeAutomation(ada).execute()
    pump()
    assert Message.objects.filter(flow__name="News").count() == 1


def test_a_service_flow_that_hands_over_itself_waits_as_well(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, HandOver("h"), Send("s1", {"": "Later"}), trigger="custom", priority="service")
    happened(store, "custom")
    pump()
    still.move(days=1)
    pump()
    assert not Message.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_texts(store: Store) -> None:
    keyword(store, "hours", reply={"en": "Nine"}, tag="asked", tell_staff=True)
    Autoresponder.objects.create(store=store, active=True, reply={"en": "Out"})
    make_flow(store, Send("s1", {"": "Hi"}), triggers=(Trigger("message_received", options={"words": ["join"]}),))

    def statements(size: int, start: int) -> int:
        for n in range(start, start + size):
            phone = f"+1202555{n:04d}"
            for body in ("hours", "join", "hello", "STOP"):
                texted(store, body, phone=phone)
        with CaptureQueriesContext(connection) as queries:
            ingest(limit=1000)
        return len(queries)

    statements(2, 1000)
    assert statements(3, 2000) == statements(30, 3000)
    assert Event.objects.filter(kind="message_received", data__route__isnull=True).count() == 0


@pytest.mark.parametrize("off", ["unpublished", "full", "audience"])
def test_a_line_whose_flow_lets_nobody_in_has_answered_nobody(store: Store, ada: Contact, off: str) -> None:
    values: dict[str, Any] = {"audience": {"audience": {"tag": "vip"}}, "full": {"max_people": 1}}.get(off, {})
    flow = make_flow(store, Wait("w", 1, "days"), trigger="custom", **values)
    if off == "unpublished":
        Flow.objects.update(live=False)
    keyword(store, "tour", flow=flow)
    if off == "full":
        make_contact(store, phone="+12025550102")
        texted(store, "tour", phone="+12025550102")
        pump()
        assert not Thread.objects.exists()
    assert write(store, "tour")["by"] == "keyword"
    assert Thread.objects.get().contact == ada


@pytest.mark.parametrize(("body", "opens"), [("STOP", 0), ("HELP", 1)])
def test_words_of_the_law_that_are_heard_of_hours_later_count_and_are_not_answered(
    store: Store, ada: Contact, still: TestClock, body: str, opens: int
) -> None:
    at = still.at
    still.move(hours=15)
    texted(store, body, at=at)
    pump()
    assert not Message.objects.exists()
    assert Thread.objects.count() == opens
    ada.refresh_from_db()
    assert (ada.service_consent == "revoked") == (body == "STOP")
