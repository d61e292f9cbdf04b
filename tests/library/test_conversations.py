"""The templates that ask, as conversations: real rows, real pumps, and people who answer as people do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.library import TEMPLATES, build
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import Contact, Decision, Effect, Enrollment, Event, Flow, FlowVersion, Message, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import gateway  # noqa: F401 - a fixture
from tests.dispatch.scripted import ScriptedGateway
from tests.engine.helpers import happened, pump, texted
from tests.factories import make_contact, make_store

ADA = "+12025550101"


@pytest.fixture(autouse=True)
def _world(settings: Any, gateway: type[ScriptedGateway]) -> None:  # noqa: F811
    """Texts leave through a network in memory, and deliveries of the source "test" are understood."""
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}


class Phone:
    """Ada's phone: what comes in, and what she writes back."""

    def __init__(self, store: Store, still: TestClock, number: str = ADA, **contact: Any) -> None:
        self.store, self.still, self.number = store, still, number
        self.seen = 0
        if contact.pop("known", True):
            make_contact(store, phone=number, **contact)

    @property
    def ada(self) -> Contact:
        return Contact.objects.get(store=self.store, phone=self.number)

    def go_live(self, template: str, **settings: Any) -> Flow:
        """Let a template of the gallery run."""
        if any(setting.name == "staff" for setting in TEMPLATES[template].settings):
            settings["staff"] = "ines@example.com"
        flow = build(TEMPLATES[template], self.store, settings)
        flow.live = True
        flow.save()
        program = compile_flow(flow)
        flow.current_version = FlowVersion.objects.create(
            store=self.store, flow=flow, number=1, content_hash=program.content_hash, program=program.to_json()
        )
        flow.save()
        return flow

    def pumps(self) -> None:
        pump()
        while dispatch().taken:
            pass
        pump()

    def happens(self, kind: str, **values: Any) -> list[str]:
        happened(self.store, kind, phone=self.number, **values)
        return self.later()

    def later(self, **delta: float) -> list[str]:
        """Let time go by, and return the texts that have come."""
        self.still.move(**delta)
        self.pumps()
        return self.new()

    def says(self, body: str) -> list[str]:
        """Write a text a minute later, and return what comes back."""
        self.still.move(minutes=1)
        texted(self.store, body, phone=self.number)
        self.pumps()
        return self.new()

    def new(self) -> list[str]:
        sent = list(Message.objects.filter(contact__phone=self.number).exclude(state="queued").order_by("pk"))
        texts = [message.body for message in sent[self.seen :]]
        self.seen = len(sent)
        return texts


@pytest.fixture
def phone(store: Store, still: TestClock) -> Phone:
    return Phone(store, still)


def staff() -> list[str]:
    """Return the subjects of what staff has been told."""
    notices = Effect.objects.filter(kind="notice").order_by("pk")
    return [str(notice.payload["subject"]) for notice in notices]


def one(texts: list[str], *words: str) -> str:
    """Return the one text that has come, which says ``words``."""
    assert len(texts) == 1, texts
    for word in words:
        assert word in texts[0], (word, texts[0])
    return texts[0]


def status(flow: Flow) -> tuple[str, str]:
    run = Enrollment.objects.get(flow=flow)
    return run.status, run.exit_reason


# NPS ---------------------------------------------------------------------------------------------


def asked_for_nps(phone: Phone) -> Flow:
    flow = phone.go_live("nps", days=1)
    assert phone.happens("parcel_delivered", subject="o1") == []
    one(phone.later(days=1), "0 (no) to 10 (yes)")
    return flow


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["10", "10/10!!", "ten", "a solid 10, thanks", "Ten out of ten"])
def test_a_promoter_is_asked_for_a_review_and_the_score_is_a_number(phone: Phone, body: str) -> None:
    flow = asked_for_nps(phone)
    one(phone.says(body), "review")
    assert phone.ada.fields["nps"] == "10" and list(phone.ada.tags) == ["promoter"]
    assert staff() == [] and status(flow) == ("finished", "")
    # an average is made by comparing numbers
    assert Contact.objects.filter(fields__nps="10").count() == 1


@pytest.mark.django_db
def test_a_passive_customer_says_what_is_missing(phone: Phone) -> None:
    flow = asked_for_nps(phone)
    one(phone.says("I'd say 8"), "What would have made it a 10")
    one(phone.says("More colours, and 2 more sizes"), "noted")
    assert phone.ada.fields == {"nps": "8", "nps_reason": "More colours, and 2 more sizes"}
    assert list(phone.ada.tags) == ["passive"] and status(flow) == ("finished", "")


