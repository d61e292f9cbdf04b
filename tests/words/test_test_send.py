"""A draft's texts on a real phone: only to numbers that are proved, and never to who has opted out."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.messaging.test_numbers import (
    CODES_PER_NUMBER,
    MAX_WRONG_CODES,
    TESTS_PER_HOUR,
    AddTestNumber,
    SendToTestNumber,
    VerifyTestNumber,
)
from smsflow_plugin.models import Contact, Enrollment, Event, Flow, Message, TestNumber
from tests.factories import make_contact
from tests.words.people import as_role, make_flow, send

pytestmark = pytest.mark.django_db

PHONE = "+12025550142"


@pytest.fixture
def flow(store: Any) -> Flow:
    return make_flow(store)


@pytest.fixture
def number(store: Any) -> TestNumber:
    return TestNumber.objects.create(store=store, phone=PHONE, label="Ann's phone", verified_at=clock.now())


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock that tests move."""
    moment = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: moment[0])

    def forward(**length: int) -> None:
        moment[0] += timedelta(**length)

    return forward


def send_url(flow: Flow) -> str:
    return reverse("smsflow_test_send:send", args=[flow.pk])


def posted(number: TestNumber, **values: Any) -> dict[str, Any]:
    return {"copy": "", "language": "", "contact": "", "number": number.pk, "key": uuid.uuid4(), **values}


def add(store: Any, phone: str = PHONE) -> TestNumber:
    return AddTestNumber(store, phone=phone).execute(skip_permission_checks=True)


def code_of(number: TestNumber) -> str:
    body = Message.objects.filter(to=number.phone).latest("pk").body
    (code,) = re.findall(r"\b\d{6}\b", body)
    return str(code)


def verify(number: TestNumber, code: str) -> TestNumber:
    return VerifyTestNumber(number, code=code).execute(skip_permission_checks=True)


def refused(action: Any) -> str:
    with pytest.raises(ValidationError) as refusal:
        action()
    return " ".join(refusal.value.messages)


def test_a_number_is_proved_by_the_code_that_was_texted_to_it(store: Any) -> None:
    client = as_role("Agency", store)
    response = client.post(
        reverse("smsflow_test_send:numbers", args=[store.pk]), {"to": "(202) 555-0142", "label": "Ann"}
    )
    number = TestNumber.objects.get()
    assert response["Location"] == reverse("smsflow_test_send:verify", args=[number.pk])
    assert (number.phone, number.label, number.verified_at, number.added_by) == (PHONE, "Ann", None, "agency")
    client.post(response["Location"], {"code": code_of(number)})
    number.refresh_from_db()
    assert number.verified_at and not number.code_hash
    assert "Verified" in client.get(reverse("smsflow_test_send:numbers", args=[store.pk])).content.decode()


def test_a_code_is_kept_as_a_hash_and_sent_as_a_test(store: Any) -> None:
    number = add(store)
    message = Message.objects.get()
    assert (message.purpose, message.to) == ("test", PHONE)
    assert code_of(number) not in number.code_hash and number.code_hash.count("$") >= 2


def test_a_code_is_good_for_ten_minutes(store: Any, time: Any) -> None:
    number = add(store)
    time(minutes=10, seconds=1)
    assert "no longer good" in refused(lambda: verify(number, code_of(number)))
    number.refresh_from_db()
    assert number.verified_at is None


def test_after_five_wrong_codes_the_right_one_is_refused_too(store: Any) -> None:
    number = add(store)
    right = code_of(number)
    wrong = "000000" if right != "000000" else "000001"
    for _guess in range(MAX_WRONG_CODES):
        assert "not the code" in refused(lambda: verify(number, wrong))
    assert "wrong too often" in refused(lambda: verify(number, right))
    number.refresh_from_db()
    assert number.wrong_codes == MAX_WRONG_CODES and number.verified_at is None


def test_a_new_code_makes_the_old_one_worthless(store: Any, time: Any) -> None:
    number = add(store)
    old = code_of(number)
    assert "Wait a minute" in refused(lambda: add(store))
    time(minutes=1, seconds=1)
    number = add(store)
    if old != code_of(number):
        assert "not the code" in refused(lambda: verify(number, old))
    assert verify(number, code_of(number)).verified_at


def test_nobody_is_pestered_with_codes(store: Any, time: Any) -> None:
    for _code in range(CODES_PER_NUMBER):
        add(store)
        time(minutes=2)
    assert "Too many codes" in refused(lambda: add(store))
    time(days=1)
    assert add(store).phone == PHONE


def test_who_has_opted_out_gets_neither_code_nor_test(store: Any, number: TestNumber) -> None:
    make_contact(store, phone=PHONE, marketing_consent=Contact.Consent.REVOKED)
    other = make_contact(store, service_consent=Contact.Consent.REVOKED)
    assert "opted out" in refused(lambda: add(store, other.phone))
    action = SendToTestNumber(number, bodies=["Hello."], key="k")
    assert "opted out" in refused(lambda: action.execute(skip_permission_checks=True))
    assert not Message.objects.exists() and TestNumber.objects.count() == 1


