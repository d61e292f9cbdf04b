"""Chains the lines that the ledger of consent held before, and lets the database protect it from then on.

In batches by contact, each a few statements. A second run finds the same lines and gives them
new salts; it can only be made before the ledger is protected.
"""

from __future__ import annotations

import secrets
from collections import defaultdict

from django.core.exceptions import ImproperlyConfigured
from django.db import migrations

BATCH = 500


def chain(apps, schema_editor):
    using = schema_editor.connection.alias
    Contact = apps.get_model("smsflow", "Contact")
    last = 0
    while contacts := list(
        Contact.objects.using(using)
        .filter(pk__gt=last, consent_records__isnull=False)
        .distinct()
        .order_by("pk")
        .only("pk", "first_name", "last_name")[:BATCH]
    ):
        last = contacts[-1].pk
        chain_batch(apps, using, contacts)


def chain_batch(apps, using, contacts):
    from smsflow_plugin.audience.ledger import seal
    from smsflow_plugin.audience.ledger_chain import CONTENT, FACTS

    Contact, ConsentRecord = apps.get_model("smsflow", "Contact"), apps.get_model("smsflow", "ConsentRecord")
    records = ConsentRecord.objects.using(using).filter(contact_id__in=[contact.pk for contact in contacts])
    lines = defaultdict(list)
    for record in records.order_by("pk"):
        lines[record.contact_id].append(record)
    for contact in contacts:
        contact.ledger_head = ""
        for record in lines[contact.pk]:
            record.phone_hash = hashed(record.phone)
            record.channel, record.opt_in_level = channel_of(record), level_of(record)
            record.salt, record.previous_hash = secrets.token_hex(8), contact.ledger_head
            line = {name: getattr(record, name) for name in (*CONTENT, *FACTS, "salt", "previous_hash")}
            seal(line)
            record.content_hash, record.hash = line["content_hash"], line["hash"]
            contact.ledger_head = record.hash
    written = ("phone_hash", "channel", "opt_in_level", "salt", "previous_hash", "content_hash", "hash")
    ConsentRecord.objects.using(using).bulk_update(
        [record for own in lines.values() for record in own], written, batch_size=200
    )
    Contact.objects.using(using).bulk_update(contacts, ("ledger_head",), batch_size=200)


def hashed(phone):
    from smsflow_plugin.audience.phone_keys import hash_phone

    try:
        return hash_phone(phone)
    except ImproperlyConfigured:
        return ""  # a site without any key has no connection, and has texted nobody


def channel_of(record):
    known = {"keyword": "text", "double_opt_in": "text", "email_link": "email"}
    return known.get(record.source, "shop" if record.source.startswith("shopify") else "")


def level_of(record):
    if record.action != "granted":
        return ""
    given = str((record.evidence or {}).get("opt_in_level") or "").casefold()
    return "confirmed" if record.source == "double_opt_in" or given == "confirmed_opt_in" else "single"


def fill_levels(apps, schema_editor):
    """What holds of each person's consent, from the newest line that gave it."""
    using = schema_editor.connection.alias
    Contact = apps.get_model("smsflow", "Contact")
    granted = Contact.objects.using(using).filter(marketing_consent="granted")
    granted.update(opt_in_level="single")
    confirmed = apps.get_model("smsflow", "ConsentRecord").objects.using(using).filter(opt_in_level="confirmed")
    last = 0
    while rows := list(confirmed.filter(pk__gt=last).order_by("pk").values_list("pk", "contact_id")[:BATCH]):
        last = rows[-1][0]
        granted.filter(pk__in=[contact for _pk, contact in rows]).update(opt_in_level="confirmed")


def protect(apps, schema_editor):
    from smsflow_plugin.audience.ledger_protection import protect

    protect(schema_editor.connection)


def unprotect(apps, schema_editor):
    from smsflow_plugin.audience.ledger_protection import unprotect

    unprotect(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("smsflow", "0015_consent")]

    operations = [
        migrations.RunPython(chain, migrations.RunPython.noop),
        migrations.RunPython(fill_levels, migrations.RunPython.noop),
        migrations.RunPython(protect, unprotect),
    ]
