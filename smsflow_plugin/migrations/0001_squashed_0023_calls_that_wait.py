"""All that stands when the migrations up to the last in `replaces` have run: each table is made once, which takes seconds."""

import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import modelsearch.index
import phonenumber_field.validators
import smsflow_plugin.clock
import smsflow_plugin.events.kinds
import smsflow_plugin.stores.crypto
import smsflow_plugin.stores.models
import uuid
import wagtail.models.preview
from django.conf import settings
from django.db import migrations, models


def protect(apps, schema_editor):
    from smsflow_plugin.audience.ledger_protection import protect

    protect(schema_editor.connection)


def unprotect(apps, schema_editor):
    from smsflow_plugin.audience.ledger_protection import unprotect

    unprotect(schema_editor.connection)


class Migration(migrations.Migration):
    replaces = [
        ("smsflow", "0001_initial"),
        ("smsflow", "0002_flows_as_forms"),
        ("smsflow", "0003_fill_in"),
        ("smsflow", "0004_governance"),
        ("smsflow", "0005_policies_into_rows"),
        ("smsflow", "0006_drop_old_policy"),
        ("smsflow", "0007_breakers"),
        ("smsflow", "0008_money"),
        ("smsflow", "0009_money_fill_in"),
        ("smsflow", "0010_ledger"),
        ("smsflow", "0011_ledger_rows"),
        ("smsflow", "0012_ledger_in_place"),
        ("smsflow", "0013_site_log"),
        ("smsflow", "0014_replies"),
        ("smsflow", "0015_consent"),
        ("smsflow", "0016_consent_ledger"),
        ("smsflow", "0017_signup"),
        ("smsflow", "0018_topics"),
        ("smsflow", "0019_conversations"),
        ("smsflow", "0020_pace_by_number"),
        ("smsflow", "0021_contact_email"),
        ("smsflow", "0022_what_became_of_texts"),
        ("smsflow", "0023_calls_that_wait"),
    ]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wagtailcore", "0098_apitoken"),
    ]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PlaceSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField(unique=True)),
            ],
            options={
                "verbose_name": "places",
                "verbose_name_plural": "places",
            },
        ),
        migrations.CreateModel(
            name="Store",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "brand",
                    models.CharField(
                        help_text="Stands at the start of every marketing text, for example “Sierra Gear”.",
                        max_length=30,
                        verbose_name="brand",
                    ),
                ),
                (
                    "website",
                    models.URLField(
                        blank=True,
                        help_text="Where texts send people, for example https://sierra-gear.example.",
                        verbose_name="web address",
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        default="US",
                        help_text="Two letters. Phone numbers without a prefix are read as numbers of this country.",
                        max_length=2,
                        verbose_name="country",
                    ),
                ),
                ("timezone", models.CharField(default="America/New_York", max_length=64, verbose_name="time zone")),
                ("language", models.CharField(default="en", max_length=8, verbose_name="language")),
                ("currency", models.CharField(default="USD", max_length=3, verbose_name="currency")),
                (
                    "help_contact",
                    models.CharField(
                        blank=True,
                        help_text="E-mail, phone or address given in the answer to HELP.",
                        max_length=120,
                        verbose_name="help contact",
                    ),
                ),
                (
                    "sender",
                    models.CharField(
                        help_text="The number or name that texts come from, as your gateway knows it.",
                        max_length=20,
                        verbose_name="sender",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused"), ("uninstalled", "Uninstalled")],
                        default="active",
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                ("best_hour", models.PositiveSmallIntegerField(blank=True, editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=smsflow_plugin.clock.now, editable=False, verbose_name="created at"),
                ),
            ],
            options={
                "verbose_name": "store",
                "verbose_name_plural": "stores",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="StoreApprovalTask",
            fields=[
                (
                    "task_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="wagtailcore.task",
                    ),
                ),
            ],
            options={
                "verbose_name": "approval by who may publish in the store",
                "verbose_name_plural": "approvals by who may publish in the store",
            },
            bases=("wagtailcore.task",),
        ),
        migrations.CreateModel(
            name="LedgerGuard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=40)),
                (
                    "ends",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="smsflow.ledgerguard"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Connection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20, verbose_name="kind")),
                ("account", models.CharField(max_length=255, verbose_name="account")),
                (
                    "token",
                    models.CharField(
                        default=smsflow_plugin.stores.models.new_token, editable=False, max_length=64, unique=True
                    ),
                ),
                ("secrets", smsflow_plugin.stores.crypto.EncryptedJSONField(default=dict)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("connected_at", models.DateTimeField(default=smsflow_plugin.clock.now, editable=False)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="connections",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "connection",
                "verbose_name_plural": "connections",
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "account"), name="smsflow_connection_account"),
                    models.UniqueConstraint(fields=("store", "kind"), name="smsflow_connection_store_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "phone",
                    models.CharField(
                        blank=True,
                        max_length=20,
                        null=True,
                        validators=[phonenumber_field.validators.validate_international_phonenumber],
                        verbose_name="phone",
                    ),
                ),
                ("email", models.CharField(blank=True, max_length=254, verbose_name="e-mail")),
                ("first_name", models.CharField(blank=True, max_length=100, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=100, verbose_name="last name")),
                ("language", models.CharField(blank=True, max_length=8, verbose_name="language")),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="country")),
                ("province", models.CharField(blank=True, max_length=10, verbose_name="province")),
                ("postcode", models.CharField(blank=True, max_length=20, verbose_name="postcode")),
                ("timezone", models.CharField(blank=True, max_length=64, verbose_name="time zone")),
                ("timezone_source", models.CharField(blank=True, max_length=20, verbose_name="time zone taken from")),
                ("tags", models.JSONField(blank=True, default=list, verbose_name="tags")),
                ("fields", models.JSONField(blank=True, default=dict, verbose_name="fields")),
                (
                    "marketing_consent",
                    models.CharField(
                        choices=[
                            ("unknown", "Never asked"),
                            ("pending", "Waiting for confirmation"),
                            ("granted", "Granted"),
                            ("revoked", "Revoked"),
                        ],
                        default="unknown",
                        max_length=8,
                        verbose_name="marketing consent",
                    ),
                ),
                (
                    "service_consent",
                    models.CharField(
                        choices=[
                            ("unknown", "Never asked"),
                            ("pending", "Waiting for confirmation"),
                            ("granted", "Granted"),
                            ("revoked", "Revoked"),
                        ],
                        default="unknown",
                        max_length=8,
                        verbose_name="service consent",
                    ),
                ),
                ("consent_changed_at", models.DateTimeField(blank=True, null=True, verbose_name="consent changed at")),
                ("orders_count", models.PositiveIntegerField(default=0, verbose_name="orders")),
                ("first_order_at", models.DateTimeField(blank=True, null=True, verbose_name="first order at")),
                ("last_order_at", models.DateTimeField(blank=True, null=True, verbose_name="last order at")),
                (
                    "total_spent",
                    models.DecimalField(decimal_places=2, default=0, max_digits=14, verbose_name="spent in all"),
                ),
                ("order_times", models.JSONField(blank=True, default=list, editable=False)),
                (
                    "replenish_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="probably used up at"),
                ),
                ("consent_marks", models.JSONField(blank=True, default=dict, editable=False)),
                (
                    "opt_in_level",
                    models.CharField(
                        blank=True,
                        choices=[("single", "By a form or the shop"), ("confirmed", "Confirmed from the phone")],
                        editable=False,
                        max_length=9,
                        verbose_name="opt-in",
                    ),
                ),
                ("ledger_head", models.CharField(blank=True, editable=False, max_length=64)),
                ("consent_source", models.CharField(blank=True, max_length=40, verbose_name="consent source")),
                (
                    "email_consent",
                    models.CharField(
                        choices=[
                            ("unknown", "Never asked"),
                            ("pending", "Waiting for confirmation"),
                            ("granted", "Granted"),
                            ("revoked", "Revoked"),
                        ],
                        default="unknown",
                        max_length=8,
                        verbose_name="consent to e-mails",
                    ),
                ),
                ("last_texted_at", models.DateTimeField(blank=True, null=True, verbose_name="last text at")),
                ("sender", models.CharField(blank=True, editable=False, max_length=20, verbose_name="texted from")),
                ("active_hours", models.JSONField(blank=True, default=list, editable=False)),
                ("handed_over_at", models.DateTimeField(blank=True, null=True, verbose_name="handed over at")),
                ("handed_over_note", models.CharField(blank=True, max_length=200, verbose_name="handed over because")),
                (
                    "doubtful_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="unclear reply at"),
                ),
                ("open_case_at", models.DateTimeField(blank=True, null=True, verbose_name="support case opened at")),
                ("preferences", models.JSONField(blank=True, default=dict, verbose_name="preferences")),
                ("erased_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="erased at")),
                ("profile_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("recent_sends", models.JSONField(blank=True, default=list, editable=False)),
                ("wake_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=smsflow_plugin.clock.now, editable=False, verbose_name="created at"),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contacts",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
                "permissions": [("erase_contact", "Can erase contact"), ("export_contact", "Can export contact")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("wake_at__isnull", False)), fields=["wake_at"], name="smsflow_contact_due"
                    ),
                    models.Index(fields=["store", "created_at"], name="smsflow_contact_new"),
                    models.Index(
                        models.F("store"),
                        django.db.models.functions.text.Lower("email"),
                        condition=models.Q(("email", ""), _negated=True),
                        name="smsflow_contact_email",
                    ),
                    models.Index(fields=["store", "last_order_at"], name="smsflow_contact_lapsed"),
                    models.Index(
                        condition=models.Q(("replenish_at__isnull", False)),
                        fields=["store", "replenish_at"],
                        name="smsflow_contact_replenish",
                    ),
                    models.Index(
                        condition=models.Q(("marketing_consent", "pending")),
                        fields=["consent_changed_at"],
                        name="smsflow_contact_asked",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("phone__isnull", False)),
                        fields=("store", "phone"),
                        name="smsflow_contact_phone",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=20, verbose_name="source")),
                ("external_id", models.CharField(max_length=255, verbose_name="delivery id")),
                ("topic", models.CharField(blank=True, max_length=80, verbose_name="topic")),
                ("headers", models.JSONField(blank=True, default=dict, verbose_name="headers")),
                ("body", models.BinaryField(verbose_name="body")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting"),
                            ("done", "Done"),
                            ("ignored", "Nothing to do"),
                            ("parked", "Not understood"),
                        ],
                        default="pending",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("received_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="received at")),
                ("processed_at", models.DateTimeField(blank=True, null=True, verbose_name="processed at")),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["id"], name="smsflow_delivery_pending"
                    ),
                    models.Index(fields=["store", "state", "received_at"], name="smsflow_delivery_list"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "store", "external_id"), name="smsflow_delivery_external_id"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PanicStop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="why")),
                ("stopped_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="stopped at")),
                ("released_at", models.DateTimeField(blank=True, null=True, verbose_name="released at")),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="released by",
                    ),
                ),
                (
                    "stopped_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="stopped by",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                    ),
                ),
            ],
            options={
                "verbose_name": "panic stop",
                "verbose_name_plural": "panic stops",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.comparison.Coalesce("store_id", 0),
                        condition=models.Q(("released_at__isnull", True)),
                        name="smsflow_panic_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                (
                    "rules",
                    models.JSONField(
                        blank=True, default=list, help_text="All of these must hold.", verbose_name="rules"
                    ),
                ),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now, editable=False)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="segments",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "segment",
                "verbose_name_plural": "segments",
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("store", "name"), name="smsflow_segment_name")],
            },
        ),
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                ("rules", models.JSONField()),
                ("origin", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "version of the rules",
                "verbose_name_plural": "versions of the rules",
                "constraints": [models.UniqueConstraint(fields=("store", "digest"), name="smsflow_policy_digest")],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("live", models.BooleanField(default=True, editable=False, verbose_name="live")),
                (
                    "has_unpublished_changes",
                    models.BooleanField(default=False, editable=False, verbose_name="has unpublished changes"),
                ),
                (
                    "first_published_at",
                    models.DateTimeField(blank=True, db_index=True, null=True, verbose_name="first published at"),
                ),
                (
                    "last_published_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last published at"),
                ),
                ("go_live_at", models.DateTimeField(blank=True, null=True, verbose_name="go live date/time")),
                ("expire_at", models.DateTimeField(blank=True, null=True, verbose_name="expiry date/time")),
                ("expired", models.BooleanField(default=False, editable=False, verbose_name="expired")),
                ("locked", models.BooleanField(default=False, editable=False, verbose_name="locked")),
                ("locked_at", models.DateTimeField(editable=False, null=True, verbose_name="locked at")),
                ("week", models.JSONField(blank=True, null=True, verbose_name="hours for texts")),
                (
                    "holidays_off",
                    models.BooleanField(blank=True, null=True, verbose_name="no texts on public holidays"),
                ),
                (
                    "strict",
                    models.BooleanField(
                        blank=True,
                        help_text="Otherwise the most likely place alone counts.",
                        null=True,
                        verbose_name="only when every place where the person may be is open",
                    ),
                ),
                ("stricter_law", models.JSONField(blank=True, default=list, verbose_name="stricter rows")),
                (
                    "quiet_service",
                    models.BooleanField(
                        blank=True,
                        help_text="Order and delivery news then also wait for the morning.",
                        null=True,
                        verbose_name="quiet hours for service texts too",
                    ),
                ),
                ("caps", models.JSONField(blank=True, default=list, verbose_name="caps")),
                (
                    "minimum_gap",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: as on the level above.",
                        null=True,
                        verbose_name="minutes between two texts to one person",
                    ),
                ),
                (
                    "look_ahead",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="A promotion leaves the place of a more important text that is planned within this time.",
                        null=True,
                        verbose_name="minutes to look ahead",
                    ),
                ),
                (
                    "when_blocked",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("hold", "Wait until it may go"),
                            ("drop", "Drop it"),
                            ("stale", "Wait, but drop it when it would come too late"),
                        ],
                        help_text="Empty: as on the level above.",
                        max_length=5,
                        verbose_name="when a text may not go yet",
                    ),
                ),
                ("flow_order", models.JSONField(blank=True, default=list, verbose_name="order of the flows")),
                (
                    "recent_buyer_hours",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: as on the level above.",
                        null=True,
                        verbose_name="hours without promotions after an order",
                    ),
                ),
                (
                    "skip_open_cases",
                    models.BooleanField(
                        blank=True, null=True, verbose_name="no promotions while a support case is open"
                    ),
                ),
                (
                    "exclusive_flows",
                    models.JSONField(blank=True, default=list, verbose_name="no promotions for people in these flows"),
                ),
                (
                    "cart_countries",
                    models.JSONField(blank=True, null=True, verbose_name="countries with the rule for carts"),
                ),
                (
                    "cart_confirmed",
                    models.BooleanField(
                        blank=True, null=True, verbose_name="cart reminders need a confirmed opt-in there"
                    ),
                ),
                (
                    "double_opt_in_countries",
                    models.JSONField(blank=True, null=True, verbose_name="countries with double opt-in"),
                ),
                (
                    "blocked_countries",
                    models.JSONField(blank=True, null=True, verbose_name="countries that get no marketing"),
                ),
                (
                    "discounts",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="In so many days as stand beside it.",
                        null=True,
                        verbose_name="discounts for one person",
                    ),
                ),
                (
                    "discount_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Empty: as on the level above.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="days",
                    ),
                ),
                (
                    "margin_floor",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Of the order, after the discount.",
                        max_digits=5,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="margin that must be left, percent",
                    ),
                ),
                (
                    "gross_margin",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="What the store earns of an order without a discount.",
                        max_digits=5,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="usual margin, percent",
                    ),
                ),
                (
                    "escalate_unredeemed",
                    models.BooleanField(
                        blank=True, null=True, verbose_name="a bigger discount only when the last one was not used"
                    ),
                ),
                (
                    "budget_day",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="budget per day"
                    ),
                ),
                (
                    "budget_month",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="budget per month"
                    ),
                ),
                (
                    "price_ceiling",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        max_digits=9,
                        null=True,
                        verbose_name="most that one text may cost",
                    ),
                ),
                ("prices", models.JSONField(blank=True, default=dict, verbose_name="price of a part by country")),
                (
                    "texts_per_second",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="As many as your number may send.",
                        max_digits=7,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="texts per second",
                    ),
                ),
                (
                    "breaker_opt_outs",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=5,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="opt-outs, percent",
                    ),
                ),
                (
                    "breaker_failures",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=5,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="failed texts, percent",
                    ),
                ),
                (
                    "breaker_volume",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=6,
                        null=True,
                        verbose_name="times as many texts as usual",
                    ),
                ),
                (
                    "breaker_spend",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=12,
                        null=True,
                        verbose_name="spend of one flow in 24 hours",
                    ),
                ),
                (
                    "breaker_least",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: as on the level above.",
                        null=True,
                        verbose_name="texts before a rate says anything",
                    ),
                ),
                ("may_loosen", models.JSONField(blank=True, default=list, verbose_name="stores may loosen")),
                (
                    "latest_revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.revision",
                        verbose_name="latest revision",
                    ),
                ),
                (
                    "live_revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.revision",
                        verbose_name="live revision",
                    ),
                ),
                (
                    "locked_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="locked_%(class)ss",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="locked by",
                    ),
                ),
                (
                    "store",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="policy",
                        to="smsflow.store",
                    ),
                ),
            ],
            options={
                "verbose_name": "policy",
                "verbose_name_plural": "policies",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.comparison.Coalesce("store_id", 0),
                        condition=models.Q(("store__isnull", True)),
                        name="smsflow_policy_of_site",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnerAlarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("told_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "alarm",
                "verbose_name_plural": "alarms",
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="smsflow_owner_alarm")],
            },
        ),
        migrations.CreateModel(
            name="OptInPause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("prefix", "Numbers that begin with"), ("country", "Numbers of")], max_length=8
                    ),
                ),
                ("value", models.CharField(max_length=16)),
                ("asked", models.PositiveIntegerField(verbose_name="asked")),
                ("confirmed", models.PositiveIntegerField(verbose_name="confirmed")),
                ("paused_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="paused at")),
                ("resumed_at", models.DateTimeField(blank=True, null=True, verbose_name="resumed at")),
                ("resumed_by", models.CharField(blank=True, max_length=150)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "pause of sign-ups",
                "verbose_name_plural": "pauses of sign-ups",
                "constraints": [models.UniqueConstraint(fields=("store", "kind", "value"), name="smsflow_optin_pause")],
            },
        ),
        migrations.CreateModel(
            name="OptInForm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="For you and in the proof of consent.", max_length=100, verbose_name="name"
                    ),
                ),
                (
                    "token",
                    models.CharField(
                        default=smsflow_plugin.stores.models.new_token, editable=False, max_length=64, unique=True
                    ),
                ),
                ("heading", models.CharField(blank=True, max_length=120, verbose_name="heading")),
                ("introduction", models.CharField(blank=True, max_length=300, verbose_name="introduction")),
                ("button", models.CharField(blank=True, max_length=40, verbose_name="button")),
                ("success", models.CharField(blank=True, max_length=300, verbose_name="thanks")),
                (
                    "programme",
                    models.CharField(
                        blank=True,
                        help_text="What people join, for example “Sierra Texts”.",
                        max_length=60,
                        verbose_name="programme",
                    ),
                ),
                ("ask_first_name", models.BooleanField(default=False, verbose_name="ask for the first name")),
                ("ask_email", models.BooleanField(default=False, verbose_name="ask for the e-mail address")),
                ("disclosures", models.JSONField(blank=True, default=dict, verbose_name="disclosures")),
                ("terms_url", models.URLField(help_text="The address of your terms for texts.", verbose_name="terms")),
                (
                    "privacy_url",
                    models.URLField(help_text="The address of your privacy policy.", verbose_name="privacy"),
                ),
                ("countries", models.JSONField(blank=True, default=list, verbose_name="countries")),
                (
                    "level",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "As the person's country asks for"),
                            ("double", "Double: everybody confirms by text"),
                            ("single", "Single, where the law lets it"),
                        ],
                        default="",
                        max_length=6,
                        verbose_name="opt-in",
                    ),
                ),
                ("tags", models.JSONField(blank=True, default=list, verbose_name="tags")),
                ("origins", models.JSONField(blank=True, default=list, verbose_name="websites")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created_at",
                    models.DateTimeField(default=smsflow_plugin.clock.now, editable=False, verbose_name="created at"),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opt_in_forms",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "opt-in form",
                "verbose_name_plural": "opt-in forms",
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="CopySnippet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.SlugField(
                        help_text="Small letters, digits and hyphens: texts call it by this name.",
                        max_length=60,
                        verbose_name="name",
                    ),
                ),
                ("text", models.TextField(max_length=500, verbose_name="text")),
                ("translations", models.JSONField(blank=True, default=dict)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="snippets",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "snippet of text",
                "verbose_name_plural": "snippets of text",
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("store", "name"), name="smsflow_snippet_name")],
            },
        ),
        migrations.CreateModel(
            name="CannedReply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("body", models.TextField(verbose_name="text")),
                ("language", models.CharField(blank=True, max_length=8, verbose_name="language")),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "canned reply",
                "verbose_name_plural": "canned replies",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "name", "language"), name="smsflow_canned_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="Autoresponder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("active", models.BooleanField(default=False, verbose_name="active")),
                ("reply", models.JSONField(blank=True, default=dict, verbose_name="answer")),
                ("office_hours", models.JSONField(blank=True, default=dict, verbose_name="office hours")),
                (
                    "store",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "autoresponder",
                "verbose_name_plural": "autoresponders",
            },
        ),
        migrations.CreateModel(
            name="StoreLogEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", models.TextField()),
                ("action", models.CharField(blank=True, db_index=True, max_length=255)),
                (
                    "data",
                    models.JSONField(blank=True, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
                ),
                ("timestamp", models.DateTimeField(db_index=True, verbose_name="timestamp (UTC)")),
                (
                    "uuid",
                    models.UUIDField(
                        blank=True,
                        editable=False,
                        help_text="Log entries that happened as part of the same user action are assigned the same UUID",
                        null=True,
                    ),
                ),
                ("content_changed", models.BooleanField(db_index=True, default=False)),
                ("deleted", models.BooleanField(default=False)),
                ("object_id", models.CharField(db_index=True, max_length=255)),
                (
                    "content_type",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contenttypes.contenttype",
                        verbose_name="content type",
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="wagtailcore.revision",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.store",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "store log entry",
                "verbose_name_plural": "store log entries",
                "ordering": ["-timestamp"],
                "abstract": False,
                "indexes": [models.Index(fields=["uuid", "action", "-timestamp"], name="smsflow_sto_uuid_d8d8a2_idx")],
            },
        ),
        migrations.CreateModel(
            name="StoreMembership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="auth.group",
                        verbose_name="role",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="store_memberships",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "store membership",
                "verbose_name_plural": "store memberships",
                "constraints": [models.UniqueConstraint(fields=("user", "store"), name="smsflow_one_role_per_store")],
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone_hash", models.CharField(max_length=64)),
                ("key_id", models.CharField(max_length=16)),
                ("last4", models.CharField(blank=True, max_length=4, verbose_name="ends with")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("erased", "Erased on request"),
                            ("opted_out_elsewhere", "Opted out elsewhere"),
                            ("landline", "Landline"),
                            ("invalid", "Not a number that can be texted"),
                            ("unreachable", "Could not be reached again and again"),
                            ("blocked_by_carrier", "Blocked by the carrier"),
                            ("by_hand", "Added by hand"),
                        ],
                        default="by_hand",
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=40, verbose_name="source")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="added at")),
                ("created_by", models.CharField(blank=True, max_length=150, verbose_name="added by")),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suppressions",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "suppressed number",
                "verbose_name_plural": "suppressed numbers",
                "indexes": [models.Index(fields=["store", "created_at"], name="smsflow_suppression_list")],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "phone_hash"), name="smsflow_suppression_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="TestNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", models.CharField(max_length=20, verbose_name="phone")),
                ("label", models.CharField(blank=True, max_length=60, verbose_name="whose")),
                ("code_hash", models.CharField(blank=True, max_length=128)),
                ("code_sent_at", models.DateTimeField(blank=True, null=True)),
                ("wrong_codes", models.PositiveSmallIntegerField(default=0)),
                ("verified_at", models.DateTimeField(blank=True, null=True, verbose_name="verified at")),
                ("added_by", models.CharField(blank=True, max_length=150)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "test number",
                "verbose_name_plural": "test numbers",
                "constraints": [models.UniqueConstraint(fields=("store", "phone"), name="smsflow_test_number")],
            },
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
                (
                    "store",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                    ),
                ),
            ],
            options={
                "verbose_name": "count of what was not sent",
                "verbose_name_plural": "counts of what was not sent",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("store", "day", "flow_id", "verdict", "reason"), name="smsflow_unsent_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Variant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("variant_id", models.CharField(max_length=40)),
                ("product_id", models.CharField(blank=True, max_length=40)),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("variant", models.CharField(blank=True, max_length=100, verbose_name="variant")),
                ("url", models.URLField(blank=True, max_length=500, verbose_name="web address")),
                (
                    "price",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, verbose_name="price"),
                ),
                ("available", models.IntegerField(blank=True, null=True, verbose_name="in stock")),
                ("said_at", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "product variant",
                "verbose_name_plural": "product variants",
                "constraints": [models.UniqueConstraint(fields=("store", "variant_id"), name="smsflow_variant_id")],
            },
        ),
        migrations.CreateModel(
            name="StaffNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("to", models.JSONField(default=list)),
                ("subject", models.CharField(max_length=200)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Queued"), ("sent", "Sent"), ("failed", "Failed")],
                        default="queued",
                        max_length=6,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("detail", models.TextField(blank=True)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "notice to staff",
                "verbose_name_plural": "notices to staff",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")), fields=["not_before"], name="smsflow_notice_queued"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="smsflow_notice_key")],
            },
        ),
        migrations.CreateModel(
            name="SpendDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                (
                    "marketing",
                    models.DecimalField(decimal_places=5, default=0, max_digits=14, verbose_name="marketing"),
                ),
                ("total", models.DecimalField(decimal_places=5, default=0, max_digits=14, verbose_name="all texts")),
                ("texts", models.IntegerField(default=0, verbose_name="texts")),
                ("parts", models.IntegerField(default=0, verbose_name="parts")),
                ("unpriced", models.IntegerField(default=0, verbose_name="texts without a price")),
                ("compared", models.IntegerField(default=0, verbose_name="texts compared with the gateway")),
                ("differing", models.IntegerField(default=0, verbose_name="texts with other parts at the gateway")),
                ("compared_parts", models.IntegerField(default=0)),
                ("reported_parts", models.IntegerField(default=0)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "spend of a day",
                "verbose_name_plural": "spend by day",
                "constraints": [models.UniqueConstraint(fields=("store", "day"), name="smsflow_spend_day")],
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("provider_id", models.CharField(blank=True, max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sending", "Sending"),
                            ("accepted", "Accepted"),
                            ("rejected", "Rejected"),
                            ("returned", "Back in the queue"),
                            ("parked", "Nobody knows; a person decides"),
                        ],
                        default="sending",
                        max_length=8,
                    ),
                ),
                ("size", models.PositiveIntegerField()),
                ("detail", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("waits", models.BooleanField(db_default=False, default=False)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.connection"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "gateway call",
                "verbose_name_plural": "gateway calls",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "sending")), fields=["started_at"], name="smsflow_batch_open"
                    ),
                    models.Index(
                        condition=models.Q(("state", "parked")),
                        fields=["store", "started_at"],
                        name="smsflow_batch_parked",
                    ),
                    models.Index(fields=["connection", "provider_id"], name="smsflow_batch_provider"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40, verbose_name="kind")),
                ("key", models.CharField(max_length=255)),
                ("subject", models.CharField(blank=True, max_length=255)),
                ("occurred_at", models.DateTimeField(verbose_name="occurred at")),
                ("recorded_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("heard_by", models.BigIntegerField(editable=False, null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="smsflow.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="smsflow.delivery"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "indexes": [
                    models.Index(fields=["contact", "occurred_at"], name="smsflow_event_contact"),
                    models.Index(
                        condition=models.Q(("kind", "opted_out")), fields=["occurred_at"], name="smsflow_event_opt_out"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "kind", "key"), name="smsflow_event_key")],
            },
        ),
        migrations.CreateModel(
            name="InboundPoll",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("read_until", models.DateTimeField(blank=True, null=True)),
                ("found", models.PositiveIntegerField(default=0)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.connection"
                    ),
                ),
            ],
            options={
                "verbose_name": "question for inbound texts",
                "verbose_name_plural": "questions for inbound texts",
            },
        ),
        migrations.CreateModel(
            name="ReplyReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("body", models.TextField(verbose_name="text")),
                ("because", models.CharField(max_length=200, verbose_name="why it is unclear")),
                ("language", models.CharField(blank=True, max_length=8, verbose_name="language")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Waiting"), ("stop", "No more texts"), ("keep", "Not meant so")],
                        default="open",
                        max_length=4,
                        verbose_name="state",
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="received at")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                ("decided_by", models.CharField(blank=True, max_length=150, verbose_name="decided by")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reply_reviews",
                        to="smsflow.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "unclear reply",
                "verbose_name_plural": "unclear replies",
                "indexes": [
                    models.Index(fields=["store", "state", "received_at"], name="smsflow_reply_review_list"),
                    models.Index(fields=["contact", "decided_at"], name="smsflow_reply_review_contact"),
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="smsflow_reply_review_key")],
            },
        ),
        migrations.CreateModel(
            name="OptInAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="at")),
                ("phone_hash", models.CharField(max_length=64)),
                ("prefix", models.CharField(max_length=16)),
                ("country", models.CharField(max_length=2, verbose_name="country")),
                ("dial_code", models.PositiveSmallIntegerField()),
                ("ip_hash", models.CharField(max_length=64)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("asked", "Asked to confirm"),
                            ("joined", "Signed up"),
                            ("pending", "Asked already"),
                            ("phone", "Too often with this number"),
                            ("address", "Too often from one connection"),
                            ("prefix", "Too many similar numbers"),
                            ("country", "Too many numbers of this country today"),
                            ("paused", "Stopped: hardly anybody confirms"),
                            ("bot", "A robot"),
                        ],
                        max_length=8,
                        verbose_name="outcome",
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=255)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True, verbose_name="confirmed at")),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="smsflow.optinform"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "opt-in attempt",
                "verbose_name_plural": "opt-in attempts",
                "indexes": [
                    models.Index(fields=["store", "at"], name="smsflow_attempt_recent"),
                    models.Index(fields=["form", "at"], name="smsflow_attempt_form"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Interest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("variant_id", models.CharField(max_length=40)),
                (
                    "kind",
                    models.CharField(
                        choices=[("waitlist", "Waits for it"), ("viewed", "Looked at it")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("since", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="since")),
                ("price", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="interests", to="smsflow.contact"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "interest",
                "verbose_name_plural": "interests",
                "indexes": [
                    models.Index(fields=["store", "variant_id", "kind", "since"], name="smsflow_interest_queue")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("contact", "variant_id", "kind"), name="smsflow_interest_variant")
                ],
            },
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("customer", "Customer"),
                            ("checkout", "Checkout"),
                            ("cart", "Cart"),
                            ("order", "Order"),
                            ("contract", "Subscription"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.CharField(max_length=255)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="identities", to="smsflow.contact"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "identity",
                "verbose_name_plural": "identities",
                "constraints": [
                    models.UniqueConstraint(fields=("store", "kind", "value"), name="smsflow_identity_value")
                ],
            },
        ),
        migrations.CreateModel(
            name="DisclosureVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("language", models.CharField(max_length=8, verbose_name="language")),
                ("text", models.TextField(verbose_name="text")),
                ("html", models.TextField()),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="since")),
                (
                    "form",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="smsflow.optinform"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "version of a disclosure",
                "verbose_name_plural": "versions of disclosures",
                "constraints": [models.UniqueConstraint(fields=("form", "sha256"), name="smsflow_disclosure_version")],
            },
        ),
        migrations.CreateModel(
            name="ContactDate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("at", models.DateTimeField()),
                ("month_day", models.PositiveSmallIntegerField()),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="dates", to="smsflow.contact"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "date of a contact",
                "verbose_name_plural": "dates of contacts",
                "indexes": [
                    models.Index(fields=["store", "name", "month_day"], name="smsflow_date_yearly"),
                    models.Index(fields=["store", "name", "at"], name="smsflow_date_once"),
                ],
                "constraints": [models.UniqueConstraint(fields=("contact", "name"), name="smsflow_date_name")],
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("granted", "Granted"),
                            ("pending", "Asked, not yet confirmed"),
                            ("revoked", "Revoked"),
                            ("expired", "Not confirmed in time"),
                        ],
                        max_length=8,
                        verbose_name="action",
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[("marketing", "Marketing"), ("all", "Everything"), ("email", "E-mails")],
                        max_length=10,
                        verbose_name="scope",
                    ),
                ),
                ("source", models.CharField(max_length=40, verbose_name="source")),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("text", "Text message"),
                            ("web", "Website"),
                            ("shop", "Shop"),
                            ("email", "E-mail"),
                            ("phone", "Phone call"),
                            ("chat", "Chat"),
                            ("in_person", "In person"),
                            ("letter", "Letter"),
                        ],
                        max_length=10,
                        verbose_name="channel",
                    ),
                ),
                ("programme", models.CharField(blank=True, max_length=60, verbose_name="programme")),
                (
                    "opt_in_level",
                    models.CharField(
                        blank=True,
                        choices=[("single", "Said once"), ("confirmed", "Confirmed from the number itself")],
                        max_length=9,
                        verbose_name="opt-in",
                    ),
                ),
                ("effective_at", models.DateTimeField(verbose_name="effective at")),
                ("recorded_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="recorded at")),
                ("phone", models.CharField(max_length=20, verbose_name="phone")),
                ("phone_hash", models.CharField(blank=True, max_length=64)),
                ("name", models.CharField(blank=True, max_length=201, verbose_name="name at that time")),
                ("wording", models.TextField(blank=True, verbose_name="wording")),
                ("form", models.CharField(blank=True, max_length=80, verbose_name="form")),
                ("form_version", models.CharField(blank=True, max_length=64, verbose_name="version of the form")),
                ("disclosure", models.TextField(blank=True, verbose_name="disclosure")),
                (
                    "disclosure_locale",
                    models.CharField(blank=True, max_length=12, verbose_name="language of the disclosure"),
                ),
                ("disclosure_hash", models.CharField(blank=True, max_length=64, verbose_name="hash of the disclosure")),
                ("box_ticked", models.BooleanField(blank=True, null=True, verbose_name="box ticked")),
                ("ip", models.CharField(blank=True, max_length=45, verbose_name="IP address")),
                ("user_agent", models.CharField(blank=True, max_length=300, verbose_name="browser")),
                ("source_url", models.CharField(blank=True, max_length=500, verbose_name="page")),
                ("evidence", models.JSONField(blank=True, default=dict, verbose_name="evidence")),
                ("actor", models.CharField(blank=True, max_length=150, verbose_name="actor")),
                ("salt", models.CharField(blank=True, editable=False, max_length=32)),
                ("content_hash", models.CharField(blank=True, editable=False, max_length=64)),
                ("previous_hash", models.CharField(blank=True, editable=False, max_length=64)),
                ("hash", models.CharField(blank=True, editable=False, max_length=64, verbose_name="hash")),
                ("erased_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="erased at")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consent_records",
                        to="smsflow.contact",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "consent record",
                "verbose_name_plural": "consent records",
                "indexes": [
                    models.Index(fields=["contact", "effective_at"], name="smsflow_consent_contact"),
                    models.Index(fields=["store", "phone_hash"], name="smsflow_consent_phone"),
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="smsflow_consent_key")],
            },
        ),
        migrations.CreateModel(
            name="Thread",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("snoozed", "Snoozed"), ("closed", "Closed")],
                        default="open",
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                (
                    "needs",
                    models.CharField(
                        choices=[
                            ("answer", "Nothing answered their text"),
                            ("person", "A flow handed them over"),
                            ("started", "Staff started it"),
                            ("told", "They answered staff"),
                        ],
                        default="answer",
                        max_length=8,
                        verbose_name="opened because",
                    ),
                ),
                ("unread", models.PositiveIntegerField(default=0, verbose_name="unread")),
                ("snoozed_until", models.DateTimeField(blank=True, null=True, verbose_name="snoozed until")),
                ("heard_at", models.DateTimeField(blank=True, null=True, verbose_name="last text from them")),
                ("last_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="last text")),
                ("last_words", models.CharField(blank=True, max_length=160, verbose_name="last words")),
                ("last_from_person", models.BooleanField(default=True)),
                ("opened_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="opened at")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed at")),
                ("hand_back_at", models.DateTimeField(blank=True, null=True, verbose_name="automation comes back at")),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="assigned to",
                    ),
                ),
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="thread",
                        to="smsflow.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "conversation",
                "verbose_name_plural": "conversations",
                "indexes": [
                    models.Index(fields=["store", "state", "last_at"], name="smsflow_thread_list"),
                    models.Index(fields=["assigned_to", "state"], name="smsflow_thread_assigned"),
                    models.Index(
                        condition=models.Q(("state", "snoozed")),
                        fields=["snoozed_until"],
                        name="smsflow_thread_snoozed",
                    ),
                    models.Index(
                        condition=models.Q(("hand_back_at__isnull", False)),
                        fields=["hand_back_at"],
                        name="smsflow_thread_back",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(default="", max_length=20)),
                ("free_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("slowed_to", models.DecimalField(decimal_places=3, max_digits=8, null=True)),
                ("slowed_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.connection"
                    ),
                ),
            ],
            options={
                "verbose_name": "pace",
                "verbose_name_plural": "paces",
                "constraints": [models.UniqueConstraint(fields=("connection", "address"), name="smsflow_pace_number")],
            },
        ),
        migrations.CreateModel(
            name="SegmentMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.contact"
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="smsflow.segment"
                    ),
                ),
            ],
            options={
                "verbose_name": "member of a segment",
                "verbose_name_plural": "members of segments",
                "constraints": [models.UniqueConstraint(fields=("segment", "contact"), name="smsflow_segment_member")],
            },
        ),
        migrations.CreateModel(
            name="Sender",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=20, verbose_name="number or name")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("sms", "Text messages (SMS)"),
                            ("mms", "SMS, and pictures as MMS"),
                            ("rcs", "RCS, and SMS where a phone has none"),
                            ("whatsapp", "WhatsApp"),
                        ],
                        default="sms",
                        max_length=8,
                        verbose_name="channel",
                    ),
                ),
                (
                    "use",
                    models.CharField(
                        choices=[
                            ("all", "All texts"),
                            ("service", "Service texts and answers only"),
                            ("marketing", "Marketing only"),
                        ],
                        default="all",
                        max_length=9,
                        verbose_name="used for",
                    ),
                ),
                ("countries", models.JSONField(blank=True, default=list, verbose_name="countries")),
                (
                    "texts_per_second",
                    models.DecimalField(
                        blank=True, decimal_places=3, max_digits=8, null=True, verbose_name="texts a second"
                    ),
                ),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="place")),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now, editable=False)),
                (
                    "connection",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.connection",
                        verbose_name="sends through",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="senders",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "sender",
                "verbose_name_plural": "senders",
                "ordering": ["position", "pk"],
                "constraints": [models.UniqueConstraint(fields=("store", "address"), name="smsflow_sender_address")],
            },
        ),
        migrations.CreateModel(
            name="ThreadNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("note", "Note"),
                            ("assigned", "Assigned"),
                            ("unassigned", "Assigned to nobody"),
                            ("snoozed", "Snoozed"),
                            ("closed", "Closed"),
                            ("opened", "Opened again"),
                            ("taken_over", "Taken over from the flows"),
                            ("handed_back", "Given back to the flows"),
                            ("opt_out", "Opt-out recorded"),
                        ],
                        default="note",
                        max_length=11,
                        verbose_name="kind",
                    ),
                ),
                ("body", models.TextField(blank=True, verbose_name="note")),
                ("author_name", models.CharField(blank=True, max_length=150, verbose_name="by")),
                ("at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="at")),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="smsflow.thread"
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "indexes": [models.Index(fields=["thread", "at"], name="smsflow_thread_note")],
            },
        ),
        migrations.CreateModel(
            name="ThreadVisitor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seen_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("typed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="visitors", to="smsflow.thread"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "visitor of a conversation",
                "verbose_name_plural": "visitors of conversations",
                "constraints": [models.UniqueConstraint(fields=("thread", "user"), name="smsflow_thread_visitor")],
            },
        ),
        migrations.CreateModel(
            name="Flow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("live", models.BooleanField(default=True, editable=False, verbose_name="live")),
                (
                    "has_unpublished_changes",
                    models.BooleanField(default=False, editable=False, verbose_name="has unpublished changes"),
                ),
                (
                    "first_published_at",
                    models.DateTimeField(blank=True, db_index=True, null=True, verbose_name="first published at"),
                ),
                (
                    "last_published_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last published at"),
                ),
                ("go_live_at", models.DateTimeField(blank=True, null=True, verbose_name="go live date/time")),
                ("expire_at", models.DateTimeField(blank=True, null=True, verbose_name="expiry date/time")),
                ("expired", models.BooleanField(default=False, editable=False, verbose_name="expired")),
                ("locked", models.BooleanField(default=False, editable=False, verbose_name="locked")),
                ("locked_at", models.DateTimeField(editable=False, null=True, verbose_name="locked at")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("template", models.CharField(blank=True, editable=False, max_length=40)),
                ("triggers", models.JSONField(blank=True, default=list, verbose_name="starts when")),
                ("trigger", models.CharField(blank=True, editable=False, max_length=40, verbose_name="starts when")),
                (
                    "audience",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="All of these must hold. They are asked at entry, and again before every text.",
                        verbose_name="audience",
                    ),
                ),
                ("steps", models.JSONField(blank=True, default=list, verbose_name="steps")),
                (
                    "leave_unmatched",
                    models.BooleanField(
                        default=False,
                        help_text="Otherwise only the texts are skipped for as long as it does not fit.",
                        verbose_name="leave when the audience no longer fits",
                    ),
                ),
                ("exits", models.JSONField(blank=True, default=list, verbose_name="leave when")),
                (
                    "goal",
                    models.CharField(
                        blank=True,
                        choices=smsflow_plugin.events.kinds.kind_choices,
                        help_text="What the flow is for.",
                        max_length=40,
                        verbose_name="goal",
                    ),
                ),
                (
                    "goal_leaves",
                    models.BooleanField(default=True, verbose_name="leave the flow when the goal is reached"),
                ),
                (
                    "entry_limit",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="The others wait their turn. Empty means no limit.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="at most so many people enter",
                    ),
                ),
                (
                    "entry_unit",
                    models.CharField(
                        choices=[("minute", "minute"), ("hour", "hour"), ("day", "day")],
                        default="hour",
                        max_length=6,
                        verbose_name="per",
                    ),
                ),
                (
                    "max_people",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Nobody enters after them. Empty means no limit.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="at most so many people in all",
                    ),
                ),
                (
                    "reentry",
                    models.CharField(
                        choices=[
                            ("never", "Never again"),
                            ("after", "Again after some days"),
                            ("always", "Every time"),
                            ("subject", "Once for each cart or order"),
                        ],
                        default="never",
                        max_length=8,
                        verbose_name="same person again",
                    ),
                ),
                (
                    "reentry_days",
                    models.PositiveSmallIntegerField(
                        default=7, verbose_name="days until the same person may enter again"
                    ),
                ),
                ("restart", models.BooleanField(default=False, verbose_name="start afresh when the same cart changes")),
                (
                    "message_class",
                    models.CharField(
                        choices=[
                            ("marketing", "Marketing: needs an opt-in"),
                            ("service", "Service: news about the person's own order"),
                            ("optin", "Opt-in question: asks people who want texts to confirm it"),
                        ],
                        default="marketing",
                        max_length=10,
                        verbose_name="kind of text",
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[("service", "Service"), ("lifecycle", "Lifecycle"), ("promo", "Promotion")],
                        default="lifecycle",
                        max_length=10,
                        verbose_name="priority",
                    ),
                ),
                (
                    "priority_number",
                    models.PositiveSmallIntegerField(default=100, verbose_name="order within the priority"),
                ),
                (
                    "stage",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("welcome", "Welcome"),
                            ("cart", "Carts and checkouts"),
                            ("browse", "Looking around"),
                            ("order", "Orders and deliveries"),
                            ("after", "After the purchase"),
                            ("retention", "Loyalty and refills"),
                            ("win_back", "Win-back"),
                            ("news", "News and offers"),
                        ],
                        help_text="Where in the life of a customer it speaks. Caps can count by it, and people can refuse it.",
                        max_length=10,
                        verbose_name="stage",
                    ),
                ),
                (
                    "when_blocked",
                    models.CharField(
                        blank=True,
                        choices=[("hold", "Wait until it may go"), ("drop", "Drop it")],
                        help_text="Empty: as the store's rules say. Each text can say otherwise.",
                        max_length=5,
                        verbose_name="when a text may not go yet",
                    ),
                ),
                (
                    "cap_day",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="texts of this flow to one person in 24 hours",
                    ),
                ),
                (
                    "cap_week",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="texts of this flow to one person in 7 days",
                    ),
                ),
                (
                    "own_gap",
                    models.PositiveSmallIntegerField(
                        blank=True, null=True, verbose_name="minutes between two texts of any flow before one of this"
                    ),
                ),
                ("paused_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("resumed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now, editable=False)),
                (
                    "latest_revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.revision",
                        verbose_name="latest revision",
                    ),
                ),
                (
                    "live_revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.revision",
                        verbose_name="live revision",
                    ),
                ),
                (
                    "locked_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="locked_%(class)ss",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="locked by",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who answers for this flow. They are told when something goes wrong with it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="owner",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="flows",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "flow",
                "verbose_name_plural": "flows",
                "permissions": [("reword_flow", "Can change the words of flows")],
            },
            bases=(wagtail.models.preview.PreviewableMixin, modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name="FlowVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("content_hash", models.CharField(max_length=64)),
                ("program", models.JSONField()),
                ("published_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("published_by", models.CharField(blank=True, max_length=150)),
                (
                    "flow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="smsflow.flow"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "flow version",
                "verbose_name_plural": "flow versions",
                "constraints": [models.UniqueConstraint(fields=("flow", "number"), name="smsflow_version_number")],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("enrollment_id", models.BigIntegerField(editable=False, null=True)),
                ("step", models.CharField(blank=True, max_length=36)),
                ("visit", models.PositiveSmallIntegerField(default=0)),
                ("key", models.CharField(blank=True, max_length=255)),
                ("purpose", models.CharField(default="flow", max_length=20, verbose_name="purpose")),
                (
                    "message_class",
                    models.CharField(
                        choices=[
                            ("marketing", "Marketing"),
                            ("service", "Service"),
                            ("optin", "Opt-in question"),
                            ("reply", "Reply"),
                        ],
                        max_length=10,
                        verbose_name="class",
                    ),
                ),
                ("priority", models.PositiveSmallIntegerField(default=0)),
                ("sender", models.CharField(max_length=20, verbose_name="from")),
                ("to", models.CharField(max_length=20, verbose_name="to")),
                ("body", models.TextField(verbose_name="text")),
                ("slots", models.JSONField(blank=True, default=list)),
                ("parts", models.PositiveSmallIntegerField(default=1, verbose_name="parts")),
                ("encoding", models.CharField(default="GSM-7", max_length=6, verbose_name="encoding")),
                (
                    "cost",
                    models.DecimalField(blank=True, decimal_places=5, max_digits=12, null=True, verbose_name="cost"),
                ),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="country")),
                ("spent", models.BooleanField(default=False, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("accepted", "Accepted"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=120, verbose_name="reason")),
                ("error_code", models.IntegerField(blank=True, null=True, verbose_name="error code")),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("queued_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="queued at")),
                ("not_before", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="accepted at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="delivered or failed at")),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="read at")),
                ("channel", models.CharField(blank=True, max_length=10, verbose_name="channel")),
                ("media_url", models.CharField(blank=True, max_length=500, verbose_name="picture")),
                (
                    "reported_parts",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="parts, says the gateway"),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="messages",
                        to="smsflow.batch",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="smsflow.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to="smsflow.flow",
                        verbose_name="flow",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["priority", "not_before"],
                        name="smsflow_message_queued",
                    ),
                    models.Index(fields=["contact", "queued_at"], name="smsflow_message_contact"),
                    models.Index(fields=["store", "queued_at"], name="smsflow_message_list"),
                    models.Index(fields=["flow", "state"], name="smsflow_message_flow"),
                    models.Index(
                        condition=models.Q(
                            ("accepted_at__isnull", True),
                            ("spent", True),
                            ("state__in", ("cancelled", "expired", "failed")),
                        ),
                        fields=["id"],
                        name="smsflow_message_refund",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("enrollment_id__isnull", False)),
                        fields=("enrollment_id", "step", "visit"),
                        name="smsflow_message_step",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True),
                        fields=("store", "key"),
                        name="smsflow_message_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Keyword",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("words", models.JSONField(default=list, verbose_name="words")),
                (
                    "match",
                    models.CharField(
                        choices=[
                            ("whole", "The text is this word"),
                            ("first", "The text begins with it"),
                            ("anywhere", "The word stands somewhere in the text"),
                        ],
                        default="whole",
                        max_length=8,
                        verbose_name="how it is compared",
                    ),
                ),
                ("reply", models.JSONField(blank=True, default=dict, verbose_name="answer")),
                ("tag", models.CharField(blank=True, max_length=60, verbose_name="tag that they get")),
                ("tell_staff", models.BooleanField(default=False, verbose_name="puts them into the inbox")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                ("position", models.PositiveSmallIntegerField(default=0, verbose_name="place")),
                (
                    "flow",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.flow",
                        verbose_name="flow that it starts",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "keyword",
                "verbose_name_plural": "keywords",
                "ordering": ["position", "pk"],
                "indexes": [models.Index(fields=["store", "active"], name="smsflow_keyword_store")],
            },
        ),
        migrations.CreateModel(
            name="Intake",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100)),
                ("kind", models.CharField(default="entered_by_hand", max_length=40)),
                ("data", models.JSONField(default=dict)),
                ("contact_ids", models.JSONField(blank=True, null=True)),
                ("condition", models.JSONField(blank=True, null=True)),
                ("apply_audience", models.BooleanField(default=True)),
                ("test_pace", models.PositiveIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("stopped", "Stopped")],
                        default="waiting",
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                ("cursor", models.BigIntegerField(default=0)),
                ("total", models.PositiveIntegerField(null=True)),
                ("seen", models.PositiveIntegerField(default=0)),
                ("entered", models.PositiveIntegerField(default=0)),
                ("created_by", models.CharField(blank=True, max_length=150)),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "flow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="intakes", to="smsflow.flow"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "intake",
                "verbose_name_plural": "intakes",
                "indexes": [
                    models.Index(condition=models.Q(("state", "waiting")), fields=["id"], name="smsflow_intake_waiting")
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="smsflow_intake_key")],
            },
        ),
        migrations.CreateModel(
            name="FlowDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("texts", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("opt_outs", models.PositiveIntegerField(default=0)),
                (
                    "flow",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.flow"),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "day of a flow",
                "verbose_name_plural": "days of flows",
                "constraints": [models.UniqueConstraint(fields=("flow", "day"), name="smsflow_flow_day")],
            },
        ),
        migrations.CreateModel(
            name="BreakerTrip",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opt_outs", "Opt-outs"),
                            ("failures", "Failed texts"),
                            ("volume", "Number of texts"),
                            ("spend", "Spend"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("measured", models.DecimalField(decimal_places=2, max_digits=14, verbose_name="measured")),
                ("limit", models.DecimalField(decimal_places=2, max_digits=14, verbose_name="limit")),
                ("baseline", models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name="usual")),
                ("against", models.CharField(default="ceiling", max_length=7)),
                ("hours", models.PositiveSmallIntegerField(default=24)),
                ("count", models.PositiveIntegerField(default=0)),
                ("texts", models.PositiveIntegerField(default=0)),
                ("tripped_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="since")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Waits for a decision"),
                            ("resumed", "Went on"),
                            ("drained", "Closed, people inside went on"),
                            ("emptied", "Closed, people inside left"),
                        ],
                        default="open",
                        max_length=7,
                        verbose_name="state",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="breaker_trips",
                        to="smsflow.flow",
                        verbose_name="flow",
                    ),
                ),
                (
                    "stop",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.panicstop",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "tripped breaker",
                "verbose_name_plural": "breakers",
                "indexes": [models.Index(fields=["store", "tripped_at"], name="smsflow_trip_list")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("flow__isnull", False), ("state", "open")),
                        fields=("flow",),
                        name="smsflow_trip_of_flow",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("flow__isnull", True), ("state", "open")),
                        fields=("store",),
                        name="smsflow_trip_of_store",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Enrollment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry_key", models.CharField(blank=True, max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "In the flow"),
                            ("finished", "Finished"),
                            ("exited", "Left early"),
                            ("failed", "Stopped by an error"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("state", models.JSONField(default=dict, editable=False)),
                ("exit_reason", models.CharField(blank=True, max_length=120, verbose_name="left because")),
                ("wake_at", models.DateTimeField(blank=True, null=True)),
                ("entered_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="entered at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                ("test_pace", models.PositiveIntegerField(editable=False, null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="enrollments",
                        to="smsflow.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "trigger_event",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="smsflow.event"
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="enrollments",
                        to="smsflow.flow",
                        verbose_name="flow",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="enrollments",
                        to="smsflow.flowversion",
                        verbose_name="version",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "enrollment",
                "verbose_name_plural": "enrollments",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")), fields=["contact"], name="smsflow_enrollment_live"
                    ),
                    models.Index(fields=["flow", "status"], name="smsflow_enrollment_flow"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("flow", "contact", "entry_key"), name="smsflow_enrollment_entry")
                ],
            },
        ),
        migrations.CreateModel(
            name="FormerCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("error_code", models.IntegerField(blank=True, null=True)),
                ("failed_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.batch"
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="former_calls", to="smsflow.message"
                    ),
                ),
            ],
            options={
                "verbose_name": "former call",
                "verbose_name_plural": "former calls",
                "constraints": [models.UniqueConstraint(fields=("message", "batch"), name="smsflow_former_call")],
            },
        ),
        migrations.CreateModel(
            name="Incentive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.CharField(max_length=36)),
                ("visit", models.PositiveSmallIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[("percent", "Percent"), ("amount", "Amount"), ("shipping", "Free shipping")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, default=0, max_digits=12, verbose_name="discount")),
                (
                    "minimum",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="minimum"),
                ),
                ("code", models.CharField(blank=True, max_length=100, verbose_name="code")),
                ("code_key", models.CharField(blank=True, editable=False, max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("wanted", "Being made"),
                            ("given", "Given"),
                            ("refused", "Refused by the rules"),
                            ("failed", "No code to be had"),
                            ("expired", "Run out unused"),
                        ],
                        default="wanted",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("notes", models.JSONField(blank=True, default=dict)),
                ("wanted_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="wanted at")),
                ("given_at", models.DateTimeField(blank=True, null=True, verbose_name="given at")),
                ("valid_until", models.DateTimeField(blank=True, null=True, verbose_name="valid until")),
                ("redeemed_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                ("order", models.CharField(blank=True, max_length=255)),
                (
                    "order_value",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=14, null=True, verbose_name="order value"
                    ),
                ),
                ("order_currency", models.CharField(blank=True, max_length=3)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="incentives",
                        to="smsflow.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.enrollment",
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.flow",
                        verbose_name="flow",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "discount",
                "verbose_name_plural": "discounts",
                "permissions": [("reveal_incentive", "Can read the codes of discounts")],
                "indexes": [
                    models.Index(fields=["contact", "wanted_at"], name="smsflow_incentive_contact"),
                    models.Index(fields=["store", "wanted_at"], name="smsflow_incentive_list"),
                    models.Index(
                        condition=models.Q(("code_key", ""), _negated=True),
                        fields=["store", "code_key"],
                        name="smsflow_incentive_code",
                    ),
                    models.Index(
                        condition=models.Q(("state", "given")), fields=["valid_until"], name="smsflow_incentive_open"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("enrollment", "step", "visit"), name="smsflow_incentive_step")
                ],
            },
        ),
        migrations.CreateModel(
            name="Effect",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.CharField(max_length=36)),
                ("visit", models.PositiveSmallIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("webhook", "Webhook"),
                            ("email", "E-mail"),
                            ("notice", "Notice to staff"),
                            ("discount", "Discount code"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("payload", models.JSONField(default=dict)),
                ("waits", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Queued"), ("working", "Working"), ("done", "Done"), ("failed", "Failed")],
                        default="queued",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("result", models.JSONField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="effects", to="smsflow.contact"
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="effects", to="smsflow.enrollment"
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="smsflow.flow"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "effect",
                "verbose_name_plural": "effects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")), fields=["not_before"], name="smsflow_effect_queued"
                    ),
                    models.Index(
                        condition=models.Q(("state", "working")), fields=["not_before"], name="smsflow_effect_working"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("enrollment", "step", "visit"), name="smsflow_effect_step")
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="decisions",
                        to="smsflow.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="decisions",
                        to="smsflow.enrollment",
                    ),
                ),
                (
                    "flow",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.flow",
                        verbose_name="flow",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision",
                "verbose_name_plural": "decisions",
                "indexes": [
                    models.Index(fields=["contact", "at"], name="smsflow_decision_person"),
                    models.Index(
                        condition=models.Q(("verdict__gt", 1)),
                        fields=["store", "at", "verdict", "reason", "flow"],
                        name="smsflow_decision_unsent",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="Flow",
            name="current_version",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="smsflow.flowversion",
            ),
        ),
        migrations.RunPython(protect, unprotect),
    ]