def test_the_newest_drafts_texts_are_sent_as_tests_and_start_nothing(flow: Flow, number: TestNumber) -> None:
    client = as_role("Copywriter", flow.store)
    response = client.post(send_url(flow), posted(number))
    assert response.status_code == 302
    sent = list(Message.objects.order_by("pk"))
    assert [message.body for message in sent][0] == "Sierra Gear: Hi Ada, 10% off today.\nReply STOP to opt out."
    assert len(sent) == 5
    assert {(message.purpose, message.to, message.flow_id, message.contact_id) for message in sent} == {
        ("test", PHONE, None, None)
    }
    assert not Enrollment.objects.exists() and not Event.objects.exists()


def test_one_text_in_one_language(flow: Flow, number: TestNumber) -> None:
    as_role("Agency", flow.store).post(send_url(flow), posted(number, copy="a-1", language="da"))
    (message,) = Message.objects.all()
    assert "Hvilken størrelse?" in message.body and "Svar STOP" in message.body


def test_a_form_sent_twice_sends_once(flow: Flow, number: TestNumber) -> None:
    client, data = as_role("Agency", flow.store), posted(number, copy="s-1")
    client.post(send_url(flow), data)
    client.post(send_url(flow), data)
    assert Message.objects.count() == 1


def test_a_real_contact_fills_the_text_with_what_has_happened_to_them(store: Any, number: TestNumber) -> None:
    flow = make_flow(store, [send("{{ contact.first_name }}: 5% off {{ cart.first_item }}", "s")], "cart_updated")
    contact = make_contact(store, first_name="Mo", email="mo@example.com")
    data = {"cart": {"first_item": "Tent"}}
    Event.objects.create(store=store, contact=contact, kind="cart_updated", key="1", occurred_at=clock.now(), data=data)
    client = as_role("Agency", store)
    client.post(send_url(flow), posted(number, contact="MO@example.com"))
    assert "Mo: 5% off Tent" in Message.objects.get().body
    nobody = client.post(send_url(flow), posted(number, contact="nobody@example.com")).content.decode()
    assert "No contact of this store" in nobody


def test_a_missing_value_is_said_instead_of_sent(store: Any, number: TestNumber) -> None:
    flow = make_flow(store, [send("Hi {{ contact.first_name }}, 5%", "s")])
    contact = make_contact(store, first_name="")
    page = as_role("Agency", store).post(send_url(flow), posted(number, contact=contact.phone)).content.decode()
    assert "“contact.first_name” is not known of this person" in page
    assert not Message.objects.exists()


def test_a_copywriter_tests_with_the_example_only_and_adds_no_numbers(flow: Flow, number: TestNumber) -> None:
    contact = make_contact(flow.store, first_name="Secret")
    client = as_role("Copywriter", flow.store)
    assert "contact" not in client.get(send_url(flow)).context["form"].fields
    client.post(send_url(flow), posted(number, copy="s-1", contact=contact.phone))
    assert "Secret" not in Message.objects.get().body
    address = reverse("smsflow_test_send:numbers", args=[flow.store_id])
    assert client.get(address).status_code == 302
    client.post(address, {"to": "+12025550143"})
    assert TestNumber.objects.count() == 1
    with pytest.raises(PermissionDenied):
        AddTestNumber(flow.store, get_user_model().objects.get(username="copywriter"), phone="+12025550143").execute()


def test_only_verified_numbers_of_the_own_store_get_texts(flow: Flow, danish_store: Any) -> None:
    waiting = TestNumber.objects.create(store=flow.store, phone="+12025550143")
    theirs = TestNumber.objects.create(store=danish_store, phone="+4520123456", verified_at=clock.now())
    client = as_role("Agency", flow.store)
    for number in (waiting, theirs):
        assert client.post(send_url(flow), posted(number)).status_code == 200
    assert "not verified" in refused(
        lambda: SendToTestNumber(waiting, bodies=["x"], key="k").execute(skip_permission_checks=True)
    )
    assert not Message.objects.exists()


def test_an_hour_has_room_for_so_many_tests_and_no_more(flow: Flow, number: TestNumber, time: Any) -> None:
    def test(key: str) -> Any:
        return SendToTestNumber(number, bodies=["Hello."] * 20, key=key).execute(skip_permission_checks=True)

    for round_ in range(TESTS_PER_HOUR // 20):
        test(str(round_))
    assert "last hour" in refused(lambda: test("more"))
    time(hours=1, minutes=1)
    assert len(test("later")) == 20


@pytest.mark.parametrize("view", ["send", "numbers", "verify", "resend", "remove"])
def test_another_stores_flows_and_numbers_are_not_there(
    flow: Flow, number: TestNumber, danish_store: Any, view: str
) -> None:
    client = as_role("Store admin", danish_store)
    pk = {"send": flow.pk, "numbers": flow.store_id}.get(view, number.pk)
    assert client.post(reverse(f"smsflow_test_send:{view}", args=[pk]), {"code": "1"}).status_code == 404
    assert TestNumber.objects.filter(pk=number.pk, verified_at__isnull=False).exists()


def test_support_sends_no_tests(flow: Flow, number: TestNumber) -> None:
    client = as_role("Support", flow.store)
    assert client.post(send_url(flow), posted(number)).status_code == 302
    assert not Message.objects.exists()


def test_a_removed_number_gets_nothing_more(flow: Flow, number: TestNumber) -> None:
    client = as_role("Agency", flow.store)
    response = client.post(reverse("smsflow_test_send:remove", args=[number.pk]))
    assert PHONE in " ".join(map(str, get_messages(response.wsgi_request)))
    assert not TestNumber.objects.exists()
    assert "No number of this store is verified yet." in client.get(send_url(flow)).content.decode()