@pytest.mark.django_db
def test_a_detractor_reaches_a_person_and_no_flow_goes_on(phone: Phone) -> None:
    flow = asked_for_nps(phone)
    one(phone.says("2/10"), "sorry")
    assert phone.ada.fields["nps"] == "2" and list(phone.ada.tags) == ["detractor"]
    assert staff() == ["NPS: 2 of 10"] and phone.ada.handed_over_at is not None
    # what they write now is for the person who takes over
    assert phone.says("9, sorry, wrong shop") == []
    assert phone.ada.fields["nps"] == "2" and status(flow)[0] == "waiting"


@pytest.mark.django_db
def test_nonsense_is_asked_about_once_and_then_let_go(phone: Phone) -> None:
    flow = asked_for_nps(phone)
    one(phone.says("great stuff"), "from 0 to 10")
    assert phone.says("really great stuff!") == []
    assert status(flow) == ("exited", "No clear answer")
    assert phone.says("9") == [] and "nps" not in phone.ada.fields


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["8-9", "9 or 10", "I waited 10 days", "15"])
def test_no_score_is_guessed(phone: Phone, body: str) -> None:
    asked_for_nps(phone)
    one(phone.says(body), "from 0 to 10")
    one(phone.says("9"), "review")
    assert phone.ada.fields["nps"] == "9"


@pytest.mark.django_db
def test_a_late_answer_goes_on_to_whoever_hears_any_text(phone: Phone) -> None:
    flow = asked_for_nps(phone)
    phone.go_live("autoresponder")
    assert phone.later(days=3, minutes=1) == []
    assert status(flow) == ("finished", "")
    one(phone.says("9"), "24")
    assert "nps" not in phone.ada.fields
    assert Event.objects.filter(kind="message_received", heard_by=None).count() == 1


@pytest.mark.django_db
def test_an_answer_on_time_starts_nothing_else(phone: Phone) -> None:
    asked_for_nps(phone)
    phone.go_live("autoresponder")
    one(phone.says("9"), "review")
    assert Event.objects.get(kind="message_received").heard_by is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "body", "number"), [("da", "ti", "10"), ("de", "zehn von zehn", "10"), ("fr", "neuf sur dix", "9")]
)
def test_a_score_may_be_written_in_the_person_s_language(
    still: TestClock, language: str, body: str, number: str
) -> None:
    phone = Phone(make_store(language=language), still)
    phone.go_live("nps", days=1)
    phone.happens("parcel_delivered", subject="o1")
    assert len(phone.later(days=1)) == 1
    assert len(phone.says(body)) == 1
    assert phone.ada.fields["nps"] == number


# After STOP, and at night ------------------------------------------------------------------------


@pytest.mark.django_db
def test_after_stop_nothing_is_asked_again(phone: Phone) -> None:
    flow = asked_for_nps(phone)
    one(phone.says("STOP"), "unsubscribed")
    assert phone.says("what?") == []
    assert phone.says("9") == []
    assert "nps" not in phone.ada.fields and status(flow) == ("exited", "opted_out")


@pytest.mark.django_db
def test_help_in_between_is_answered_and_the_question_stays_open(phone: Phone) -> None:
    asked_for_nps(phone)
    one(phone.says("HELP"), "help@example.com")
    one(phone.says("9"), "review")


@pytest.mark.django_db
def test_who_writes_at_night_is_answered_and_who_is_looked_at_late_is_not_woken(phone: Phone) -> None:
    asked_for_nps(phone)
    phone.still.at = NOON.replace(day=6, hour=5)  # midnight in New York
    one(phone.says("great stuff"), "from 0 to 10")
    # the machine was off when they answered: the text waits for the morning
    phone.still.move(minutes=1)
    texted(phone.store, "9", phone=ADA, at=phone.still.at)
    assert phone.later(hours=2) == []
    assert phone.ada.fields["nps"] == "9"
    assert Decision.objects.filter(verdict="defer").latest("pk").reason == "quiet_hours"
    one(phone.later(hours=9), "review")


# Reviews -----------------------------------------------------------------------------------------


def asked_about_the_order(phone: Phone) -> Flow:
    flow = phone.go_live("reviews", days=1)
    phone.happens("parcel_delivered", subject="o1")
    one(phone.later(days=1), "Reply 1 if all is well")
    return flow


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["1", "One!", "1, love it", "the first one", "option 1"])
def test_all_is_well_leads_to_a_review(phone: Phone, body: str) -> None:
    flow = asked_about_the_order(phone)
    one(phone.says(body), "Would you tell others")
    assert phone.ada.fields["review_answer"] == "good" and list(phone.ada.tags) == ["happy"]
    assert staff() == [] and status(flow) == ("finished", "")


