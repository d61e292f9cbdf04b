"""All that stands when the migrations up to the last in `replaces` have run: each table is made once, which takes seconds."""

import django.core.validators
import django.db.models.deletion
import smsflow_plugin.clock
import smsflow_plugin.stores.crypto
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("smsflow_shopify", "0001_initial"),
        ("smsflow_shopify", "0002_topics"),
        ("smsflow_shopify", "0003_connect"),
        ("smsflow_shopify", "0004_writes"),
        ("smsflow_shopify", "0005_sync"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("smsflow", "0001_squashed_0023_calls_that_wait"),
    ]

    operations = [
        migrations.CreateModel(
            name="CodePool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("definition", models.CharField(max_length=64)),
                ("number", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=10)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("minimum", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ("valid_days", models.PositiveSmallIntegerField()),
                ("prefix", models.CharField(blank=True, max_length=20)),
                ("starts_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("discount", models.CharField(blank=True, max_length=100)),
                ("adding", models.CharField(blank=True, max_length=100)),
                ("adding_since", models.DateTimeField(blank=True, null=True)),
                ("working_until", models.DateTimeField(blank=True, null=True)),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                ("trouble", models.CharField(blank=True, max_length=500)),
                ("trouble_at", models.DateTimeField(blank=True, null=True)),
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
                "default_permissions": (),
                "indexes": [models.Index(fields=["store", "until"], name="smsflow_shopify_pools")],
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "definition", "number"), name="smsflow_shopify_pool")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lease", models.CharField(blank=True, editable=False, max_length=32)),
                ("busy_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("next_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="next look at")),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="started at")),
                ("created_by", models.CharField(blank=True, max_length=150, verbose_name="started by")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                ("with_orders", models.BooleanField(default=True)),
                ("orders_since", models.DateField(blank=True, null=True)),
                ("start_flows", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting to begin"),
                            ("preparing", "Shopify prepares the data"),
                            ("reading", "Reading"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Stopped"),
                        ],
                        default="queued",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("customers", "Customers"),
                            ("orders", "Orders"),
                            ("checkouts", "Abandoned checkouts"),
                        ],
                        default="customers",
                        max_length=9,
                    ),
                ),
                ("operation", models.CharField(blank=True, max_length=120)),
                ("snapshot_at", models.DateTimeField(blank=True, null=True)),
                ("url", models.TextField(blank=True, editable=False)),
                ("size", models.BigIntegerField(default=0)),
                ("objects_count", models.BigIntegerField(default=0)),
                ("offset", models.BigIntegerField(default=0)),
                ("lines", models.BigIntegerField(default=0)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("report", models.JSONField(default=dict)),
                ("trouble", models.CharField(blank=True, max_length=300)),
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
                "verbose_name": "import of a shop's history",
                "verbose_name_plural": "imports of shops' histories",
                "indexes": [models.Index(fields=["store", "created_at"], name="smsflow_shopify_import_list")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "preparing", "reading"])),
                        fields=("store",),
                        name="smsflow_shopify_one_import",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PixelEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.CharField(max_length=80)),
                ("client_id", models.CharField(max_length=80)),
                ("kind", models.CharField(max_length=30)),
                ("checkout", models.CharField(blank=True, max_length=80)),
                ("data", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("caller", models.CharField(max_length=64)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "visit of nobody yet",
                "verbose_name_plural": "visits of nobody yet",
                "indexes": [
                    models.Index(fields=["store", "client_id"], name="smsflow_shopify_pixel_client"),
                    models.Index(fields=["store", "received_at"], name="smsflow_shopify_pixel_rate"),
                    models.Index(fields=["caller", "received_at"], name="smsflow_shopify_pixel_caller"),
                    models.Index(
                        condition=models.Q(("checkout", ""), _negated=True),
                        fields=["checkout"],
                        name="smsflow_shopify_pixel_known",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "event_id"), name="smsflow_shopify_pixel_id")],
            },
        ),
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop", models.CharField(max_length=255, verbose_name="shop")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("export", "Tell a person what is known about them"),
                            ("erase", "Erase a person"),
                            ("shop", "Erase everything of the shop"),
                        ],
                        max_length=6,
                        verbose_name="what is asked for",
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("customer", models.CharField(blank=True, max_length=80)),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("orders", models.JSONField(default=list)),
                ("asked_at", models.DateTimeField(verbose_name="asked for at")),
                ("due_at", models.DateTimeField(verbose_name="due at")),
                ("not_before", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "To be done"),
                            ("held", "Waits for a person"),
                            ("done", "Done"),
                            ("void", "Not to be done"),
                        ],
                        default="open",
                        max_length=4,
                        verbose_name="state",
                    ),
                ),
                ("outcome", models.CharField(blank=True, max_length=255, verbose_name="what became of it")),
                ("people", models.PositiveIntegerField(default=0, verbose_name="people")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="done at")),
                ("done_by", models.CharField(blank=True, max_length=150, verbose_name="done by")),
                ("file", models.BinaryField(null=True)),
                (
                    "store",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="store",
                    ),
                ),
            ],
            options={
                "verbose_name": "privacy request",
                "verbose_name_plural": "privacy requests",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["not_before"],
                        name="smsflow_shopify_privacy_open",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("shop", "key"), name="smsflow_shopify_privacy_key")],
            },
        ),
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("stock", "How many there are of an article"),
                            ("pickup", "Which order can be picked up"),
                        ],
                        max_length=8,
                    ),
                ),
                ("about", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                ("answer", models.CharField(blank=True, max_length=80)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "question to the shop",
                "verbose_name_plural": "questions to the shop",
                "indexes": [models.Index(fields=["not_before"], name="smsflow_shopify_question_due")],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "kind", "about"), name="smsflow_shopify_question_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="ShopifyApp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="As it is called in Shopify's Dev Dashboard.", max_length=100, verbose_name="name"
                    ),
                ),
                (
                    "client_id",
                    models.CharField(
                        max_length=64,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator("^[A-Za-z0-9_-]+$", "Letters, digits, - and _ only.")
                        ],
                        verbose_name="client ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("oauth", "Installed by merchants (they agree on a page of Shopify)"),
                            ("client_credentials", "For shops of the app's own organisation (no page to agree on)"),
                        ],
                        default="oauth",
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                ("secrets", smsflow_plugin.stores.crypto.EncryptedJSONField(default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=smsflow_plugin.clock.now, editable=False, verbose_name="created at"),
                ),
                (
                    "stores",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Who else may connect through this app. None: only those who may manage apps.",
                        related_name="+",
                        to="smsflow.store",
                        verbose_name="stores",
                    ),
                ),
            ],
            options={
                "verbose_name": "Shopify app",
                "verbose_name_plural": "Shopify apps",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="StockItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item_id", models.CharField(max_length=40)),
                ("variant_id", models.CharField(max_length=40)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "article of the stock",
                "verbose_name_plural": "articles of the stock",
                "constraints": [models.UniqueConstraint(fields=("store", "item_id"), name="smsflow_shopify_item_id")],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("compared_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("comparing_until", models.DateTimeField(blank=True, null=True)),
                ("again", models.BooleanField(default=False)),
                ("topics", models.JSONField(default=list)),
                ("repairs", models.JSONField(default=list)),
                ("problems", models.JSONField(default=list)),
                ("failed_because", models.CharField(blank=True, max_length=255)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subscription_check",
                        to="smsflow.connection",
                    ),
                ),
            ],
            options={
                "verbose_name": "check of subscriptions",
                "verbose_name_plural": "checks of subscriptions",
            },
        ),
        migrations.CreateModel(
            name="SyncRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="started at")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
                ("seen", models.PositiveIntegerField(default=0)),
                ("trouble", models.CharField(blank=True, max_length=300)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "comparison of a shop",
                "verbose_name_plural": "comparisons of shops",
                "indexes": [models.Index(fields=["store", "started_at"], name="smsflow_shopify_run_list")],
            },
        ),
        migrations.CreateModel(
            name="Turn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("next_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("served_at", models.DateTimeField(blank=True, null=True)),
                ("held_until", models.DateTimeField(blank=True, null=True)),
                ("number", models.PositiveIntegerField(default=0)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.connection"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Visitor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("client_id", models.CharField(max_length=80, verbose_name="browser")),
                ("checkout", models.CharField(max_length=80)),
                ("linked_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="known since")),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "browser of a person",
                "verbose_name_plural": "browsers of people",
                "constraints": [
                    models.UniqueConstraint(fields=("store", "client_id"), name="smsflow_shopify_visitor_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Write",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("consent", "Consent to texts"), ("tag", "Tag")], max_length=10, verbose_name="kind"
                    ),
                ),
                ("tag", models.CharField(blank=True, max_length=255)),
                ("text", models.CharField(blank=True, max_length=255, verbose_name="tag")),
                ("rank", models.PositiveSmallIntegerField(default=1)),
                ("wanted", models.PositiveIntegerField(default=0)),
                ("settled", models.PositiveIntegerField(default=0)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "To be written"),
                            ("done", "Written"),
                            ("same", "Shopify had it already"),
                            ("no_customer", "Nobody in Shopify has this number"),
                            ("no_phone", "The customer has no number in Shopify"),
                            ("other_phone", "The customer has another number in Shopify"),
                            ("newer", "Shopify knows something newer"),
                            ("nothing", "There was nothing to tell"),
                            ("off", "The store has switched it off"),
                            ("held", "Waits until the shop grants it"),
                            ("trouble", "Tried again soon"),
                            ("parked", "Refused by Shopify"),
                        ],
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=500, verbose_name="what Shopify said")),
                ("customer", models.CharField(blank=True, max_length=40, verbose_name="customer")),
                ("sent", models.JSONField(default=list)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("held_at", models.DateTimeField(blank=True, null=True)),
                ("changed_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="changed at")),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="written at")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
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
                "verbose_name": "entry of the Shopify outbox",
                "verbose_name_plural": "Shopify outbox",
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("wanted__gt", models.F("settled"))),
                        fields=["store", "rank", "id"],
                        name="smsflow_shopify_due",
                    ),
                    models.Index(fields=["store", "customer"], name="smsflow_shopify_echo"),
                    models.Index(fields=["store", "-changed_at"], name="smsflow_shopify_listed"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("contact", "kind", "tag"), name="smsflow_shopify_one_write")
                ],
            },
        ),
        migrations.CreateModel(
            name="AnonymousCart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.CharField(max_length=80)),
                ("key", models.CharField(max_length=160)),
                ("at", models.DateTimeField()),
                ("cart", models.JSONField(default=dict)),
                ("stored_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
            ],
            options={
                "verbose_name": "cart of nobody yet",
                "verbose_name_plural": "carts of nobody yet",
                "indexes": [
                    models.Index(fields=["store", "token"], name="smsflow_shopify_cart_token"),
                    models.Index(fields=["stored_at"], name="smsflow_shopify_cart_age"),
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="smsflow_shopify_cart_key")],
            },
        ),
        migrations.CreateModel(
            name="PoolCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("making", "Being made"),
                            ("free", "In stock"),
                            ("given", "Given"),
                            ("lost", "Not usable"),
                        ],
                        default="making",
                        max_length=6,
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=100, null=True)),
                ("made_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("given_at", models.DateTimeField(blank=True, null=True)),
                (
                    "pool",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="codes", to="smsflow_shopify.codepool"
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
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "free")), fields=["pool", "id"], name="smsflow_shopify_free"
                    ),
                    models.Index(fields=["pool", "state", "given_at"], name="smsflow_shopify_stock"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("store", "code"), name="smsflow_shopify_code"),
                    models.UniqueConstraint(fields=("store", "key"), name="smsflow_shopify_code_key"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PendingInstall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state_hash", models.CharField(max_length=64, unique=True)),
                ("shop", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "app",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow_shopify.shopifyapp"
                    ),
                ),
            ],
            options={
                "verbose_name": "install that was begun",
                "verbose_name_plural": "installs that were begun",
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("expiring", "Renewed every hour"),
                            ("client_credentials", "Asked for every day"),
                            ("static", "Entered by hand, valid until it is revoked"),
                        ],
                        max_length=20,
                    ),
                ),
                ("secrets", smsflow_plugin.stores.crypto.EncryptedJSONField(default=dict)),
                ("scopes", models.JSONField(default=list)),
                ("granted_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("refresh_until", models.DateTimeField(blank=True, null=True)),
                ("renewing_until", models.DateTimeField(blank=True, null=True)),
                ("broken_at", models.DateTimeField(blank=True, null=True)),
                ("broken_because", models.CharField(blank=True, max_length=255)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grant", to="smsflow.connection"
                    ),
                ),
                (
                    "app",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="smsflow_shopify.shopifyapp",
                    ),
                ),
            ],
            options={
                "verbose_name": "grant of a shop",
                "verbose_name_plural": "grants of shops",
            },
        ),
        migrations.CreateModel(
            name="SyncFind",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.CharField(max_length=80, verbose_name="topic")),
                ("key", models.CharField(max_length=255)),
                ("label", models.CharField(blank=True, max_length=100)),
                ("changed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Being read"),
                            ("recovered", "Recovered"),
                            ("known", "Came by itself meanwhile"),
                            ("ignored", "Ignored"),
                            ("parked", "Not understood"),
                        ],
                        default="waiting",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("hours", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "delivery",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow.delivery",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="smsflow.store"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="finds", to="smsflow_shopify.syncrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "missed event",
                "verbose_name_plural": "missed events",
                "indexes": [
                    models.Index(fields=["run", "state"], name="smsflow_shopify_find_run"),
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["store"], name="smsflow_shopify_find_open"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("store", "key"), name="smsflow_shopify_find_key")],
            },
        ),
        migrations.CreateModel(
            name="SyncState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lease", models.CharField(blank=True, editable=False, max_length=32)),
                ("busy_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("next_at", models.DateTimeField(default=smsflow_plugin.clock.now, verbose_name="next look at")),
                ("since", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("customers_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("orders_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                ("checkouts_at", models.DateTimeField(default=smsflow_plugin.clock.now)),
                (
                    "stage",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("customers", "Customers"),
                            ("orders", "Orders"),
                            ("checkouts", "Abandoned checkouts"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sync_state", to="smsflow.connection"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="smsflow_shopify.syncrun",
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
                "verbose_name": "state of a shop's comparison",
                "verbose_name_plural": "states of shops' comparisons",
            },
        ),
    ]
