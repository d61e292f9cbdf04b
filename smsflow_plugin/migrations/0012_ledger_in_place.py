"""Puts the filled table in the place of the old one, and indexes it."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("smsflow", "0011_ledger_rows")]

    operations = [
        migrations.DeleteModel(name="Decision"),
        migrations.RenameModel(old_name="LedgerRow", new_name="Decision"),
        migrations.AlterField(
            model_name="decision",
            name="contact",
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="decisions", to="smsflow.contact", verbose_name="contact"),
        ),
        migrations.AlterField(
            model_name="decision",
            name="enrollment",
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name="decisions", to="smsflow.enrollment"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["contact", "at"], name="smsflow_decision_person"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(condition=Q(("verdict__gt", 1)), fields=["store", "at", "verdict", "reason", "flow"], name="smsflow_decision_unsent"),
        ),
    ]
