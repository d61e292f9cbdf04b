"""What an open page asks for: what is new, and who else is here."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.admin_panels.inbox import thread_page
from smsflow_plugin.admin_panels.inbox.thread_page import page_of
from smsflow_plugin.conversations import reading
from smsflow_plugin.models import Contact, Message, Thread, ThreadVisitor
from tests.conftest import TestClock
from tests.inbox.conftest import texted, wrote

pytestmark = pytest.mark.django_db


def ask(client: Client, thread: Thread, **data: Any) -> dict[str, Any]:
    response = client.post(reverse("smsflow_inbox:news", args=[thread.pk]), data)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    answer: dict[str, Any] = response.json()
    return answer


def test_nothing_new_says_nothing(still: TestClock, as_ben: Client, thread: Thread) -> None:
    first = ask(as_ben, thread, stamp="")
    assert "Where is my parcel?" in first["lines"]
    again = ask(as_ben, thread, stamp=first["stamp"])
    assert again == {"stamp": first["stamp"], "presence": ""}


def test_what_changes_while_the_page_is_read_is_asked_for_again(
    still: TestClock, as_ben: Client, anna: Contact, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = texted(anna, "Hi", state="accepted", finished_at=None)

    def read_and_delivered(*args: Any, **values: Any) -> Any:
        page = page_of(*args, **values)
        Message.objects.filter(pk=message.pk).update(state="delivered", finished_at=still())
        return page

    with monkeypatch.context() as patch:
        patch.setattr(thread_page, "page_of", read_and_delivered)
        page = as_ben.get(reverse("smsflow_inbox:inspect", args=[thread.pk]))
    assert "Delivered" in ask(as_ben, thread, stamp=page.context["stamp"])["lines"]


def test_whoever_takes_it_on_while_news_are_read_is_news(
    as_ben: Client, ben: Any, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reading.stamp

    def taken_on(shown: Thread) -> str:
        Thread.objects.update(assigned_to=ben)
        return read(shown)

    with monkeypatch.context() as patch:
        patch.setattr(reading, "stamp", taken_on)
        stamp = ask(as_ben, thread)["stamp"]
    assert "ben" in ask(as_ben, thread, stamp=stamp)["head"]


def test_a_new_text_a_new_state_and_a_new_owner_are_news(
    still: TestClock, as_ben: Client, anna: Contact, ben: Any, thread: Thread
) -> None:
    stamp = ask(as_ben, thread)["stamp"]
    wrote(anna, "Hello again")
    news = ask(as_ben, thread, stamp=stamp)
    assert "Hello again" in news["lines"]
    assert news["said"][-1][1] == "Anna Holm wrote: Hello again"
    message = texted(anna, "Hi", state="queued", finished_at=None)
    stamp = ask(as_ben, thread, stamp=news["stamp"])["stamp"]
    Message.objects.filter(pk=message.pk).update(state="sending")
    sending = ask(as_ben, thread, stamp=stamp)
    assert sending["stamp"] != stamp
    Message.objects.filter(pk=message.pk).update(state="delivered", finished_at=still.move(seconds=5))
    delivered = ask(as_ben, thread, stamp=sending["stamp"])
    assert "Delivered" in delivered["lines"]
    Thread.objects.update(assigned_to=ben)
    assert "ben" in ask(as_ben, thread, stamp=delivered["stamp"])["head"]


def test_reading_makes_it_read_and_a_hidden_page_does_not(still: TestClock, as_ben: Client, thread: Thread) -> None:
    ask(as_ben, thread)
    thread.refresh_from_db()
    assert thread.unread == 1
    ask(as_ben, thread, reading="1")
    thread.refresh_from_db()
    assert thread.unread == 0


def test_two_people_see_each_other(still: TestClock, as_ben: Client, as_cara: Client, thread: Thread) -> None:
    assert ask(as_ben, thread)["presence"] == ""
    assert ask(as_cara, thread)["presence"] == "ben is looking at this."
    ask(as_ben, thread, typing="1")
    assert ask(as_cara, thread)["presence"] == "ben is writing an answer."
    still.move(seconds=12)
    ask(as_ben, thread)
    assert ask(as_cara, thread)["presence"] == "ben is looking at this."
    still.move(seconds=26)
    assert ask(as_cara, thread)["presence"] == ""
    assert ThreadVisitor.objects.count() == 2


def test_asking_is_cheap_while_nothing_happens(
    still: TestClock, as_ben: Client, thread: Thread, django_assert_max_num_queries: Any
) -> None:
    stamp = ask(as_ben, thread, reading="1")["stamp"]
    stamp = ask(as_ben, thread, stamp=stamp, reading="1")["stamp"]
    with django_assert_max_num_queries(14):
        ask(as_ben, thread, stamp=stamp, reading="1")


def test_an_opt_out_forbids_the_answer_on_an_open_page(still: TestClock, as_ben: Client, thread: Thread) -> None:
    stamp = ask(as_ben, thread)["stamp"]
    Contact.objects.update(service_consent="revoked", marketing_consent="revoked")
    news = ask(as_ben, thread, stamp=stamp)
    assert news["forbidden"] is True
    assert "opted out" in news["notices"]
