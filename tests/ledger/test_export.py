"""What a person gets who asks what is kept about them: everything, for machines and to be read."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.audience.suppression import suppress
from smsflow_plugin.engine.erasing import erase
from smsflow_plugin.measurement.export import INTERNAL, ExportPerson, everything_about
from smsflow_plugin.models import Contact, Delivery, Event, Message, Store, StoreLogEntry
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.conftest import NOON
from tests.factories import make_contact, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(store: Store) -> Rows:
    rows = fill(store)
    said(rows.contact, "revoked", wording="Please <b>stop</b>", evidence={"customer": "4711"})
    suppress([(store.pk, rows.contact.phone)], "by_hand", now=NOON)
    Delivery.objects.create(
        store=store,
        source="sinch",
        external_id="r",
        state="done",
        body=f'{{"to": "{rows.contact.phone[1:]}"}}'.encode(),
    )
    return rows


def opened(content: bytes) -> tuple[dict[str, Any], str]:
    archive = ZipFile(BytesIO(content))
    return json.loads(archive.read("person.json")), archive.read("person.html").decode()


def test_both_files_hold_what_was_said_sent_and_decided(rows: Rows) -> None:
    user = make_user("owner", "Store admin", rows.store)
    data, page = opened(ExportPerson(rows.contact, user).execute())
    assert data["contact"]["phone"] == rows.contact.phone
    assert [record["wording"] for record in data["consentrecord"]] == ["Yes, text me.", "Please <b>stop</b>"]
    assert all(record["hash"] for record in data["consentrecord"])
    assert data["message"][0]["body"] == rows.message.body
    assert "quiet hours in" in " ".join(decision["in_words"] for decision in data["decision"])
    assert data["suppression"] == "by_hand"
    assert {delivery["source"] for delivery in data["deliveries"]} == {"shopify", "sinch"}
    assert "Please &lt;b&gt;stop&lt;/b&gt;" in page
    assert "Added by hand" in page
    assert "4711" in page


def test_no_column_is_forgotten_and_what_is_added_later_is_in_it(rows: Rows) -> None:
    data = everything_about(rows.contact)
    assert set(data["contact"]) == {field.name for field in Contact._meta.concrete_fields} - INTERNAL
    for relation in Contact._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and relation.one_to_many:
            model = relation.related_model
            columns = {field.name for field in model._meta.concrete_fields} - INTERNAL
            for row in data[model._meta.model_name]:
                assert set(row) - {"in_words"} == columns


def test_it_is_noted_who_exported(rows: Rows) -> None:
    user = make_user("agent", "Support", rows.store)
    ExportPerson(rows.contact, user).execute()
    entry = StoreLogEntry.objects.get(action="smsflow.export_person")
    assert (entry.user, entry.object_id) == (user, str(rows.contact.pk))


@pytest.mark.parametrize("role", ["Agency", "Copywriter"])
def test_nobody_exports_without_the_right(rows: Rows, role: str) -> None:
    with pytest.raises(PermissionDenied):
        ExportPerson(rows.contact, make_user("x", role, rows.store)).execute()
    assert not StoreLogEntry.objects.filter(action="smsflow.export_person").exists()


def test_it_holds_nothing_about_anybody_else(rows: Rows, danish_store: Store) -> None:
    make_contact(rows.store, first_name="Bolton")
    other = make_contact(danish_store, phone=rows.contact.phone, first_name="Bolton")
    Message.objects.create(
        store=danish_store, contact=other, message_class="service", sender="x", to=other.phone, body="Bolton"
    )
    data, page = opened(ExportPerson(rows.contact).execute(skip_permission_checks=True))
    assert "Bolton" not in json.dumps(data) + page


def test_after_an_erasure_there_is_nothing_left_to_export(rows: Rows) -> None:
    phone, email = rows.contact.phone, rows.contact.email
    erase(rows.contact)
    data, page = opened(ExportPerson(rows.contact).execute(skip_permission_checks=True))
    told = json.dumps(data) + page
    assert phone[1:] not in told
    assert email not in told
    assert "Grace" not in told


def test_it_takes_as_many_statements_for_much_as_for_little(rows: Rows) -> None:
    # what is asked once in a process (content types, sites) is no matter of how much there is
    everything_about(rows.contact)
    counted = []
    for more in (0, 40):
        for n in range(more):
            Event.objects.create(store=rows.store, contact=rows.contact, kind="x", key=str(n), occurred_at=NOON)
            said(rows.contact)
        with CaptureQueriesContext(connection) as queries:
            everything_about(rows.contact)
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_the_page_gives_out_the_file_to_those_who_may(rows: Rows) -> None:
    url = reverse("smsflow_contacts:export", args=[rows.contact.pk])
    response = client_of(make_user("agent", "Support", rows.store)).post(url)
    assert response["Content-Type"] == "application/zip"
    assert opened(response.content)[0]["contact"]["phone"] == rows.contact.phone
    assert client_of(make_user("agency", "Agency", rows.store)).post(url).status_code == 302
