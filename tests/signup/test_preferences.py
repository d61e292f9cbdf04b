"""A person's own page: opened by anybody who has the link, changed by posting only."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from smsflow_plugin.audience.preference_links import contact_of, preference_token, preference_url
from smsflow_plugin.models import ConsentRecord, Contact, Delivery, Event, Message, Store
from smsflow_plugin.signup.watching import expire
from tests.conftest import TestClock
from tests.engine.helpers import texted
from tests.factories import make_contact, make_store
from tests.signup.conftest import pump

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(store: Store, still: TestClock) -> Contact:
    contact = make_contact(store, phone="+12025550123", opt_in_level="confirmed")
    still.move(days=1)
    return contact


def page(contact: Contact) -> str:
    return reverse("smsflow:preferences", args=[preference_token(contact)])


def get(contact: Contact, **query: str) -> str:
    return Client().get(page(contact), query).content.decode()


def post(contact: Contact, do: str, **fields: object) -> HttpResponse:
    return Client(enforce_csrf_checks=True).post(page(contact), {"do": do, **fields})


def test_the_link_says_nothing_of_the_person(ada: Contact) -> None:
    url = preference_url(ada)
    assert url.startswith("http://testserver/smsflow/preferences/") and len(url) < 140
    assert "2025550123" not in url and str(ada.uuid) not in url
    assert contact_of(preference_token(ada)) == ada
    shown = get(ada)
    assert "•••• 23" in shown
    for secret in ("2025550123", ada.first_name, ada.last_name, str(ada.uuid)):
        assert secret not in shown


def test_looking_changes_nothing_however_often_scanners_come(ada: Contact) -> None:
    before = Contact.objects.filter(pk=ada.pk).values().get()
    for query in ({}, {"do": "stop_all"}, {"do": "save", "per_week": "1"}, {"saved": "1"}):
        assert Client().get(page(ada), query).status_code == 200
        assert Client().head(page(ada), query).status_code == 200
    assert Contact.objects.filter(pk=ada.pk).values().get() == before
    assert not Delivery.objects.exists() and not Event.objects.exists()


def test_fewer_texts_and_only_some_kinds(ada: Contact) -> None:
    post(ada, "save", per_week="2", stage=["cart", "news"])
    ada.refresh_from_db()
    assert ada.preferences == {
        "per_week": 2,
        "refused": ["welcome", "browse", "order", "after", "retention", "win_back"],
    }
    told = Event.objects.get(kind="preferences_changed")
    assert told.data["per_week"] == 2 and told.data["before"] == {"per_week": None, "refused": []}
    post(ada, "save", per_week="2", stage=["cart", "news"])
    assert Event.objects.count() == 1
    post(
        ada,
        "save",
        per_week="None",
        stage=["welcome", "cart", "browse", "order", "after", "retention", "win_back", "news"],
    )
    ada.refresh_from_db()
    assert ada.preferences == {"per_week": None, "refused": []}


@pytest.mark.parametrize("per_week", ["", "0", "-1", "3", "9999", "x", "\u0000"])
def test_nonsense_is_no_limit(ada: Contact, per_week: str) -> None:
    assert post(ada, "save", per_week=per_week, stage=["nonsense"]).status_code == 302
    ada.refresh_from_db()
    assert ada.preferences["per_week"] is None


@pytest.mark.parametrize("stored", [None, [], "x", {"per_week": "many", "refused": "all"}, {"refused": [1, None]}])
def test_whatever_is_stored_the_page_opens(ada: Contact, stored: object) -> None:
    Contact.objects.update(preferences=stored if stored is not None else {})
    assert "As many as you send" in get(ada)


def test_no_more_marketing_at_once(ada: Contact, store: Store) -> None:
    Message.objects.create(
        store=store, contact=ada, message_class="marketing", sender="x", to=str(ada.phone), body="Hi", key="m"
    )
    Message.objects.create(
        store=store, contact=ada, message_class="service", sender="x", to=str(ada.phone), body="Hi", key="s"
    )
    post(ada, "stop_marketing")
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent, ada.opt_in_level) == ("revoked", "unknown", "")
    assert dict(Message.objects.values_list("key", "state")) == {"m": "cancelled", "s": "queued"}
    record = ConsentRecord.objects.get()
    assert (record.action, record.scope, record.source) == ("revoked", "marketing", "preferences")
    assert record.evidence["ip"] == "127.0.0.1"
    assert "You get no marketing texts from us." in get(ada)


def test_no_more_texts_at_all(ada: Contact) -> None:
    post(ada, "stop_all")
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("revoked", "revoked")
    assert Event.objects.get().kind == "opted_out"
    shown = get(ada)
    assert "not even about your orders" in shown and "No more texts at all" not in shown
    post(ada, "stop_all")
    assert Contact.objects.get().service_consent == "revoked"


def test_who_has_left_comes_back_by_their_phone_only(ada: Contact, store: Store, still: TestClock) -> None:
    post(ada, "stop_all")
    still.move(days=3)
    assert "Do you want our texts?" in get(ada)
    post(ada, "ask_again")
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent) == ("pending", "revoked")
    assert "Reply YES to that text." in get(ada)
    post(ada, "ask_again")
    assert Message.objects.filter(message_class="optin").count() == 1
    texted(store, "yes", phone=str(ada.phone), at=still.move(minutes=1))
    pump()
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.service_consent, ada.opt_in_level) == ("granted", "unknown", "confirmed")


def test_who_asks_to_come_back_and_does_not_answer_stays_away(ada: Contact, still: TestClock) -> None:
    post(ada, "stop_marketing")
    still.move(days=3)
    post(ada, "ask_again")
    still.move(hours=49)
    assert expire(still.at) == 1
    ada.refresh_from_db()
    assert ada.marketing_consent == "revoked"
    assert ConsentRecord.objects.latest("pk").source == "not_confirmed"


def test_asking_again_gives_nothing_to_who_gets_them_already(ada: Contact) -> None:
    post(ada, "ask_again")
    assert not Delivery.objects.exists()


def test_nobody_makes_up_a_link(ada: Contact) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com", sender="+12025550177")
    token = preference_token(ada)
    name, _tilde, signature = token.partition("~")
    forged = [f"{other.pk}.{name.partition('.')[2]}~{signature}", f"{name}~x", "x", f"{token}x", "~", "1.~", "\u00e6"]
    for bad in forged:
        url = reverse("smsflow:preferences", args=[bad])
        assert Client().get(url).status_code == 404
        assert Client().post(url, {"do": "stop_all"}).status_code == 404


def test_a_contact_without_a_number_has_no_page(store: Store, still: TestClock) -> None:
    assert Client().get(page(make_contact(store, phone=None))).status_code == 404


@pytest.mark.parametrize(
    ("language", "words"), [("da", "Dine sms"), ("de", "Deine SMS"), ("es", "Tus SMS"), ("fr", "Vos SMS")]
)
def test_it_speaks_the_persons_language(ada: Contact, language: str, words: str) -> None:
    Contact.objects.update(language=language)
    ada.refresh_from_db()
    assert words in get(ada)
    assert "Your texts from" in get(ada, lang="en")
