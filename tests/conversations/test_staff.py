"""What staff does in a conversation, and what it may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.audience.suppression import suppress
from smsflow_plugin.conversations import threads
from smsflow_plugin.conversations.standing import Standing
from smsflow_plugin.engine.erasing import erase
from smsflow_plugin.engine.handing_back import hand_back
from smsflow_plugin.engine.thread_actions import (
    AddNote,
    AnsweredMeanwhile,
    AssignThread,
    CloseThread,
    HandBack,
    MarkRead,
    RecordThreadOptOut,
    ReopenThread,
    ReplyInThread,
    SnoozeThread,
    StartConversation,
    TakeOver,
)
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.measurement.export import everything_about
from smsflow_plugin.measurement.timeline import timeline
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Contact, Message, PanicStop, Store, StoreLogEntry, Thread, ThreadNote
from tests.admin.people import make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact

#: 22:00 in New York.
NIGHT = NOON.replace(day=5, hour=3)


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone="+12025550101")


@pytest.fixture
def thread(store: Store, ada: Contact) -> Thread:
    texted(store, "Where is it?")
    pump()
    return Thread.objects.get()


@pytest.fixture
def sam(store: Store) -> Any:
    return make_user("sam", "Support", store)


def reply(thread: Thread, user: Any = None, body: str = "On its way", key: str = "k1") -> Message:
    message: Message = ReplyInThread(thread, user, body=body, key=key).execute()
    return message


def kinds(thread: Thread) -> list[str]:
    return list(thread.notes.order_by("pk").values_list("kind", flat=True))


# Texts -------------------------------------------------------------------------------------------


def test_of_two_who_answer_at_the_same_moment_the_second_is_asked(store: Store, thread: Thread, sam: Any) -> None:
    kim = make_user("kim", "Support", store)
    first = ReplyInThread(thread, sam, body="On its way", key="k1", seen=0).execute()
    # both pages were drawn before either had answered
    with pytest.raises(AnsweredMeanwhile) as asked:
        ReplyInThread(thread, kim, body="It is lost", key="k2", seen=0).execute()
    assert (asked.value.answer, Message.objects.count()) == (first, 1)
    ReplyInThread(thread, sam, body="By noon", key="k3", seen=0).execute()  # one's own answers one knows
    ReplyInThread(thread, kim, body="It is lost", key="k2").execute()  # "send mine anyway"
    assert Message.objects.count() == 3


def test_a_reply_is_one_text_and_takes_the_person_over(thread: Thread, sam: Any, ada: Contact) -> None:
    message = reply(thread, sam)
    assert (message.purpose, message.message_class, message.author, message.body) == (
        "staff",
        "service",
        sam,
        "On its way",
    )
    assert reply(thread, sam).pk == message.pk
    assert Message.objects.count() == 1
    thread.refresh_from_db()
    assert (thread.unread, thread.last_words, thread.last_from_person) == (0, "On its way", False)
    assert thread.hand_back_at == NOON + timedelta(hours=24)
    ada.refresh_from_db()
    assert ada.handed_over_at == NOON
    assert kinds(thread) == ["taken_over"]
    assert StoreLogEntry.objects.filter(action="smsflow.reply", user=sam).count() == 1


def test_who_wrote_today_is_answered_at_night_and_whoever_did_not_in_the_morning(
    store: Store, thread: Thread, still: TestClock, gateway: Any
) -> None:
    still.at = NIGHT
    now = reply(thread)
    assert (now.not_before, now.reason) == (NIGHT, "")
    dispatch()
    now.refresh_from_db()
    assert now.state == "accepted"
    still.at = NIGHT + timedelta(days=2)
    thread.refresh_from_db()
    later = reply(thread, key="k2")
    assert (later.not_before > still.at, later.reason) == (True, "quiet_hours")
    # whatever became of not_before, the last gate says the same
    Message.objects.filter(pk=later.pk).update(not_before=still.at)
    dispatch()
    later.refresh_from_db()
    assert later.state == "queued"
    still.at = later.not_before
    dispatch()
    later.refresh_from_db()
    assert later.state == "accepted"


@pytest.mark.parametrize("case", ["opted_out", "suppressed", "panic", "inactive", "empty", "long"])
def test_a_refused_reply_says_why_and_changes_nothing(store: Store, thread: Thread, ada: Contact, case: str) -> None:
    body = {"empty": " ", "long": "x" * 1001}.get(case, "Hello")
    if case == "opted_out":
        Contact.objects.update(service_consent="revoked", marketing_consent="revoked")
    elif case == "suppressed":
        suppress([(store.pk, "+12025550101")], "by_hand", now=NOON)
    elif case == "panic":
        PanicStop.objects.create(store=store)
    elif case == "inactive":
        Store.objects.filter(pk=store.pk).update(status=Store.Status.UNINSTALLED)
    with pytest.raises(ValidationError) as refused:
        reply(thread, body=body)
    assert str(refused.value.messages[0]).endswith((".", "!"))
    assert not Message.objects.exists()
    thread.refresh_from_db()
    assert (thread.unread, thread.hand_back_at) == (1, None)


def test_an_opt_out_stops_what_staff_has_written(thread: Thread, still: TestClock, gateway: Any, store: Store) -> None:
    message = reply(thread)
    texted(store, "STOP")
    pump()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("cancelled", "opted_out")


def test_a_conversation_is_started_only_with_who_agreed_or_wrote(store: Store, sam: Any, still: TestClock) -> None:
    agreed = make_contact(store)
    message = StartConversation(agreed, sam, body="About your order", key="k").execute()
    assert message.author == sam
    assert (agreed.thread.needs, agreed.thread.state, agreed.thread.unread) == ("started", "open", 0)
    stranger = make_contact(store, marketing_consent="unknown", phone="+12025550177")
    with pytest.raises(ValidationError, match="has not agreed"):
        StartConversation(stranger, sam, body="Hello", key="k").execute()
    assert not Thread.objects.filter(contact=stranger).exists()
    texted(store, "Hi", phone="+12025550177")
    pump()
    still.move(days=2)
    StartConversation(stranger, sam, body="Hello", key="k").execute()
    still.move(days=40)
    with pytest.raises(ValidationError, match="has not agreed"):
        StartConversation(stranger, sam, body="Hello", key="k2").execute()
    refused = make_contact(store, marketing_consent="revoked")
    with pytest.raises(ValidationError, match="opted out"):
        StartConversation(refused, sam, body="Hello", key="k").execute()


def test_a_conversation_that_is_started_at_night_waits_for_the_morning(store: Store, still: TestClock) -> None:
    still.at = NIGHT
    message = StartConversation(make_contact(store), body="Hello", key="k").execute()
    assert message.not_before > NIGHT + timedelta(hours=5)


@pytest.mark.parametrize("role", ["Agency", "Copywriter", None])
def test_only_who_may_answer_in_the_store_does_anything(
    store: Store, danish_store: Store, thread: Thread, role: str | None
) -> None:
    user = make_user("other", role, store) if role else make_user("other", "Support", danish_store)
    actions = [
        ReplyInThread(thread, user, body="x", key="k"),
        StartConversation(thread.contact, user, body="x", key="k"),
        AddNote(thread, user, body="x"),
        AssignThread(thread, user, to=None),
        SnoozeThread(thread, user, until=NOON + timedelta(hours=1)),
        CloseThread(thread, user),
        ReopenThread(thread, user),
        TakeOver(thread, user),
        HandBack(thread, user),
        MarkRead(thread, user),
        RecordThreadOptOut(thread, user),
    ]
    for action in actions:
        with pytest.raises(PermissionDenied):
            action.execute()
    assert not ThreadNote.objects.exists()


# The thread --------------------------------------------------------------------------------------


def test_a_conversation_goes_its_way_and_every_step_is_noted_once(
    store: Store, thread: Thread, sam: Any, still: TestClock
) -> None:
    for _twice in range(2):
        AssignThread(thread, sam, to=sam).execute()
    AddNote(thread, sam, body="Asked the carrier").execute()
    for _twice in range(2):
        SnoozeThread(thread, sam, until=NOON + timedelta(hours=3)).execute()
    assert (thread.state, thread.unread) == ("snoozed", 0)
    still.move(hours=3)
    assert hand_back() == 1
    thread.refresh_from_db()
    assert (thread.state, thread.unread, thread.snoozed_until) == ("open", 1, None)
    for _twice in range(2):
        CloseThread(thread, sam).execute()
    texted(store, "And now?")
    pump()
    thread.refresh_from_db()
    assert (thread.state, thread.unread, thread.closed_at, thread.assigned_to) == ("open", 1, None, sam)
    MarkRead(thread, sam).execute()
    CloseThread(thread, sam).execute()
    ReopenThread(thread, sam).execute()
    assert kinds(thread) == ["assigned", "note", "snoozed", "closed", "opened", "closed", "opened"]
    assert thread.notes.get(kind="note").author_name == "sam"


def test_nobody_is_assigned_who_may_not_answer_here(thread: Thread, danish_store: Store) -> None:
    with pytest.raises(ValidationError):
        AssignThread(thread, to=make_user("dane", "Support", danish_store)).execute()
    with pytest.raises(ValidationError):
        SnoozeThread(thread, until=NOON).execute()
    with pytest.raises(ValidationError):
        AddNote(thread, body="  ").execute()


def test_an_opt_out_is_recorded_once(thread: Thread, sam: Any, ada: Contact) -> None:
    for _twice in range(2):
        RecordThreadOptOut(thread, sam).execute()
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert ada.consent_records.filter(action="revoked").count() == 1
    assert ada.consent_records.get(action="revoked").wording == "Where is it?"
    assert kinds(thread) == ["opt_out"]


# Flows -------------------------------------------------------------------------------------------


def waiting_flow(store: Store) -> None:
    make_flow(store, Wait("w", 1, "hours"), Send("s1", {"": "News"}), trigger="custom", message_class="service")
    happened(store, "custom")
    pump()


@pytest.mark.parametrize("end", [CloseThread, HandBack])
def test_flows_pause_while_staff_talks_and_go_on_when_it_is_done(
    store: Store, thread: Thread, ada: Contact, still: TestClock, end: Any
) -> None:
    waiting_flow(store)
    reply(thread)
    still.move(hours=2)
    pump()
    assert not Message.objects.filter(purpose="flow").exists()
    end(thread).execute()
    pump()
    assert Message.objects.filter(purpose="flow").count() == 1
    thread.refresh_from_db()
    assert thread.hand_back_at is None
    assert "handed_back" in kinds(thread)


def test_after_a_day_without_a_word_flows_go_on(store: Store, thread: Thread, ada: Contact, still: TestClock) -> None:
    waiting_flow(store)
    reply(thread)
    still.move(hours=20)
    texted(store, "Thanks")
    pump()
    still.move(hours=23)
    assert hand_back() == 0
    still.move(hours=1)
    assert hand_back() == 1
    assert hand_back() == 0
    ada.refresh_from_db()
    assert (ada.handed_over_at, ada.handed_over_note) == (None, "")
    pump()
    assert Message.objects.filter(purpose="flow").count() == 1
    assert kinds(thread) == ["taken_over", "handed_back"]
    thread.refresh_from_db()
    assert (thread.state, thread.hand_back_at) == ("open", None)


def test_who_was_taken_over_by_hand_does_not_come_back_by_the_clock(thread: Thread, ada: Contact) -> None:
    from smsflow_plugin.engine.actions import HandOverContact

    HandOverContact(ada, note="Complained").execute()
    reply(thread)
    thread.refresh_from_db()
    assert thread.hand_back_at is None


def test_the_pump_makes_as_many_statements_for_one_as_for_many(store: Store, still: TestClock) -> None:
    def statements(size: int) -> int:
        for _n in range(size):
            contact = make_contact(store)
            one = Thread(store=store, contact=contact)
            threads.put(one, Standing(last_at=NOON, opened_at=NOON))
            TakeOver(one).execute()
        still.move(hours=24)
        with CaptureQueriesContext(connection) as queries:
            assert hand_back() == size
        return len(queries)

    assert statements(2) == statements(20)
    assert not Contact.objects.filter(handed_over_at__isnull=False).exists()


# What is kept ------------------------------------------------------------------------------------


def test_the_timeline_tells_who_took_a_text_and_who_wrote(thread: Thread, sam: Any, ada: Contact) -> None:
    reply(thread, sam)
    entries = {entry.title: entry for entry in timeline(ada)}
    assert "inbox" in entries["Text received"].detail
    assert entries["Text of sam"].text == "On its way"
    assert "Taken over from the flows" in entries


def test_the_person_can_have_all_of_it_and_have_it_erased(thread: Thread, sam: Any, ada: Contact) -> None:
    AddNote(thread, sam, body="Angry").execute()
    told = everything_about(ada)["thread"]
    assert told[0]["last_words"] == "Where is it?"
    assert [note["body"] for note in told[0]["notes"]] == ["Angry"]
    erase(ada)
    assert not Thread.objects.exists()
    assert not ThreadNote.objects.exists()


def test_an_old_conversation_is_no_leave_to_write_out_of_the_blue(
    store: Store, sam: Any, ada: Contact, still: TestClock
) -> None:
    Contact.objects.update(marketing_consent="unknown")
    texted(store, "Where is it?")
    pump()
    thread = Thread.objects.get()
    CloseThread(thread, sam).execute()
    still.move(days=29)
    reply(thread, sam)
    CloseThread(thread, sam).execute()
    still.move(days=2)
    for again in (None, ReopenThread, TakeOver):
        if again is not None:
            again(thread, sam).execute()
        with pytest.raises(ValidationError, match="has not agreed"):
            reply(thread, sam, key="k2")
    # whom a flow has handed over waits for staff, whenever they wrote
    Thread.objects.update(needs="person")
    reply(thread, sam, key="k2")
    assert Message.objects.count() == 2


def test_who_agreed_to_texts_is_answered_however_long_ago_they_wrote(
    thread: Thread, sam: Any, still: TestClock
) -> None:
    still.move(days=60)
    reply(thread, sam)
    assert Message.objects.count() == 1


def test_a_conversation_is_not_closed_over_words_that_nobody_has_seen(
    store: Store, thread: Thread, sam: Any, still: TestClock
) -> None:
    assert thread.heard_at
    seen = thread.heard_at.isoformat()
    still.move(minutes=1)
    texted(store, "And my refund?")
    pump()
    with pytest.raises(ValidationError, match="written meanwhile"):
        CloseThread(thread, sam, heard=seen).execute()
    thread.refresh_from_db()
    assert (thread.state, thread.unread) == ("open", 2)
    assert thread.heard_at
    CloseThread(thread, sam, heard=thread.heard_at.isoformat()).execute()
    assert thread.state == "closed"
