"""A new table for decisions, smaller than the old one; the next migrations fill it and put it in its place."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("smsflow", "0009_money_fill_in")]

    operations = [
        migrations.CreateModel(
            name="PlaceSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField(unique=True)),
            ],
            options={"verbose_name": "places", "verbose_name_plural": "places"},
        ),
        migrations.CreateModel(
            name="LedgerRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("store", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store", verbose_name="store")),
                ("contact", models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="smsflow.contact", verbose_name="contact")),
                ("flow", models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="smsflow.flow", verbose_name="flow")),
                ("enrollment", models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="smsflow.enrollment")),
                ("message_id", models.BigIntegerField(editable=False, null=True)),
                ("at", models.DateTimeField(verbose_name="at")),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("policy_id", models.IntegerField(editable=False, null=True)),
                ("places_id", models.IntegerField(editable=False, null=True)),
                ("verdict", models.SmallIntegerField(verbose_name="verdict")),
                ("reason", models.SmallIntegerField(verbose_name="reason")),
                ("message_class", models.SmallIntegerField(default=0, verbose_name="class")),
                ("visit", models.PositiveSmallIntegerField(default=0)),
                ("step", models.CharField(blank=True, max_length=36)),
                ("notes", models.TextField(blank=True, default="", verbose_name="notes")),
            ],
            options={"verbose_name": "decision", "verbose_name_plural": "decisions"},
        ),
        migrations.CreateModel(
            name="UnsentDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("flow_id", models.BigIntegerField(default=0)),
                ("verdict", models.SmallIntegerField()),
                ("reason", models.SmallIntegerField()),
                ("texts", models.PositiveIntegerField()),
                ("store", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store")),
            ],
            options={
                "verbose_name": "count of what was not sent",
                "verbose_name_plural": "counts of what was not sent",
                "constraints": [models.UniqueConstraint(fields=("store", "day", "flow_id", "verdict", "reason"), name="smsflow_unsent_day")],
            },
        ),
    ]