@pytest.mark.django_db
def test_what_is_wrong_reaches_a_person(phone: Phone) -> None:
    asked_about_the_order(phone)
    one(phone.says("1 of the cups is broken"), "didn't get that")
    one(phone.says("Number 2"), "A person reads this")
    assert phone.ada.fields["review_answer"] == "bad" and phone.ada.handed_over_at is not None
    assert staff() == ["Something is not right with an order"]


@pytest.mark.django_db
def test_two_answers_without_sense_end_the_review(phone: Phone) -> None:
    flow = asked_about_the_order(phone)
    one(phone.says("1 or 2?"), "didn't get that")
    assert phone.says("hm") == []
    assert status(flow) == ("exited", "No clear answer")
    assert phone.says("2") == [] and phone.ada.handed_over_at is None


# Appointments ------------------------------------------------------------------------------------


def reminded(phone: Phone) -> Flow:
    """Ada's appointment is in 25 hours; an hour later she is asked about it."""
    flow = phone.go_live("event_reminder")
    at = (phone.still.at + timedelta(hours=25)).isoformat()
    about = {"title": "Bike check", "starts_at": at, "place": "Main Street 5"}
    assert phone.happens("appointment_booked", subject="a1", data={"appointment": about}) == []
    one(phone.later(hours=1), "Bike check", "Reply A to confirm")
    return flow


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", ["A", "a) see you!", "Yes please", "👍", "yep", "option a", "the first one", "Confirm"]
)
def test_an_appointment_is_confirmed(phone: Phone, body: str) -> None:
    flow = reminded(phone)
    one(phone.says(body), "look forward")
    assert phone.ada.fields["appointment_answer"] == "A" and list(phone.ada.tags) == ["confirmed"]
    assert Event.objects.get(kind="goal_reached").data["goal"] == "Confirmed"
    one(phone.later(hours=23), "See you soon")
    assert staff() == [] and status(flow) == ("finished", "")


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["B", "B can't make it", "can't make it, B", "No, sorry", "the second one"])
def test_who_cannot_come_is_taken_off_and_staff_told(phone: Phone, body: str) -> None:
    flow = reminded(phone)
    one(phone.says(body), "Thank you for telling us")
    assert staff() == ["Appointment: Ada answered B"] and status(flow) == ("exited", "Cannot come")
    assert list(phone.ada.tags) == [] and phone.later(hours=24) == []


@pytest.mark.django_db
def test_who_wants_a_person_gets_one_and_the_flow_waits(phone: Phone) -> None:
    flow = reminded(phone)
    one(phone.says("c please"), "Someone from our team")
    assert phone.ada.handed_over_at is not None and staff() == ["Appointment: Ada answered C"]
    assert phone.later(hours=23) == [] and status(flow)[0] == "waiting"


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["A person please", "c u there", "a lot later", "A or B", "maybe A"])
def test_nothing_is_confirmed_by_a_word_that_only_looks_like_a_letter(phone: Phone, body: str) -> None:
    reminded(phone)
    one(phone.says(body), "didn't get that")
    assert "appointment_answer" not in phone.ada.fields and list(phone.ada.tags) == []


@pytest.mark.django_db
def test_two_answers_without_sense_reach_staff_and_the_reminder_still_comes(phone: Phone) -> None:
    reminded(phone)
    one(phone.says("can we move it?"), "didn't get that")
    assert phone.says("to friday") == []
    assert staff() == ["Appointment: Ada answered ?"] and phone.ada.handed_over_at is None
    one(phone.later(hours=23), "See you soon")


@pytest.mark.django_db
def test_a_confirmation_that_comes_too_late_confirms_nothing(phone: Phone) -> None:
    reminded(phone)
    assert phone.later(hours=4, minutes=1) == []
    assert phone.says("A") == []
    assert list(phone.ada.tags) == []
    one(phone.later(hours=19), "See you soon")


