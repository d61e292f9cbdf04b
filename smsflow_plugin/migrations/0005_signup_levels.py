"""Says of everybody who has agreed how surely they did: those who answered the question for consent have confirmed.

Two statements, whatever the number of people; a second run finds the same.
"""

from __future__ import annotations

from django.db import migrations
from django.db.models import Exists, OuterRef


def say_levels(apps, schema_editor):
    using = schema_editor.connection.alias
    Contact, ConsentRecord = apps.get_model("smsflow", "Contact"), apps.get_model("smsflow", "ConsentRecord")
    agreed = Contact.objects.using(using).filter(marketing_consent="granted", opt_in_level="")
    answered = ConsentRecord.objects.using(using).filter(
        contact=OuterRef("pk"), action="granted", source="double_opt_in", effective_at=OuterRef("consent_changed_at")
    )
    agreed.filter(Exists(answered)).update(opt_in_level="confirmed")
    Contact.objects.using(using).filter(marketing_consent="granted", opt_in_level="").update(opt_in_level="single")


class Migration(migrations.Migration):
    dependencies = [("smsflow", "0004_signup")]

    operations = [migrations.RunPython(say_levels, migrations.RunPython.noop)]
