"""The data migration 0003: what was known before is counted, and flows keep what starts them."""

from __future__ import annotations

import importlib
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Revision

from smsflow_plugin.models import ConsentRecord, Contact, ContactDate, Event, Flow, Store
from tests.conftest import NOON
from tests.factories import make_contact
from tests.steps import models_after

pytestmark = pytest.mark.django_db

migration: Any = importlib.import_module("smsflow_plugin.migrations.0003_fill_in")


class Editor:
    connection = connection


def happen(contact: Contact, kind: str, days: int, **data: Any) -> None:
    Event.objects.create(
        store=contact.store, contact=contact, kind=kind, key=f"{kind}:{days}:{contact.pk}", data=data,
        occurred_at=NOON - timedelta(days=days),
    )  # fmt: skip


def test_what_people_did_before_is_counted(store: Store, still: Any) -> None:
    ada = make_contact(store, fields={"birthday": "1990-02-29", "shoe": "42"}, recent_sends=[NOON.timestamp()])
    Contact.objects.filter(pk=ada.pk).update(fields={"birthday": "1992-02-29", "shoe": "42"})
    happen(ada, "customer_created", 100)
    happen(ada, "opted_in", 90)
    for days, order in (
        (60, {"total": "10.50", "currency": "USD"}),
        (30, {"total": "9", "currency": "DKK"}),
        (20, {"total": "1"}),
    ):
        happen(ada, "order_created", days, order=order)
    ConsentRecord.objects.create(
        store=store, contact=ada, key="k", action="granted", scope="marketing", source="checkout", effective_at=NOON,
        phone=ada.phone,
    )  # fmt: skip
    migration.fill_in(apps, Editor)
    migration.fill_in(apps, Editor)
    ada.refresh_from_db()
    assert (ada.first_order_at, ada.total_spent) == (NOON - timedelta(days=60), Decimal("11.50"))
    assert (len(ada.order_times), ada.replenish_at) == (3, NOON)
    assert (ada.consent_source, ada.last_texted_at, sum(ada.active_hours)) == ("checkout", NOON, 3)
    assert dict(ContactDate.objects.values_list("name", "month_day")) == {
        "signed_up": 1124, "opted_in": 1204, "first_order": 103, "birthday": 229,
    }  # fmt: skip


def test_the_statements_of_a_batch_do_not_grow_with_its_people(store: Store) -> None:
    counted = []
    for people in (2, 100):
        for _ in range(people):
            happen(make_contact(store), "order_created", 10)
        with CaptureQueriesContext(connection) as queries:
            migration.fill_contacts(apps, "default")
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_flows_and_their_drafts_keep_what_starts_them(store: Store, settings: Any) -> None:
    settings.MIGRATION_MODULES = {}
    flow = Flow.objects.create(store=store, name="F")
    Flow.objects.filter(pk=flow.pk).update(trigger="order_created")
    content = {"pk": flow.pk, "trigger": "order_created", "name": "F"}
    revision = Revision.objects.create(
        content_type=ContentType.objects.get_for_model(Flow),
        base_content_type=ContentType.objects.get_for_model(Flow),
        object_id=str(flow.pk), content=content, created_at=NOON,
    )  # fmt: skip
    old = models_after("0003_fill_in")
    migration.fill_in(old, Editor)
    flow.refresh_from_db()
    revision.refresh_from_db()
    assert [(block.block_type, block.value["kind"]) for block in flow.triggers] == [("event", "order_created")]
    assert json.loads(revision.content["triggers"])[0]["id"] == flow.triggers[0].id