# Leads by keyword --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_stranger_becomes_a_lead_by_a_keyword_and_a_yes(store: Store, still: TestClock) -> None:
    phone = Phone(store, still, known=False)
    flow = phone.go_live("keyword_lead", keyword="VIP")
    one(phone.says("vip!"), "Reply YES", "STOP")
    assert phone.ada.marketing_consent != "granted"
    one(phone.says("Yes please"), "What may we help you with")
    assert phone.ada.marketing_consent == "granted" and list(phone.ada.tags) == ["lead"]
    one(phone.says("A warm jacket, size 9 or 10"), "we have noted it")
    assert phone.ada.fields["lead_interest"] == "A warm jacket, size 9 or 10"
    assert staff() == ["A new lead by text"] and status(flow) == ("finished", "")


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["yes but not daily", "what is it?", "y u ask", "tes", "no", "ok what is this"])
def test_no_half_yes_is_taken_for_consent(store: Store, still: TestClock, body: str) -> None:
    phone = Phone(store, still, known=False)
    flow = phone.go_live("keyword_lead", keyword="VIP")
    one(phone.says("VIP"), "Reply YES")
    one(phone.says(body), "Reply YES to confirm")
    assert phone.says("whatever") == []
    assert phone.ada.marketing_consent != "granted" and list(phone.ada.tags) == []
    assert status(flow) == ("exited", "Not confirmed")


@pytest.mark.django_db
def test_a_yes_after_two_days_is_no_consent(store: Store, still: TestClock) -> None:
    phone = Phone(store, still, known=False)
    phone.go_live("keyword_lead", keyword="VIP")
    phone.says("VIP")
    assert phone.later(days=2, minutes=1) == []
    assert phone.says("YES") == []
    assert phone.ada.marketing_consent != "granted"


# Welcome, with a preference ----------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("body", "interest"), [("2", "bestsellers"), ("the second one", "bestsellers"), ("1!", "new")])
def test_a_new_subscriber_says_what_they_want_to_see(phone: Phone, body: str, interest: str) -> None:
    phone.go_live("welcome", percent=0)
    one(phone.happens("opted_in"), "1", "2")
    assert len(phone.says(body)) == 1
    assert phone.ada.fields["interest"] == interest
    assert len(phone.later(days=1)) == 1


@pytest.mark.django_db
def test_a_preference_that_nobody_understands_is_asked_once_more(phone: Phone) -> None:
    phone.go_live("welcome", percent=0)
    phone.happens("opted_in")
    assert len(phone.says("whatever you like")) == 1
    assert phone.says("hm") == []
    assert len(phone.says("1")) == 1
    assert phone.ada.fields["interest"] == "new"


@pytest.mark.django_db
def test_a_preference_after_the_time_is_up_starts_what_its_word_starts(phone: Phone) -> None:
    phone.go_live("welcome", percent=0)
    phone.go_live("keyword_lead", keyword="jackets")
    phone.happens("opted_in")
    assert len(phone.later(days=1)) == 1
    one(phone.says("jackets"), "Reply YES")
    assert "interest" not in phone.ada.fields


# Feedback ----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["Faster delivery, 3 days is long", "👍👍", "9"])
def test_feedback_is_kept_word_for_word_and_told_to_staff(phone: Phone, body: str) -> None:
    flow = phone.go_live("feedback", days=1)
    phone.happens("order_created", subject="o1")
    assert len(phone.later(days=1)) == 1
    one(phone.says(body), "passed it on")
    assert phone.ada.fields["feedback"] == body
    assert staff() == ["Feedback from a customer"] and status(flow) == ("finished", "")
    assert body in Effect.objects.get(kind="notice").payload["body"]


@pytest.mark.django_db
def test_feedback_after_three_days_is_heard_by_the_autoresponder(phone: Phone) -> None:
    flow = phone.go_live("feedback", days=1)
    phone.go_live("autoresponder")
    phone.happens("order_created", subject="o1")
    phone.later(days=1)
    phone.later(days=3, minutes=1)
    assert len(phone.says("Faster delivery")) == 1
    assert "feedback" not in phone.ada.fields and staff() == [] and status(flow) == ("finished", "")


# A case that was closed --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "kept", "handed_over"),
    [("1", "yes", False), ("Yes, thank you!", "yes", False), ("ja tak", "yes", False), ("👍", "yes", False),
     ("2", "no", True), ("No, not yet", "no", True), ("nope", "no", True)],
)  # fmt: skip
def test_a_case_is_closed_when_the_customer_says_so(phone: Phone, body: str, kept: str, handed_over: bool) -> None:
    phone.go_live("care_followup", hours=1)
    phone.happens("case_closed", subject="c1", data={"case": {"title": "Late parcel"}})
    one(phone.later(hours=1), "did we solve it")
    assert len(phone.says(body)) == 1
    assert phone.ada.fields["case_solved"] == kept
    assert (phone.ada.handed_over_at is not None) is handed_over and bool(staff()) is handed_over


def test_the_day_of_these_conversations_is_no_holiday() -> None:
    assert datetime(2026, 3, 4) == NOON.replace(tzinfo=None, hour=0)
