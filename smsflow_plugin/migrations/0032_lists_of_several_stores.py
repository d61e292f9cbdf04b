"""Indexes by which lists of several stores are read newest first.

``CREATE INDEX`` keeps writers out of a table, not readers, until it is done: 2 seconds for two million texts, well below
one for 100,000 people and their conversations. Nothing is lost: deliveries and texts wait for so long. Whoever has
many more texts on PostgreSQL may make the index beforehand, without keeping anybody out (``CREATE INDEX CONCURRENTLY
smsflow_message_newest ON smsflow_message (queued_at)``), and then run this migration with ``--fake``, if they have made
all three.
"""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smsflow", "0031_targets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["created_at"], name="smsflow_contact_newest"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["queued_at"], name="smsflow_message_newest"),
        ),
        migrations.AddIndex(
            model_name="thread",
            index=models.Index(fields=["last_at", "id"], name="smsflow_thread_newest"),
        ),
    ]
