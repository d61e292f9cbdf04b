"""All that stands when the migrations up to the last in `replaces` have run: each table is made once, which takes seconds."""

import django.db.models.deletion
import smsflow_plugin.clock
import smsflow_plugin.integrations.simulator.models
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("smsflow_simulator", "0001_initial"), ("smsflow_simulator", "0002_discounts")]

    initial = True

    dependencies = [
        ("smsflow", "0001_squashed_0023_calls_that_wait"),
    ]

    operations = [
        migrations.CreateModel(
            name="SimulatedClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(default="clock", editable=False, max_length=10, unique=True)),
                ("ahead_seconds", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="SimulatedCart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "token",
                    models.CharField(
                        default=smsflow_plugin.integrations.simulator.models.new_token, max_length=32, unique=True
                    ),
                ),
                ("items", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("ordered", "Ordered"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("started_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("ordered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.contact"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["contact", "state"], name="smsflow_simulator_cart")],
            },
        ),
        migrations.CreateModel(
            name="SimulatedDiscount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("code", models.CharField(max_length=60)),
                ("kind", models.CharField(max_length=10)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14)),
                ("minimum", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ("ends_at", models.DateTimeField()),
                ("used_in", models.CharField(blank=True, max_length=32)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("store", "key"), name="smsflow_simulator_discount"),
                    models.UniqueConstraint(fields=("store", "code"), name="smsflow_simulator_code"),
                ],
            },
        ),
    ]
