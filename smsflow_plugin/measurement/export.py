"""Everything that is kept about one person, for that person (GDPR art. 15): as JSON, and to be read.

It walks the columns of the contact and of every table that names it, so that nothing can be
forgotten: what is added later is in it, and a test fails where a value has no place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.template.loader import render_to_string
from django.utils.text import capfirst
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.audience.suppression import Suppression, suppressed
from smsflow_plugin.conversations.models import Thread, ThreadNote
from smsflow_plugin.engine.erasing import deliveries_about
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.links.models import Click
from smsflow_plugin.measurement.reasons import decision_sentence
from smsflow_plugin.measurement.timeline import timeline, zone_of
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.models import StoreLogEntry

#: Columns that are about our own working, and say nothing about a person.
INTERNAL = frozenset({
    "id", "store", "contact", "salt", "wake_at", "consent_marks", "slots", "batch", "not_before", "attempts",
    "heard_by", "delivery",
})  # fmt: skip

#: Entries of the timeline in the readable part.
MOST = 2_000


class ExportPerson(BaseAction):  # type: ignore[misc]
    """Give out everything that is kept about a person, and note who did.

    :param instance: the contact.
    """

    action_name = "export"
    permission_policy_action = "export"

    def execute(self, skip_permission_checks: bool = False) -> bytes:
        """Return a ZIP file with ``person.json`` and ``person.html``."""
        self.check(skip_permission_checks=skip_permission_checks)
        contact = Contact.objects.select_related("store").get(pk=self.instance.pk)
        data = everything_about(contact)
        readable = render_to_string("smsflow/export/person.html", readable_part(contact, data))
        log(instance=contact, action="smsflow.export_person", user=self.user, timestamp=clock.now())
        file = BytesIO()
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.writestr("person.json", as_json(data))
            archive.writestr("person.html", readable)
        return file.getvalue()


def as_json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


def everything_about(contact: Contact) -> dict[str, Any]:
    """Return all that is kept, by table; a number of statements that does not depend on how much it is."""
    data: dict[str, Any] = {
        "exported_at": clock.now(),
        "store": contact.store.name,
        "contact": _columns(Contact, [contact])[0],
    }
    zone = zone_of(contact)
    for relation in _relations():
        model = relation.related_model
        rows = list(model._base_manager.filter(**{relation.field.name: contact}).order_by("pk"))
        told = _columns(model, rows)
        if model is Decision:
            told = [{**row, "in_words": _decided(one, zone)} for row, one in zip(told, rows, strict=True)]
        data[_name(model)] = told
    if contact.phone:
        # texts to the number that name no contact, as test texts do
        loose = Message.objects.filter(store=contact.store_id, contact=None, to=str(contact.phone)).order_by("pk")
        data[_name(Message)] += _columns(Message, loose)
    clicks = Click.objects.filter(link__contact=contact).order_by("pk")
    data[_name(Click)] = list(clicks.values("link__code", "at", "kind", "because", "user_agent"))
    # what staff wrote about a person belongs to what is known of them; which colleague had the page open does not
    notes = ThreadNote.objects.filter(thread__contact=contact).order_by("pk")
    data[_name(Thread)] = [{**row, "notes": _columns(ThreadNote, notes)} for row in data[_name(Thread)]]
    data["suppression"] = suppressed([contact]).get(contact.pk)
    data["deliveries"] = [
        {
            "source": row.source,
            "topic": row.topic,
            "received_at": row.received_at,
            "body": bytes(row.body).decode("utf-8", "replace"),
        }
        for row in deliveries_about(contact).order_by("pk")
    ]
    data["done_by_staff"] = list(
        StoreLogEntry.objects.for_instance(contact)
        .order_by("timestamp", "pk")
        .values("timestamp", "action", "data", "user__username")
    )
    return data


def readable_part(contact: Contact, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows: the columns, the proofs of consent, and all that happened in words."""
    return {
        "contact": contact,
        "store": contact.store,
        "exported_at": data["exported_at"],
        "zone": zone_of(contact),
        "profile": [(_label(Contact, name), value) for name, value in data["contact"].items() if _said(value)],
        "suppression": _suppression(data["suppression"]),
        "entries": timeline(contact, limit=MOST),
        "records": [
            [(_label(ConsentRecord, name), value) for name, value in record.items() if _said(value)]
            for record in data[_name(ConsentRecord)]
        ],
        "others": [
            (capfirst(model._meta.verbose_name_plural), [_short(row) for row in data[_name(model)]])
            for model in (relation.related_model for relation in _relations())
            if data[_name(model)] and model is not ConsentRecord
        ],
        "deliveries": data["deliveries"],
    }


def _relations() -> list[ForeignObjectRel]:
    return [
        relation
        for relation in Contact._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and (relation.one_to_many or relation.one_to_one)
    ]


def _name(model: type[Model]) -> str:
    return str(model._meta.model_name)


def _columns(model: type[Model], rows: Iterable[Any]) -> list[dict[str, Any]]:
    names = [field.name for field in model._meta.concrete_fields if field.name not in INTERNAL]
    columns = [(name, model._meta.get_field(name).attname) for name in names]
    return [{name: getattr(row, attname) for name, attname in columns} for row in rows]


def _decided(decision: Decision, zone: str) -> str:
    columns = {field.attname: getattr(decision, field.attname) for field in Decision._meta.concrete_fields}
    return decision_sentence(columns, zone)


def _suppression(reason: str | None) -> str:
    return str(Suppression.Reason(reason).label) if reason else ""


def _label(model: type[Model], name: str) -> str:
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return str(capfirst(field.verbose_name))


def _said(value: Any) -> bool:
    return value not in (None, "", [], {})


def _short(row: Mapping[str, Any]) -> str:
    return " · ".join(f"{name}: {_plain(value)}" for name, value in row.items() if _said(value))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return as_json(value) if isinstance(value, dict | list) else str(value)
