import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('smsflow', '0002_flows_as_forms'),
        ('smsflow_simulator', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SimulatedDiscount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('code', models.CharField(max_length=60)),
                ('kind', models.CharField(max_length=10)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14)),
                ('minimum', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ('ends_at', models.DateTimeField()),
                ('used_in', models.CharField(blank=True, max_length=32)),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='smsflow.store')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('store', 'key'), name='smsflow_simulator_discount'),
                    models.UniqueConstraint(fields=('store', 'code'), name='smsflow_simulator_code'),
                ],
            },
        ),
    ]
