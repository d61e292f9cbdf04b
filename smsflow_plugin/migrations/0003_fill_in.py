"""Fills in what 0002 has added, from what is known: triggers of flows, and what is counted about people.

In batches by id, each a few statements. A second run finds the same, so that one that
was cut short is simply made again; undoing it is not needed.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import migrations

BATCH = 1_000
KINDS = ("order_created", "checkout_updated", "message_received", "link_clicked", "customer_created", "opted_in")
FIELDS = (
    "first_order_at", "total_spent", "order_times", "replenish_at", "consent_source", "last_texted_at", "active_hours",
)  # fmt: skip


def fill_in(apps, schema_editor):
    using = schema_editor.connection.alias
    fill_flows(apps, using)
    fill_revisions(apps, using)
    fill_contacts(apps, using)


def fill_flows(apps, using):
    """A flow had one trigger, named by the kind of its event."""
    Flow = apps.get_model("smsflow", "Flow")
    for flow in Flow.objects.using(using).exclude(trigger="").only("pk", "trigger", "triggers").iterator(BATCH):
        if not flow.triggers:
            Flow.objects.using(using).filter(pk=flow.pk).update(triggers=triggers_of(flow.trigger, flow.pk))


def fill_revisions(apps, using):
    """Drafts and old versions lie in revisions, which the editor opens."""
    Revision = apps.get_model("wagtailcore", "Revision")
    ContentType = apps.get_model("contenttypes", "ContentType")
    kind = ContentType.objects.using(using).filter(app_label="smsflow", model="flow").first()
    if kind is None:
        return
    for revision in Revision.objects.using(using).filter(content_type=kind).iterator(BATCH):
        content = revision.content
        if content.get("trigger") and not content.get("triggers"):
            content["triggers"] = json.dumps(triggers_of(content["trigger"], content.get("pk")))
            Revision.objects.using(using).filter(pk=revision.pk).update(content=content)


def triggers_of(kind, flow_id):
    # the same id in the flow and in its revisions: to the editor it is one and the same trigger
    block = uuid.uuid5(uuid.NAMESPACE_URL, f"smsflow:flow:{flow_id}:trigger")
    return [{"type": "event", "value": {"kind": kind, "rules": []}, "id": str(block)}]


def fill_contacts(apps, using):
    Contact = apps.get_model("smsflow", "Contact")
    Store = apps.get_model("smsflow", "Store")
    stores = {store.pk: store for store in Store.objects.using(using).all()}
    last = 0
    while contacts := list(Contact.objects.using(using).filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = contacts[-1].pk
        fill_batch(apps, using, contacts, stores)


def fill_batch(apps, using, contacts, stores):
    Contact, ContactDate = apps.get_model("smsflow", "Contact"), apps.get_model("smsflow", "ContactDate")
    ids = [contact.pk for contact in contacts]
    events = defaultdict(list)
    rows = apps.get_model("smsflow", "Event").objects.using(using).filter(contact_id__in=ids, kind__in=KINDS)
    for pk, kind, at, data in rows.order_by("occurred_at", "pk").values_list("contact_id", "kind", "occurred_at", "data"):
        events[pk].append((kind, at, data))
    records = apps.get_model("smsflow", "ConsentRecord").objects.using(using).filter(contact_id__in=ids)
    sources = dict(records.order_by("effective_at", "pk").values_list("contact_id", "source"))
    dates = []
    for contact in contacts:
        store = stores[contact.store_id]
        dates += count(contact, store, events[contact.pk], sources.get(contact.pk, ""), ContactDate)
    Contact.objects.using(using).bulk_update(contacts, FIELDS, batch_size=200)
    ContactDate.objects.using(using).bulk_create(dates, ignore_conflicts=True, batch_size=500)


def count(contact, store, events, source, ContactDate):
    """Count one person's events on the contact, and return their dates."""
    from smsflow_plugin.audience.zones import candidate_zones
    from smsflow_plugin.engine.due_days import kept_date, kept_moment
    from smsflow_plugin.engine.habits import ACTIVE, count_hour, remember_order, used_up_at
    from smsflow_plugin.engine.standing import order_total

    zone = candidate_zones(
        contact.phone or None,
        timezone=contact.timezone,
        country=contact.country,
        province=contact.province,
        store_timezone=store.timezone,
    ).names[0]
    named = {"customer_created": "signed_up", "opted_in": "opted_in"}
    hours, times, spent, dates = [], [], 0, {}
    for kind, at, data in events:
        if kind in ACTIVE:
            hours = count_hour(hours, at.astimezone(ZoneInfo(zone)))
        if kind == "order_created":
            times = remember_order(times, at)
            spent += order_total(data if isinstance(data, dict) else {}, store.currency)
            contact.first_order_at = min(contact.first_order_at or at, at)
            dates["first_order"] = kept_moment(contact.first_order_at, zone)
        if kind in named:
            dates[named[kind]] = kept_moment(at, zone)
    contact.order_times, contact.active_hours, contact.total_spent = times, hours, spent
    contact.replenish_at = used_up_at(times)
    contact.consent_source = source
    if contact.recent_sends:
        contact.last_texted_at = datetime.fromtimestamp(max(contact.recent_sends), UTC)
    for name, value in (contact.fields or {}).items():
        kept = kept_date(value, zone)
        if kept is not None and len(name) <= 60:
            dates.setdefault(name, kept)
    return [
        ContactDate(store_id=contact.store_id, contact_id=contact.pk, name=name, at=kept.at, month_day=kept.month_day)
        for name, kept in dates.items()
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("smsflow", "0002_flows_as_forms"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(fill_in, migrations.RunPython.noop, elidable=True)]
