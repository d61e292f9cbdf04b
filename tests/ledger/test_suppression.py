"""The suppression list: numbers that are never texted, known by their hashes only."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin import checks
from smsflow_plugin.audience.number_lists import Unreadable, read_numbers
from smsflow_plugin.audience.phone_keys import derived, hash_phone, phone_hashes
from smsflow_plugin.audience.suppressing import LiftSuppression, SuppressNumbers
from smsflow_plugin.audience.suppression import suppress, suppressed, suppressed_numbers
from smsflow_plugin.models import Store, StoreLogEntry, Suppression
from tests.admin.people import client_of, make_user
from tests.conftest import NOON
from tests.engine.helpers import pump, texted
from tests.factories import make_contact, make_store

ADA, BEN = "+12025550101", "+12025550102"


@pytest.fixture
def admin(store: Store) -> Client:
    return client_of(make_user("owner", "Store admin", store))


# Hashes ------------------------------------------------------------------------------------------


def test_a_new_key_in_front_forgets_no_number(settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PHONE_PEPPER": "old and long"}
    before = hash_phone(ADA)
    settings.SMSFLOW = {**settings.SMSFLOW, "PHONE_PEPPER": ["new and long", "old and long"]}
    assert hash_phone(ADA) != before
    assert before in phone_hashes(ADA)


def test_without_a_pepper_the_encryption_keys_stand_in_and_can_be_put_down(settings: Any) -> None:
    (key,) = settings.SMSFLOW["ENCRYPTION_KEYS"]
    before = hash_phone(ADA)
    settings.SMSFLOW = {**settings.SMSFLOW, "PHONE_PEPPER": derived(key), "ENCRYPTION_KEYS": ["another"]}
    assert hash_phone(ADA) == before


def test_a_hash_tells_no_number_and_no_number_has_none() -> None:
    assert len(hash_phone(ADA)) == 64
    assert hash_phone(ADA) != hash_phone(BEN)
    assert (hash_phone(""), phone_hashes("")) == ("", [])


# Lists of numbers --------------------------------------------------------------------------------


def test_numbers_are_read_as_people_write_them() -> None:
    text = "\n".join(
        ["Name;Phone", "Ada;(202) 555-0101", '"Lovelace, Ada",+1 202 555 0102', "", "202.555.0103", "0045 20 12 34 56"]
    )
    read = read_numbers(text, "US")
    assert read.numbers == (ADA, BEN, "+12025550103")
    assert read.unreadable == (Unreadable(6, "0045 20 12 34 56"),)
    assert read_numbers("0045 20 12 34 56\n20 12 34 56", "DK").numbers == ("+4520123456",)


def test_no_line_is_lost() -> None:
    lines = ["+12025550101", "+1 (202) 555 0101", "12", "not a number", "+12025550102 ext 5", "+12025550102"]
    read = read_numbers("\n".join(lines), "US")
    assert len(read.numbers) + read.repeated + len(read.unreadable) == len(lines)
    assert [line.line for line in read.unreadable] == [3, 4, 5]


# Asking ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_store_knows_its_own_list_only(store: Store, danish_store: Store) -> None:
    suppress([(store.pk, ADA)], "landline", now=NOON)
    ada, ben, other = (
        make_contact(store, phone=ADA),
        make_contact(store, phone=BEN),
        make_contact(danish_store, phone=ADA),
    )
    nobody = make_contact(store, phone=None)
    assert suppressed([ada, ben, other, nobody]) == {ada.pk: "landline"}
    assert suppressed_numbers([(store.pk, ADA), (danish_store.pk, ADA)]) == {(store.pk, ADA): "landline"}


@pytest.mark.django_db
def test_it_is_one_query_for_any_number_of_people(store: Store) -> None:
    people = [make_contact(store) for _ in range(30)]
    with CaptureQueriesContext(connection) as queries:
        suppressed(people)
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert suppressed([make_contact(store, phone=None)]) == {}
    assert len(queries) == 1  # the insert


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reason", "lifted"),
    [("erased", True), ("opted_out_elsewhere", True), ("landline", False), ("by_hand", False), ("invalid", False)],
)
def test_an_own_word_lifts_what_the_person_had_said_and_nothing_else(
    store: Store, still: Any, settings: Any, reason: str, lifted: bool
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}
    suppress([(store.pk, ADA)], reason, now=NOON)
    still.move(minutes=1)
    texted(store, "START", phone=ADA)
    pump()
    assert Suppression.objects.exists() != lifted


@pytest.mark.django_db
def test_adding_counts_what_is_new_and_keeps_what_is_there(store: Store) -> None:
    user = make_user("agent", "Support", store)
    first = SuppressNumbers(store, user, numbers=[ADA, ADA], reason="by_hand", note="Wrong number").execute()
    again = SuppressNumbers(store, user, numbers=[ADA, BEN], reason="landline").execute()
    assert [(r.added, r.known) for r in (first, again)] == [(1, 0), (1, 1)]
    entry = Suppression.objects.get(last4="0101")
    assert (entry.reason, entry.note, entry.created_by) == ("by_hand", "Wrong number", "agent")
    assert StoreLogEntry.objects.filter(action="smsflow.suppress").count() == 2


@pytest.mark.django_db
def test_only_a_store_admin_or_the_agency_takes_a_number_off(store: Store) -> None:
    suppress([(store.pk, ADA)], "by_hand", now=NOON)
    entry = Suppression.objects.get()
    with pytest.raises(PermissionDenied):
        LiftSuppression(entry, make_user("agent", "Support", store), why="x").execute()
    LiftSuppression(entry, make_user("agency", "Agency", store), why="A mistake").execute()
    assert not Suppression.objects.exists()
    assert StoreLogEntry.objects.get(action="smsflow.unsuppress").data == {"reason": "by_hand", "why": "A mistake"}


# The screens -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_file_is_added_and_every_line_accounted_for(store: Store, admin: Client) -> None:
    suppress([(store.pk, BEN)], "by_hand", now=NOON)
    file = SimpleUploadedFile(
        "list.csv", "phone\n+12025550101\n+1 202 555 0102\nnonsense 1\n+12025550101\n".encode("utf-8-sig")
    )
    page = admin.post(
        reverse("smsflow_suppressions:suppress"),
        {"store": store.pk, "reason": "opted_out_elsewhere", "note": "Old system", "file": file},
    ).content.decode()
    for sentence in (
        "1 number was added.",
        "1 was on the list already.",
        "1 line named a number again.",
        "1 line could not be read.",
    ):
        assert sentence in page
    assert '<li value="4"><code>nonsense 1</code></li>' in page
    assert Suppression.objects.get(last4="0101").source == "file"


@pytest.mark.django_db
def test_the_list_finds_a_whole_number_and_shows_none(store: Store, admin: Client) -> None:
    suppress([(store.pk, ADA), (store.pk, BEN)], "by_hand", now=NOON)
    index = reverse("smsflow_suppressions:index")
    for query in ("+1 202 555 0101", "202-555-0101", "0101"):
        page = admin.get(index, {"q": query}).content.decode()
        assert "••• 0101" in page
        assert "••• 0102" not in page
    for query in ("555", "no number", "+12025550109"):
        assert "••• 01" not in admin.get(index, {"q": query}).content.decode()
    exported = b"".join(admin.get(index, {"export": "csv"}).streaming_content).decode()
    assert hash_phone(ADA) in exported
    assert ADA[1:] not in exported


@pytest.mark.django_db
def test_a_number_is_taken_off_with_a_reason(store: Store, admin: Client) -> None:
    suppress([(store.pk, ADA)], "by_hand", now=NOON)
    url = reverse("smsflow_suppressions:inspect", args=[Suppression.objects.get().pk])
    assert admin.post(url, {"why": ""}).status_code == 200
    assert admin.post(url, {"why": "Typed wrongly"}).status_code == 302
    assert not Suppression.objects.exists()


@pytest.mark.django_db
def test_support_sees_an_entry_and_cannot_take_it_off(store: Store) -> None:
    suppress([(store.pk, ADA)], "by_hand", now=NOON)
    support = client_of(make_user("agent", "Support", store))
    url = reverse("smsflow_suppressions:inspect", args=[Suppression.objects.get().pk])
    assert "Only a store admin or the agency takes a number off the list." in support.get(url).content.decode()
    support.post(url, {"why": "x"})
    assert Suppression.objects.exists()


@pytest.mark.django_db
def test_nobody_adds_to_the_list_of_another_store(store: Store, admin: Client) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    data = {"store": other.pk, "reason": "by_hand", "numbers": ADA}
    assert "Select a valid choice" in admin.post(reverse("smsflow_suppressions:suppress"), data).content.decode()
    assert not Suppression.objects.exists()


@pytest.mark.django_db
def test_a_suppressed_person_is_marked_on_their_page(store: Store, admin: Client) -> None:
    ada = make_contact(store, phone=ADA)
    suppress([(store.pk, ADA)], "blocked_by_carrier", now=NOON)
    page = admin.get(reverse("smsflow_contacts:inspect", args=[ada.pk])).content.decode()
    assert "This number is on the suppression list and is not texted: Blocked by the carrier." in page


# Keys that must not get lost ---------------------------------------------------------------------


def use(settings: Any, **values: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, **values}


def test_a_real_site_without_a_pepper_is_told_so(settings: Any) -> None:
    assert [found.id for found in checks.check_phone_pepper_for_deployment(None)] == ["smsflow.E015"]
    use(settings, PHONE_PEPPER="long and random")
    assert checks.check_phone_pepper_for_deployment(None) == []


@pytest.mark.django_db
def test_a_key_that_was_lost_is_missed(store: Store, settings: Any) -> None:
    suppress([(store.pk, ADA)], "by_hand", now=NOON)
    assert checks.check_suppression_keys(None, ["default"]) == []
    out = StringIO()
    call_command("smsflow_pepper", stdout=out)
    call_command("smsflow_rotate_keys", stdout=out)
    assert "Keep the old keys" in out.getvalue()
    use(settings, PHONE_PEPPER=["new", out.getvalue().split()[0]])
    assert checks.check_suppression_keys(None, ["default"]) == []
    assert suppressed_numbers([(store.pk, ADA)])
    use(settings, PHONE_PEPPER="new")
    assert [found.id for found in checks.check_suppression_keys(None, ["default"])] == ["smsflow.E016"]
