from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("smsflow", "0005_policies_into_rows")]

    operations = [
        migrations.RemoveField(model_name="policy", name="cap_per_day"),
        migrations.RemoveField(model_name="policy", name="cap_per_week"),
        migrations.RemoveField(model_name="policy", name="closes_at"),
        migrations.RemoveField(model_name="policy", name="opens_at"),
    ]
