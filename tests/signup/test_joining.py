"""Somebody leaves their number on a form, and confirms from their phone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Agree, Choice, Listen, Send
from smsflow_plugin.messaging.gate import Gate, Queued
from smsflow_plugin.models import (
    ConsentRecord,
    Contact,
    Delivery,
    DisclosureVersion,
    Event,
    Message,
    OptInAttempt,
    OptInForm,
    Policy,
    Store,
)
from smsflow_plugin.signup.watching import expire, settle
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow, texted
from tests.signup.conftest import ADA, Visitor, make_form, pump, slip_in

pytestmark = pytest.mark.django_db


def question() -> Message:
    return Message.objects.get(message_class="optin")


def test_a_number_that_is_left_is_asked_once_and_at_once(visitor: Visitor) -> None:
    answer = visitor.sends("(202) 555-0123")
    assert "Reply YES" in answer.content.decode()
    assert "•••• 23" in answer.content.decode() and "0123" not in answer.content.decode()
    pump()
    assert Contact.objects.get().marketing_consent == "pending"
    asked = question()
    assert (asked.to, asked.purpose, asked.state) == (ADA, "answer", "queued")
    assert asked.body == (
        "Sierra Gear: Reply Y to get recurring promo texts & cart reminders. Msg freq varies. Msg&data rates may "
        "apply. https://sierra-gear.example/terms STOP to quit, HELP for help"
    )


def test_a_request_that_is_heard_of_hours_later_is_asked_about_in_the_morning(
    visitor: Visitor, still: TestClock
) -> None:
    visitor.sends("(202) 555-0123")
    sent = still.at
    still.move(hours=10)  # the pump stood still until the night
    pump()
    asked = question()
    assert asked.purpose != "answer"
    assert asked.expires_at == sent + timedelta(hours=24)
    facts = Queued(*Message.objects.values_list(*Queued.__dataclass_fields__).get(pk=asked.pk))
    decision = Gate([facts], still.at).ask(facts)
    assert (decision.allowed, decision.reason) == (False, "quiet_hours")


def test_the_proof_names_the_exact_words_and_where_they_were_read(visitor: Visitor, form: OptInForm) -> None:
    visitor.sends()
    pump()
    record = ConsentRecord.objects.get()
    version = DisclosureVersion.objects.get()
    assert (record.action, record.source, record.phone) == ("pending", "form", ADA)
    assert record.wording == version.text
    for words in ("Sierra Gear", "cart reminders", "not a condition of purchase", "STOP", "HELP", "Msg & data rates"):
        assert words in record.wording
    evidence = record.evidence
    assert evidence["version"] == version.sha256
    assert evidence["form"] == form.token
    assert (evidence["ip"], evidence["language"]) == ("203.0.113.7", "en")
    assert evidence["checkbox"] == "ticked by the person"
    assert evidence["user_agent"].startswith("Mozilla")
    assert evidence["page"].endswith(visitor.url)


@pytest.mark.parametrize("answer", ["Y", "yes", "Yes please!", "OK", "ja tak", "oui", "sí", "👍"])
def test_a_yes_from_the_phone_confirms(visitor: Visitor, store: Store, still: TestClock, answer: str) -> None:
    visitor.sends()
    pump()
    still.move(minutes=3)
    texted(store, answer, phone=ADA)
    pump()
    ada = Contact.objects.get()
    assert (ada.marketing_consent, ada.opt_in_level, ada.consent_source) == ("granted", "confirmed", "double_opt_in")
    record = ConsentRecord.objects.get(source="double_opt_in")
    assert record.wording == answer
    assert record.evidence["question"] == question().pk
    assert record.evidence["opt_in_level"] == "confirmed"
    assert Event.objects.filter(kind="opted_in").count() == 1
    assert Message.objects.filter(purpose="keyword").count() == 1


@pytest.mark.parametrize("answer", ["yes but not daily", "what is this?", "no", "yesterday", "NEJ TAK", "tak"])
def test_anything_else_confirms_nothing(visitor: Visitor, store: Store, still: TestClock, answer: str) -> None:
    visitor.sends()
    pump()
    still.move(minutes=3)
    texted(store, answer, phone=ADA)
    pump()
    assert Contact.objects.get().marketing_consent == "pending"


def test_a_yes_that_nobody_has_asked_for_does_nothing(store: Store, still: TestClock) -> None:
    texted(store, "YES", phone=ADA)
    pump()
    assert Contact.objects.get().marketing_consent == "unknown"
    assert not ConsentRecord.objects.exists()


def test_a_yes_to_the_shops_own_request_is_none_to_us(store: Store, still: TestClock) -> None:
    happened(store, "opt_in_requested", phone=ADA, consent="pending")
    pump()
    texted(store, "YES", phone=ADA)
    pump()
    assert Contact.objects.get().marketing_consent == "pending"


def test_two_yeses_confirm_once(visitor: Visitor, store: Store, still: TestClock) -> None:
    visitor.sends()
    pump()
    still.move(minutes=3)
    texted(store, "yes", phone=ADA)
    texted(store, "yes", phone=ADA)
    pump()
    assert ConsentRecord.objects.filter(source="double_opt_in").count() == 1


def test_stop_wins_over_an_open_question(visitor: Visitor, store: Store, still: TestClock) -> None:
    visitor.sends()
    pump()
    still.move(minutes=1)
    texted(store, "STOP", phone=ADA)
    pump()
    assert Contact.objects.get().marketing_consent == "revoked"
    assert question().state == "cancelled"
    still.move(minutes=1)
    texted(store, "YES", phone=ADA)
    pump()
    assert Contact.objects.get().marketing_consent == "revoked"


def test_a_live_flow_asks_in_its_own_words_alone(visitor: Visitor, store: Store, still: TestClock) -> None:
    flow = make_flow(
        store,
        Send("q", {"": "Reply YES to confirm."}),
        Listen("q", (Choice(2, ("yes",)),), 2, "days", on_timeout=3, part="1"),
        Agree("a"),
        trigger="opt_in_requested",
        message_class="optin",
    )
    type(flow).objects.filter(pk=flow.pk).update(message_class="optin")
    visitor.sends()
    pump()
    assert [message.body for message in Message.objects.all()] == [
        "Sierra Gear: Reply YES to confirm.\nReply STOP to opt out."
    ]
    still.move(minutes=1)
    texted(store, "yes", phone=ADA)
    pump()
    assert Contact.objects.get().opt_in_level == "confirmed"
    assert ConsentRecord.objects.filter(source="double_opt_in").count() == 1


def test_a_paused_flow_leaves_the_asking_to_us(visitor: Visitor, store: Store, still: TestClock) -> None:
    flow = make_flow(store, Send("q", {"": "Sure?"}), trigger="opt_in_requested", message_class="optin")
    type(flow).objects.filter(pk=flow.pk).update(message_class="optin", paused_at=still.at)
    visitor.sends()
    pump()
    assert question().body.startswith("Sierra Gear: Reply Y")


def test_who_does_not_answer_is_let_go_and_may_be_asked_again(visitor: Visitor, still: TestClock) -> None:
    visitor.sends()
    pump()
    still.move(hours=47)
    assert expire(still.at) == 0
    still.move(hours=2)
    assert expire(still.at) == 1
    assert Contact.objects.get().marketing_consent == "unknown"
    assert ConsentRecord.objects.get(action="expired").source == "not_confirmed"
    assert expire(still.at) == 0
    visitor.sends()
    pump()
    assert Message.objects.filter(message_class="optin").count() == 2


def test_a_late_yes_confirms_nothing(visitor: Visitor, store: Store, still: TestClock) -> None:
    visitor.sends()
    pump()
    still.move(hours=49)
    texted(store, "yes", phone=ADA)
    pump()
    assert Contact.objects.get().marketing_consent == "pending"


def test_a_single_opt_in_needs_no_answer_and_is_told_apart(store: Store, still: TestClock) -> None:
    visitor = Visitor(make_form(store, level="single", tags=["footer"], success="Look out for a treat."), still)
    answer = visitor.sends()
    assert "Look out for a treat." in answer.content.decode()
    pump()
    ada = Contact.objects.get()
    assert (ada.marketing_consent, ada.opt_in_level, ada.tags) == ("granted", "single", ["footer"])
    assert Event.objects.get(kind="opted_in").data["source"] == "form"
    assert not Message.objects.exists()


def test_the_rules_of_the_store_can_ask_for_a_confirmation_whatever_the_form_says(
    store: Store, still: TestClock
) -> None:
    Policy.objects.update(double_opt_in_countries=["US"])
    Visitor(make_form(store, level="single"), still).sends()
    pump()
    assert Contact.objects.get().marketing_consent == "pending"


def test_nobody_is_brought_back_by_a_form_without_their_phone(store: Store, still: TestClock) -> None:
    texted(store, "STOP", phone=ADA)
    pump()
    for level in ("single", "double"):
        still.move(minutes=30)
        answer = Visitor(make_form(store, name=level, level=level), still).sends()
        assert "START" in answer.content.decode()
        pump()
        assert Contact.objects.get().marketing_consent == "revoked"
    assert not Message.objects.filter(message_class="optin").exists()
    assert not Event.objects.filter(kind__in=["opted_in", "opt_in_requested"]).exists()


def test_the_same_page_sent_twice_is_one_request(visitor: Visitor, still: TestClock) -> None:
    slip = visitor.slip()
    still.move(seconds=10)
    first, second = visitor.sends(slip=slip), visitor.sends(slip=slip)
    assert (first.status_code, second.status_code) == (200, 200)
    assert Delivery.objects.count() == OptInAttempt.objects.count() == 1


def test_who_goes_back_and_corrects_the_number_is_another_request(visitor: Visitor, still: TestClock) -> None:
    slip = visitor.slip()
    still.move(seconds=10)
    visitor.sends("+12025550124", slip=slip)
    visitor.sends(ADA, slip=slip)
    assert Delivery.objects.count() == 2


def test_a_delivery_that_is_read_again_changes_nothing(visitor: Visitor, store: Store, still: TestClock) -> None:
    visitor.sends()
    pump()
    texted(store, "yes", phone=ADA, at=still.move(minutes=1))
    pump()
    Delivery.objects.update(state="pending")
    pump()
    assert Contact.objects.get().marketing_consent == "granted"
    assert Message.objects.filter(message_class="optin").count() == 1
    assert ConsentRecord.objects.count() == 2


def test_confirmed_attempts_are_counted(visitor: Visitor, store: Store, still: TestClock) -> None:
    visitor.sends()
    pump()
    assert settle(still.at) == 0
    texted(store, "yes", phone=ADA, at=still.move(minutes=1))
    pump()
    assert settle(still.at) == 1
    assert OptInAttempt.objects.get().confirmed_at is not None
    assert settle(still.at) == 0


def test_whoever_confirms_and_leaves_at_once_has_confirmed(visitor: Visitor, store: Store, still: TestClock) -> None:
    visitor.sends()
    pump()
    texted(store, "yes", phone=ADA, at=still.move(seconds=30))
    texted(store, "STOP", phone=ADA, at=still.move(seconds=10))
    pump()
    assert Contact.objects.get().marketing_consent == "revoked"
    assert settle(still.at) == 1
    # a later question is another one, and the yes of then is no answer to it
    OptInAttempt.objects.update(confirmed_at=None, at=still.move(minutes=1))
    assert settle(still.at) == 0


def test_what_is_typed_comes_back_with_the_error(store: Store, still: TestClock) -> None:
    visitor = Visitor(make_form(store, ask_first_name=True, ask_email=True), still)
    answer = visitor.sends("555", first_name="Ada <b>", email="ada@nowhere")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This is not a phone number." in page and "This is not an e-mail address." in page
    assert 'value="555"' in page and 'value="Ada &lt;b&gt;"' in page and 'value="ada@nowhere"' in page
    assert 'aria-invalid="true"' in page and " checked" in page
    assert not OptInAttempt.objects.exists()
    # the page that came back can be sent at once
    still.move(seconds=5)
    assert visitor.sends(slip=slip_in(answer), first_name="Ada").status_code == 200


def test_without_the_tick_nobody_has_agreed(visitor: Visitor) -> None:
    answer = visitor.sends(agreed="")
    assert answer.status_code == 422
    assert "Tick the box" in answer.content.decode()
    assert not Delivery.objects.exists()
    assert " checked" not in visitor.opens().content.decode()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "Write your mobile number."),
        ("1-800-FLOWERS", "not a phone number"),
        ("+1 202 555 0123 ext 5", "not a phone number"),
        ("+1 876 555 1234", "numbers of this country"),
        ("+44 7911 123456", "numbers of this country"),
        ("+881 6 1234 5678", "not a phone number"),
        ("+18005550199", "service number"),
        ("+15005550006", "service number"),
        ("\u0000", "Write your mobile number."),
    ],
)
def test_numbers_that_get_no_texts_are_refused_in_plain_words(visitor: Visitor, number: str, words: str) -> None:
    answer = visitor.sends(number)
    assert words in answer.content.decode()
    assert not Delivery.objects.exists()


def test_a_landline_is_told_from_a_mobile_where_anybody_can(danish_store: Store, still: TestClock) -> None:
    visitor = Visitor(make_form(danish_store, countries=["GB"]), still)
    assert (
        "fixed line" in visitor.sends("+44 20 7946 0018", lang="en").content.decode()
        or "fastnet" in visitor.sends("+44 20 7946 0018").content.decode()
    )


def test_a_closed_form_takes_nobody(visitor: Visitor, form: OptInForm) -> None:
    slip = visitor.slip()
    OptInForm.objects.update(active=False)
    assert visitor.opens().status_code == visitor.sends(slip=slip).status_code == 410
    assert not Delivery.objects.exists()


def test_every_change_of_the_words_is_a_version_and_must_be_read(
    visitor: Visitor, form: OptInForm, still: TestClock
) -> None:
    slip = visitor.slip()
    OptInForm.objects.update(disclosures={"en": "I agree to one text a year from Sierra Gear."})
    still.move(seconds=30)
    answer = visitor.sends(slip=slip)
    assert answer.status_code == 422
    assert "have changed in the meantime" in answer.content.decode()
    assert "one text a year" in answer.content.decode()
    assert (
        sorted(DisclosureVersion.objects.values_list("text", flat=True))[0]
        == "I agree to one text a year from Sierra Gear."
    )
    assert DisclosureVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Sign up"), ("da", "Tilmeld mig"), ("de", "Anmelden"), ("es", "Apuntarme"), ("fr", "inscrire")],
)
def test_visitors_read_their_own_language(store: Store, still: TestClock, language: str, words: str) -> None:
    form = make_form(store, button="Join us", disclosures={"en": "", "da": "", "de": "", "es": "", "fr": ""})
    page = Visitor(form, still).opens(HTTP_ACCEPT_LANGUAGE=f"{language}-XX,{language};q=0.9,en;q=0.1").content.decode()
    assert f'<html lang="{language}">' in page
    assert ("Join us" if language == "en" else words) in page


def test_the_number_of_statements_does_not_depend_on_the_number_of_requests(
    store: Store, form: OptInForm, still: TestClock
) -> None:
    def statements(count: int, first: int) -> int:
        for n in range(first, first + count):
            Delivery.objects.create(
                store=store, source="form", external_id=f"x{n}", topic="join",
                body=json.dumps({"phone": f"+1202555{n:04d}", "at": still.at.isoformat()}).encode(),
            )  # fmt: skip
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert ingest() == count
        for n in range(first, first + count):
            texted(store, "yes", phone=f"+1202555{n:04d}", at=still.at)
        with CaptureQueriesContext(connection) as answers:
            assert ingest() == count
        return len(queries) + len(answers)

    assert statements(2, 100) == statements(20, 120)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"phone": "+1"}', b'{"phone": "+1", "at": "x"}', b'{"phone": null, "at": null}']
)
def test_nonsense_in_the_inbox_is_parked(store: Store, body: bytes) -> None:
    Delivery.objects.create(store=store, source="form", external_id="1", topic="join", body=body)
    ingest()
    assert Delivery.objects.get().state == "parked"
