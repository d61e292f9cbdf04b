from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smsflow", "0026_experiments"),
    ]

    operations = [
        migrations.AddField(
            model_name="store",
            name="spend_marks",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
