"""E-mails: only to who agreed, once, with a way to end them that needs no password."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from smsflow_plugin.engine.performing import Failed, Job
from smsflow_plugin.integrations.outgoing.mail import to_person, to_staff
from smsflow_plugin.models import ConsentRecord, Contact

pytestmark = pytest.mark.django_db

GRANTED, REVOKED, UNKNOWN = Contact.Consent.GRANTED, Contact.Consent.REVOKED, Contact.Consent.UNKNOWN


def job(contact: Contact, message_class: str = "marketing", **payload: Any) -> Job:
    return Job("1:s:0", contact.store, contact, "Welcome", message_class, payload)


@pytest.fixture
def ada(contact: Contact) -> Contact:
    Contact.objects.filter(pk=contact.pk).update(email="ada@example.com", email_consent=GRANTED)
    contact.refresh_from_db()
    return contact


def test_the_email_comes_under_the_brands_name_and_ends_with_one_click(ada: Contact) -> None:
    to_person(job(ada, subject="Hello\nBcc: x@example.com", body="Words."))
    (message,) = mail.outbox
    assert message.to == ["ada@example.com"]
    assert message.subject == "Hello Bcc: x@example.com"
    assert message.from_email.startswith(ada.store.brand)
    assert message.reply_to == [ada.store.help_contact]
    link = message.extra_headers["List-Unsubscribe"].strip("<>")
    assert link in message.body

    client = Client(enforce_csrf_checks=True)
    path = link.removeprefix("http://testserver")
    assert client.get(path).status_code == 200
    ada.refresh_from_db()
    assert ada.email_consent == GRANTED, "looking at the page is not pressing the button"

    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert client.post(path).status_code == 200
    ada.refresh_from_db()
    assert ada.email_consent == REVOKED
    record = ConsentRecord.objects.get(contact=ada, scope="email")
    assert (record.action, record.source) == ("revoked", "email_link")
    with pytest.raises(Failed, match="wants no"):
        to_person(job(ada, subject="Again", body="Words."))


@pytest.mark.parametrize(
    ("consent", "message_class", "goes"),
    [
        (GRANTED, "marketing", True),
        (UNKNOWN, "marketing", False),
        (REVOKED, "marketing", False),
        (UNKNOWN, "service", True),
        (REVOKED, "service", False),
    ],
)
def test_marketing_needs_a_yes_and_a_no_ends_service_too(
    ada: Contact, consent: str, message_class: str, goes: bool
) -> None:
    ada.email_consent = consent
    if goes:
        to_person(job(ada, message_class, subject="Hello", body="Words."))
    else:
        with pytest.raises(Failed):
            to_person(job(ada, message_class, subject="Hello", body="Words."))
    assert len(mail.outbox) == goes


def test_without_an_address_nothing_goes(ada: Contact) -> None:
    ada.email = ""
    with pytest.raises(Failed, match="no e-mail address"):
        to_person(job(ada, subject="Hello", body="Words."))


def test_staff_is_told_and_nonsense_addresses_are_passed_over(ada: Contact) -> None:
    to_staff(job(ada, to=["staff@example.com", "nonsense"], subject="Call Ada", body="She wants it."))
    assert mail.outbox[0].to == ["staff@example.com"]
    assert mail.outbox[0].body == "She wants it."
    with pytest.raises(Failed, match="no address"):
        to_staff(job(ada, to=["nonsense"], subject="Call Ada", body=""))


def test_staff_gets_the_same_words_as_html_with_links_and_without_anybody_elses_tags(ada: Contact) -> None:
    body = "Flow <b>x</b>\n\n- one\n- https://example.com/?a=1&b=2"
    to_staff(job(ada, to=["staff@example.com"], subject="Call", body=body))
    [(html, kind)] = mail.outbox[0].alternatives
    assert kind == "text/html"
    assert "<p>Flow &lt;b&gt;x&lt;/b&gt;</p>" in html
    assert 'href="https://example.com/?a=1&amp;b=2"' in html


def test_the_words_of_the_link_are_in_the_persons_language(ada: Contact) -> None:
    to_person(job(ada, subject="Hej", body="Ord.", language="da"))
    assert re.search(r"https?://", mail.outbox[0].body)


@pytest.mark.parametrize("token", ["nonsense", "a:b:c"])
def test_a_made_up_link_is_not_found(db: None, token: str) -> None:
    assert Client().get(f"/smsflow/outgoing/emails/{token}/").status_code == 404
