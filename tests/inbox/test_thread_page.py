"""The page of a conversation: what stands in it, and what an answer does."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.audience.suppression import suppress
from smsflow_plugin.models import CannedReply, Contact, Message, Store, Thread, ThreadNote
from smsflow_plugin.stores.roles import AGENCY, COPYWRITER
from tests.admin.people import client_of, make_user
from tests.conftest import TestClock
from tests.factories import make_contact, make_store
from tests.inbox.conftest import make_thread, texted, wrote

pytestmark = pytest.mark.django_db


def address(thread: Thread, name: str = "inspect") -> str:
    return reverse(f"smsflow_inbox:{name}", args=[thread.pk])


def html(response: Any) -> str:
    return str(response.content.decode())


def send(client: Client, thread: Thread, body: str = "On its way.", **values: Any) -> Any:
    data = {"body": body, "key": str(uuid.uuid4()), **values}
    return client.post(address(thread, "reply"), data)


def test_both_sides_stand_in_order_with_what_happened_in_between(
    still: TestClock, as_ben: Client, anna: Contact, ben: Any, thread: Thread
) -> None:
    wrote(anna, "Hello?", minutes=90, route={"by": "inbox", "why": "nothing"})
    texted(anna, "It left today.", minutes=30, author=ben)
    texted(anna, "It did not.", minutes=20, state="failed", reason="blocked")
    ThreadNote.objects.create(store=anna.store, thread=thread, body="Knows us well", author_name="cara")
    page = html(as_ben.get(address(thread)))
    places = [page.index(words) for words in ("Hello?", "It left today.", "It did not.")]
    assert places == sorted(places)
    assert "Put into the inbox." in page
    assert "Could not be delivered." in page
    assert "Note of cara" in page
    assert "Knows us well" in page
    assert "Today" in page


def test_a_picture_that_came_is_a_link_and_nothing_else_is(still: TestClock, as_ben: Client, anna: Contact) -> None:
    thread = make_thread(anna)
    wrote(anna, "Look", media=["https://media.example/1.jpg", "javascript:alert(1)"])
    page = html(as_ben.get(address(thread)))
    assert 'href="https://media.example/1.jpg"' in page
    assert "javascript:alert" not in page


def test_what_people_write_is_no_markup(still: TestClock, as_ben: Client, anna: Contact) -> None:
    thread = make_thread(anna, last_words="<img src=x>")
    wrote(anna, "<img src=x>")
    assert "<img src=x>" not in html(as_ben.get(address(thread)))
    assert "<img src=x>" not in html(as_ben.get(reverse("smsflow_inbox:index")))


def test_earlier_lines_are_asked_for(still: TestClock, as_ben: Client, anna: Contact, thread: Thread) -> None:
    for number in range(70):
        wrote(anna, f"Text {number:02}.", minutes=200 - number)
    page = as_ben.get(address(thread))
    assert "Text 69." in html(page)
    assert "Text 05." not in html(page)
    earlier = as_ben.get(address(thread, "earlier"), {"before": page.context["earlier"]})
    assert "Text 05." in html(earlier)
    assert "Text 69." not in html(earlier)
    assert "<html" not in html(earlier)


def test_the_number_of_queries_does_not_depend_on_the_length(
    still: TestClock, as_ben: Client, anna: Contact, ben: Any, thread: Thread, django_assert_max_num_queries: Any
) -> None:
    as_ben.get(address(thread))
    for number in range(40):
        wrote(anna, f"Text {number:02}.", minutes=200 - number)
        texted(anna, f"Answer {number:02}.", minutes=200 - number, author=ben)
    with django_assert_max_num_queries(55):
        as_ben.get(address(thread))


def test_an_answer_is_queued_in_the_name_of_who_wrote_it(
    still: TestClock, as_ben: Client, ben: Any, thread: Thread
) -> None:
    response = send(as_ben, thread)
    assert response.status_code == 302
    message = Message.objects.get()
    assert (message.body, message.author, message.state) == ("On its way.", ben, "queued")
    assert "On its way." in html(as_ben.get(address(thread)))


def test_a_double_press_is_one_text(still: TestClock, as_ben: Client, as_cara: Client, thread: Thread) -> None:
    key = str(uuid.uuid4())
    assert send(as_ben, thread, key=key).status_code == 302
    assert send(as_ben, thread, key=key).status_code == 302
    assert Message.objects.count() == 1


def test_send_and_close(still: TestClock, as_ben: Client, thread: Thread) -> None:
    response = send(as_ben, thread, close="1")
    assert response.url == reverse("smsflow_inbox:index")
    thread.refresh_from_db()
    assert thread.state == Thread.State.CLOSED


def test_nothing_closes_over_a_text_that_has_come_meanwhile(still: TestClock, as_ben: Client, thread: Thread) -> None:
    page = as_ben.get(address(thread))
    seen = page.context["heard"]
    assert f'name="heard" value="{seen}"' in html(page)
    Thread.objects.update(heard_at=still.move(minutes=1), unread=2)
    response = send(as_ben, thread, close="1", heard=seen)
    assert response.url == address(thread)
    assert "the conversation stays open" in html(as_ben.get(response.url))
    as_ben.post(address(thread, "snooze"), {"way": "hour", "heard": seen})
    thread.refresh_from_db()
    assert (thread.state, Message.objects.count()) == (Thread.State.OPEN, 1)
    as_ben.post(address(thread, "close"), {"heard": as_ben.get(address(thread)).context["heard"]})
    thread.refresh_from_db()
    assert thread.state == Thread.State.CLOSED


def test_what_was_typed_stays_when_it_is_refused(still: TestClock, as_ben: Client, thread: Thread) -> None:
    Contact.objects.update(service_consent="revoked", marketing_consent="revoked")
    page = html(send(as_ben, thread, body="I typed for long."))
    assert "I typed for long." in page
    assert "They get no more texts, also not from you." in page
    assert not Message.objects.exists()


def test_an_empty_answer_says_so(still: TestClock, as_ben: Client, thread: Thread) -> None:
    assert "Write something first." in html(send(as_ben, thread, body=" "))


def test_suppressed_numbers_cannot_be_answered(still: TestClock, as_ben: Client, anna: Contact, thread: Thread) -> None:
    suppress([(anna.store_id, str(anna.phone))], "by_hand", note="", by="", now=still())
    assert "This number is on the suppression list of this store." in html(as_ben.get(address(thread)))
    send(as_ben, thread)
    assert not Message.objects.exists()


def test_at_night_the_page_says_what_time_it_is_there(still: TestClock, as_ben: Client, thread: Thread) -> None:
    still.move(hours=12)
    Thread.objects.update(heard_at=None)
    assert "It is 23:00 for Anna: quiet hours. A text goes at" in html(as_ben.get(address(thread)))
    Thread.objects.update(heard_at=still())
    assert "They wrote, so an answer goes at once." in html(as_ben.get(address(thread)))


def test_who_answers_after_somebody_else_is_asked_first(
    still: TestClock, as_ben: Client, as_cara: Client, thread: Thread
) -> None:
    seen = as_cara.get(address(thread)).context["body_form"].initial["seen"]
    send(as_ben, thread, body="Bens answer.")
    still.move(seconds=10)
    page = html(send(as_cara, thread, body="Caras answer.", seen=seen))
    assert "ben has answered since you opened this page:" in page
    assert "Caras answer." in page
    assert [message.body for message in Message.objects.all()] == ["Bens answer."]
    assert send(as_cara, thread, body="Caras answer.", seen=seen, anyway="1").status_code == 302
    assert Message.objects.count() == 2


def test_who_answers_twice_is_not_asked_about_themselves(still: TestClock, as_ben: Client, thread: Thread) -> None:
    assert send(as_ben, thread, body="One.", seen=0).status_code == 302
    assert send(as_ben, thread, body="Two.", seen=0).status_code == 302


def test_a_note_is_for_colleagues(still: TestClock, as_ben: Client, thread: Thread) -> None:
    as_ben.post(address(thread, "note"), {"body": "Call her."})
    assert ThreadNote.objects.get(kind="note").body == "Call her."
    assert not Message.objects.exists()
    assert "Write something first." in html(as_ben.post(address(thread, "note"), {"body": ""}))


def test_assign_snooze_close_reopen(still: TestClock, as_ben: Client, cara: Any, thread: Thread) -> None:
    as_ben.post(address(thread, "assign"), {"to": cara.pk})
    thread.refresh_from_db()
    assert thread.assigned_to == cara
    as_ben.post(address(thread, "assign"), {"to": ""})
    thread.refresh_from_db()
    assert thread.assigned_to is None
    as_ben.post(address(thread, "snooze"), {"way": "tomorrow"})
    thread.refresh_from_db()
    # nine o'clock in New York
    assert thread.snoozed_until is not None
    assert thread.snoozed_until.isoformat() == "2026-03-05T14:00:00+00:00"
    as_ben.post(address(thread, "reopen"))
    as_ben.post(address(thread, "close"))
    thread.refresh_from_db()
    assert thread.state == Thread.State.CLOSED
    as_ben.post(address(thread, "reopen"))
    thread.refresh_from_db()
    assert thread.state == Thread.State.OPEN
    page = html(as_ben.get(address(thread)))
    assert "Snoozed" in page
    assert "Snoozed: 5 Mar, 09:00" in page


@pytest.mark.parametrize("data", [{"way": "until", "at": "2026-03-04T10:00"}, {"way": "until"}, {"way": "never"}, {}])
def test_a_snooze_needs_a_time_to_come(still: TestClock, as_ben: Client, thread: Thread, data: dict[str, str]) -> None:
    page = html(as_ben.post(address(thread, "snooze"), data, follow=True))
    assert "Say until when: a time that is still to come." in page
    thread.refresh_from_db()
    assert thread.state == Thread.State.OPEN


def test_a_snooze_is_meant_on_the_stores_clock(still: TestClock, as_ben: Client, thread: Thread) -> None:
    as_ben.post(address(thread, "snooze"), {"way": "until", "at": "2026-03-06T08:30"})
    thread.refresh_from_db()
    assert thread.snoozed_until is not None
    assert thread.snoozed_until.isoformat() == "2026-03-06T13:30:00+00:00"


def test_take_over_and_give_back(still: TestClock, as_ben: Client, anna: Contact, thread: Thread) -> None:
    as_ben.post(address(thread, "take_over"))
    anna.refresh_from_db()
    assert anna.handed_over_at is not None
    assert "Flows wait" in html(as_ben.get(address(thread)))
    as_ben.post(address(thread, "hand_back"))
    anna.refresh_from_db()
    assert anna.handed_over_at is None


def test_record_opt_out(still: TestClock, as_ben: Client, anna: Contact, thread: Thread) -> None:
    response = as_ben.post(address(thread, "opt_out"), follow=True)
    assert "Anna Holm gets no more texts of this store." in html(response)
    anna.refresh_from_db()
    assert anna.service_consent == "revoked"


def test_nobody_is_assigned_who_may_not_answer(still: TestClock, as_ben: Client, store: Store, thread: Thread) -> None:
    carl = make_user("carl", COPYWRITER, store)
    page = html(as_ben.post(address(thread, "assign"), {"to": carl.pk}, follow=True))
    assert "Choose somebody who may answer here." in page
    thread.refresh_from_db()
    assert thread.assigned_to is None


def test_canned_replies_are_filled_in_for_the_person(
    still: TestClock, as_ben: Client, store: Store, thread: Thread
) -> None:
    rows = [
        ("Hello", "", "Hello {{ contact.first_name }}"),
        ("Hello", "da", "Hej {{ contact.first_name }}"),
        ("Size", "", "Your size is {{ contact.fields.size }}"),
        ("Broken", "", "{{ nothing"),
    ]
    for name, language, body in rows:
        CannedReply.objects.create(store=store, name=name, language=language, body=body)
    CannedReply.objects.create(store=make_store(name="Other", domain="o.myshopify.com"), name="Theirs", body="No")
    url = address(thread, "canned")
    assert as_ben.get(url).json() == {"replies": [{"name": "Hello", "body": "Hello Anna"}]}
    Contact.objects.filter(pk=thread.contact_id).update(language="da-DK")
    assert as_ben.get(url).json() == {"replies": [{"name": "Hello", "body": "Hej Anna"}]}


def test_whoever_only_reads_changes_nothing(still: TestClock, store: Store, thread: Thread) -> None:
    reader = client_of(make_user("ag", AGENCY, store))
    page = html(reader.get(address(thread)))
    assert "Where is my parcel?" in page
    assert "smsflow-composer" not in page.replace("smsflow-composer:typed", "")
    for name in ("reply", "note", "assign", "snooze", "close", "take_over", "opt_out"):
        reader.post(address(thread, name), {"body": "No", "key": str(uuid.uuid4()), "way": "hour"})
    assert not Message.objects.exists()
    assert not ThreadNote.objects.exists()
    thread.refresh_from_db()
    assert thread.state == Thread.State.OPEN


def test_copywriters_see_no_inbox(still: TestClock, store: Store, thread: Thread) -> None:
    carl = client_of(make_user("carl", COPYWRITER, store))
    assert carl.get(reverse("smsflow_inbox:index")).status_code == 302
    assert carl.get(address(thread)).status_code == 404
    assert "smsflow-badge" not in html(carl.get(reverse("wagtailadmin_home"))).replace("smsflow/inbox-badge", "")
    assert carl.get(reverse("smsflow_inbox:count")).json() == {"waiting": 0}


def test_threads_of_another_store_are_not_there(still: TestClock, as_ben: Client) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    thread = make_thread(make_contact(other, first_name="Zoe"))
    for name in ("inspect", "earlier", "rail", "canned"):
        assert as_ben.get(address(thread, name)).status_code == 404
    for name in ("reply", "note", "news", "assign", "snooze", "close", "reopen", "take_over", "hand_back", "opt_out"):
        assert as_ben.post(address(thread, name), {"body": "x", "key": str(uuid.uuid4())}).status_code == 404
    assert "Zoe" not in html(as_ben.get(reverse("smsflow_inbox:index")))


def test_staff_starts_a_conversation_from_the_contacts_page(still: TestClock, as_ben: Client, anna: Contact) -> None:
    start = reverse("smsflow_inbox:start", args=[anna.pk])
    assert start in html(as_ben.get(reverse("smsflow_contacts:inspect", args=[anna.pk])))
    assert "Write a text" in html(as_ben.get(start))
    response = as_ben.post(start, {"body": "Your order is ready.", "key": str(uuid.uuid4())})
    thread = Thread.objects.get(contact=anna)
    assert response.url == address(thread)
    assert Message.objects.get().body == "Your order is ready."
    # from then on the button leads to the conversation
    assert as_ben.get(start).url == address(thread)


def test_nobody_starts_with_somebody_who_has_not_agreed(still: TestClock, as_ben: Client, anna: Contact) -> None:
    Contact.objects.update(marketing_consent="unknown")
    start = reverse("smsflow_inbox:start", args=[anna.pk])
    page = html(as_ben.post(start, {"body": "Buy!", "key": str(uuid.uuid4())}))
    assert page.count("has not agreed to texts") == 1
    assert "Buy!" in page
    assert not Message.objects.exists()
    for closed in (page, html(as_ben.get(start))):
        assert "disabled" in closed.partition('id="id_body"')[0].rpartition("<fieldset")[2]
        assert 'method="post" novalidate' not in closed, "there is nothing to send"
