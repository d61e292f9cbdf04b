"""Unclear replies: they pause marketing at once, and what a person or another text says settles them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.engine.actions import RecordOptOut
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.review_actions import DecideReply
from smsflow_plugin.events.facts import Consent, Inbound, Person, PersonFact
from smsflow_plugin.flows.program import Choice, Listen, Send, Trigger, Wait
from smsflow_plugin.measurement.timeline import timeline
from smsflow_plugin.models import ConsentRecord, Contact, Enrollment, Event, Message, ReplyReview, Store
from tests.admin.people import client_of, make_user
from tests.conftest import NOON, TestClock
from tests.engine.helpers import deliver, make_flow, pump, texted
from tests.factories import make_contact, make_store

pytestmark = pytest.mark.django_db

ADA = "+12025550101"
UNCLEAR = "You said stop by, and now too many texts"


@pytest.fixture(autouse=True)
def _world(settings: Any, still: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone=ADA, first_name="Ada")


@pytest.fixture
def review(store: Store, ada: Contact, still: TestClock) -> ReplyReview:
    still.move(minutes=5)
    texted(store, UNCLEAR)
    pump()
    return ReplyReview.objects.get()


def test_an_unclear_text_marks_the_person_and_waits_for_staff(review: ReplyReview, ada: Contact) -> None:
    ada.refresh_from_db()
    assert ada.doubtful_at == review.received_at == NOON + timedelta(minutes=5)
    assert (review.body, review.state, review.contact_id) == (UNCLEAR, "open", ada.pk)
    assert review.because.startswith("unclear: ")
    assert (ada.marketing_consent, ada.service_consent) == ("granted", "unknown")
    assert Event.objects.get(kind="message_received").data["keyword"] == "unclear"


def test_an_unclear_text_is_answered_by_nobody(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, Send("a", {"": "Thanks!"}), triggers=(Trigger("message_received"),), message_class="service")
    texted(store, UNCLEAR)
    pump()
    assert not Message.objects.exists()
    assert not Enrollment.objects.exists()


def test_an_unclear_text_answers_no_question(store: Store, ada: Contact, still: TestClock) -> None:
    make_flow(store, Send("q", {"": "?"}), Listen("q", (Choice(2),), 1, "days"), trigger="order_created")
    still.move(minutes=1)
    deliver(store, PersonFact(Person(phone=ADA)))
    texted(store, UNCLEAR)
    pump()
    assert Event.objects.get(kind="message_received").heard_by is None


def test_a_text_is_read_in_the_language_of_the_person_first(store: Store, still: TestClock) -> None:
    aino = make_contact(store, phone="+358401234567", language="fi")
    carl = make_contact(store, phone="+4520112233", language="da")
    for person in (aino, carl):
        texted(store, "Peru", phone=str(person.phone))
    still.move(minutes=1)
    pump()
    aino.refresh_from_db()
    carl.refresh_from_db()
    assert (aino.service_consent, carl.service_consent) == ("revoked", "unknown")


def test_a_text_is_read_in_the_language_of_the_store_as_well(store: Store, ada: Contact, still: TestClock) -> None:
    Store.objects.update(language="fi")
    still.move(minutes=1)
    texted(store, "Peru")
    pump()
    ada.refresh_from_db()
    assert ada.service_consent == "revoked"


def test_the_same_text_delivered_again_after_the_decision_changes_nothing(
    store: Store, ada: Contact, still: TestClock
) -> None:
    text = Inbound("mo-7", ADA, store.sender, UNCLEAR, NOON)
    deliver(store, text)
    pump()
    DecideReply(ReplyReview.objects.get(), no_more=False).execute()
    deliver(store, text)
    pump()
    ada.refresh_from_db()
    assert ada.doubtful_at is None
    assert ReplyReview.objects.get().state == "keep"


@pytest.mark.parametrize("size", [1, 12])
def test_a_batch_takes_as_many_statements_whatever_its_size(store: Store, ada: Contact, size: int) -> None:
    texted(store, UNCLEAR)
    pump()
    for number in range(size):
        contact = make_contact(store, phone=f"+120255502{number:02}")
        texted(store, UNCLEAR, phone=str(contact.phone))
    with CaptureQueriesContext(connection) as queries:
        ingest()
    assert ReplyReview.objects.count() == size + 1
    counted = [query["sql"] for query in queries if "replyreview" in query["sql"]]
    assert len(counted) == 1


# What settles it -------------------------------------------------------------------------------


def test_no_more_texts_is_an_opt_out_in_their_own_words_from_when_they_wrote_it(
    store: Store, review: ReplyReview, ada: Contact, still: TestClock
) -> None:
    make_flow(store, Wait("w", 9, "days"))
    queued = Message.objects.create(
        store=store, contact=ada, message_class="marketing", sender=store.sender, to=ADA, body="Sale"
    )
    still.move(hours=3)
    decided = DecideReply(review, make_user("sue", "Support", store), no_more=True).execute()
    ada.refresh_from_db()
    queued.refresh_from_db()
    assert (decided.state, decided.decided_by, decided.decided_at) == ("stop", "sue", still.at)
    assert (ada.marketing_consent, ada.service_consent, ada.doubtful_at) == ("revoked", "revoked", None)
    record = ConsentRecord.objects.get()
    assert (record.action, record.scope, record.source, record.actor) == ("revoked", "all", "unclear_reply", "sue")
    assert (record.wording, record.effective_at) == (UNCLEAR, review.received_at)
    assert (queued.state, queued.reason) == ("cancelled", "opted_out")
    assert not Message.objects.filter(message_class="reply").exists()
    assert Event.objects.filter(kind="opted_out").count() == 1


def test_who_did_not_mean_that_gets_texts_again(store: Store, review: ReplyReview, ada: Contact) -> None:
    DecideReply(review, make_user("sue", "Support", store), no_more=False).execute()
    ada.refresh_from_db()
    assert (ada.doubtful_at, ada.marketing_consent) == (None, "granted")
    assert not ConsentRecord.objects.exists()


def test_another_unclear_text_keeps_the_person_waiting(
    store: Store, review: ReplyReview, ada: Contact, still: TestClock
) -> None:
    still.move(minutes=9)
    texted(store, "why are you texting me so much")
    pump()
    second = ReplyReview.objects.latest("pk")
    DecideReply(review, no_more=False).execute()
    ada.refresh_from_db()
    assert ada.doubtful_at == second.received_at
    DecideReply(second, no_more=False).execute()
    ada.refresh_from_db()
    assert ada.doubtful_at is None


def test_what_is_decided_stays_decided(store: Store, review: ReplyReview, ada: Contact) -> None:
    DecideReply(review, no_more=False).execute()
    assert DecideReply(review, no_more=True).execute().state == "keep"
    ada.refresh_from_db()
    assert ada.marketing_consent == "granted"


def test_an_agreement_that_is_newer_than_the_text_stays(
    store: Store, review: ReplyReview, ada: Contact, still: TestClock
) -> None:
    still.move(hours=1)
    agreed = Consent("granted", "marketing", "shopify_checkout", still.at, key="checkout:9")
    deliver(store, PersonFact(Person(phone=ADA), (agreed,)))
    pump()
    DecideReply(review, no_more=True).execute()
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("granted", "unknown")
    assert ConsentRecord.objects.filter(source="unclear_reply").exists()


@pytest.mark.parametrize(("body", "state"), [("STOP", "stop"), ("START", "keep")])
def test_a_clear_word_of_their_own_closes_what_was_unclear(
    store: Store, review: ReplyReview, ada: Contact, still: TestClock, body: str, state: str
) -> None:
    still.move(minutes=1)
    texted(store, body)
    pump()
    review.refresh_from_db()
    ada.refresh_from_db()
    assert (review.state, review.decided_by, review.decided_at) == (state, "", still.at)
    assert ada.doubtful_at is None


def test_who_is_unclear_and_then_clear_in_one_batch_needs_nobody(store: Store, ada: Contact, still: TestClock) -> None:
    texted(store, UNCLEAR)
    still.move(seconds=20)
    texted(store, "STOP")
    pump()
    ada.refresh_from_db()
    assert (ada.service_consent, ada.doubtful_at) == ("revoked", None)
    assert not ReplyReview.objects.exists()


def test_who_has_opted_out_is_not_asked_about(store: Store, ada: Contact, still: TestClock) -> None:
    texted(store, "STOP")
    pump()
    still.move(minutes=1)
    texted(store, UNCLEAR)
    pump()
    assert not ReplyReview.objects.exists()


def test_an_opt_out_that_staff_records_closes_it_as_well(store: Store, review: ReplyReview, ada: Contact) -> None:
    RecordOptOut(ada, make_user("sue", "Support", store), note="By phone.").execute()
    review.refresh_from_db()
    ada.refresh_from_db()
    assert (review.state, review.decided_by, ada.doubtful_at) == ("stop", "sue", None)


# Who may, and what they see --------------------------------------------------------------------------


def test_a_stranger_neither_decides_nor_learns_of_it(review: ReplyReview) -> None:
    stranger = make_user("eve", "Store admin", make_store(name="Bolton", domain="bolton.myshopify.com"))
    with pytest.raises(PermissionDenied):
        DecideReply(review, stranger, no_more=True).execute()
    client = client_of(stranger)
    for name in ("stop", "keep"):
        assert client.post(reverse(f"smsflow_replies:{name}", args=[review.pk])).status_code == 404
    assert client.get(reverse("smsflow_replies:inspect", args=[review.pk])).status_code == 404
    assert "too many texts" not in client.get(reverse("smsflow_replies:index")).content.decode()
    review.refresh_from_db()
    assert review.state == "open"


def test_a_copywriter_sees_no_replies(store: Store, review: ReplyReview) -> None:
    client = client_of(make_user("carl", "Copywriter", store))
    assert client.get(reverse("smsflow_replies:index")).status_code == 302
    assert client.post(reverse("smsflow_replies:stop", args=[review.pk])).status_code in (302, 404)
    review.refresh_from_db()
    assert review.state == "open"


def test_support_reads_the_queue_and_decides(store: Store, review: ReplyReview, ada: Contact) -> None:
    client = client_of(make_user("sue", "Support", store))
    page = client.get(reverse("smsflow_replies:index")).content.decode()
    assert UNCLEAR in page
    assert "Unclear replies (1)" in page
    assert "1 reply may be an opt-out" in page
    assert UNCLEAR in client.get(reverse("smsflow_replies:inspect", args=[review.pk])).content.decode()
    answer = client.post(reverse("smsflow_replies:stop", args=[review.pk]), follow=True).content.decode()
    assert "gets no more texts of this store." in answer
    assert "No reply waits." in answer
    assert "Unclear replies (" not in answer
    late = client.post(reverse("smsflow_replies:keep", args=[review.pk]), follow=True).content.decode()
    assert "Somebody else has decided" in late
    ada.refresh_from_db()
    assert ada.service_consent == "revoked"


@pytest.mark.parametrize("page", ["index", "inspect"])
def test_the_buttons_carry_a_token_that_is_accepted(store: Store, review: ReplyReview, page: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("sue", "Support", store))
    html = client.get(
        reverse(f"smsflow_replies:{page}", args=[review.pk] if page == "inspect" else [])
    ).content.decode()
    (form,) = BeautifulSoup(html, "html.parser").select(f'form[action="/admin/smsflow/replies/{review.pk}/keep/"]')
    token = form.select_one("[name=csrfmiddlewaretoken]")["value"]  # type: ignore[index]
    assert client.post(str(form["action"]), {"csrfmiddlewaretoken": token}).status_code == 302
    review.refresh_from_db()
    assert review.state == "keep"


def test_a_decision_needs_a_post(store: Store, review: ReplyReview) -> None:
    client = client_of(make_user("sue", "Support", store))
    assert client.get(reverse("smsflow_replies:stop", args=[review.pk])).status_code == 405


def test_the_timeline_tells_what_was_unclear_and_what_was_decided(
    store: Store, review: ReplyReview, ada: Contact, still: TestClock
) -> None:
    still.move(minutes=2)
    DecideReply(review, make_user("sue", "Support", store), no_more=True).execute()
    entries = {entry.title: entry for entry in timeline(ada)}
    assert any(entry.detail.startswith("Perhaps an opt-out") for entry in entries.values())
    decided = entries["Decided about an unclear reply: they want no more texts"]
    assert (decided.detail, decided.text) == ("Decided by sue.", UNCLEAR)
    told = entries["Opted out of all texts"]
    assert told.detail == "By a text that staff has read · sue"
