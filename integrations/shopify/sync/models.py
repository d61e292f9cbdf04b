"""How far each shop was compared, what was found, and imports of its history."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.models import Connection, Delivery, Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Resource(models.TextChoices):
    """What is compared, in this order: an order finds its customer, and a checkout the order that it became."""

    CUSTOMERS = "customers", _("Customers")
    ORDERS = "orders", _("Orders")
    CHECKOUTS = "checkouts", _("Abandoned checkouts")


class Leased(models.Model):
    """Work that one worker does at a time. A worker that was killed leaves a lease that ends."""

    lease = models.CharField(max_length=32, blank=True, editable=False)
    busy_until = models.DateTimeField(null=True, blank=True, editable=False)
    #: When somebody should look again.
    next_at = models.DateTimeField(_("next look at"), default=clock.now)

    class Meta:
        abstract = True


class SyncState(Leased):
    """How far a shop was compared with what its webhooks have said."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="sync_state")
    #: Since when we listen. What is older was never missed: it is history, and imported if somebody wants it.
    since = models.DateTimeField(default=clock.now)
    #: Up to which change of each resource everything is stored.
    customers_at = models.DateTimeField(default=clock.now)
    orders_at = models.DateTimeField(default=clock.now)
    checkouts_at = models.DateTimeField(default=clock.now)
    #: The run that is not over, and what of it comes next.
    run = models.ForeignKey("SyncRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    stage = models.CharField(max_length=10, choices=Resource.choices, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("state of a shop's comparison")
        verbose_name_plural = _("states of shops' comparisons")

    def __str__(self) -> str:
        return str(self.connection_id)

    def cursor(self, resource: str) -> str:
        """Return the name of the column that says how far a resource was compared."""
        return f"{Resource(resource).value}_at"


class SyncRun(models.Model):
    """One comparison of a shop."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField(_("started at"), default=clock.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    #: Customers, orders and checkouts that Shopify told of.
    seen = models.PositiveIntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("comparison of a shop")
        verbose_name_plural = _("comparisons of shops")
        indexes = [models.Index(fields=["store", "started_at"], name="smsflow_shopify_run_list")]

    def __str__(self) -> str:
        return f"{self.store_id} {self.started_at:%Y-%m-%d %H:%M}"


class SyncFind(models.Model):
    """Something that no webhook had told us, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Being read")
        RECOVERED = "recovered", _("Recovered")
        KNOWN = "known", _("Came by itself meanwhile")
        IGNORED = "ignored", _("Ignored")
        PARKED = "parked", _("Not understood")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="finds")
    topic = models.CharField(_("topic"), max_length=80)
    #: The id of the delivery that says it, whether one was made or not: found twice is found once.
    key = models.CharField(max_length=255)
    #: The order's name, or the id of who or what it is about.
    label = models.CharField(max_length=100, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.WAITING)
    #: Why it was ignored: one of ``late.REASONS``, with its hours; or what the translator says.
    reason = models.CharField(max_length=300, blank=True)
    hours = models.PositiveIntegerField(null=True, blank=True)
    delivery = models.ForeignKey(Delivery, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("missed event")
        verbose_name_plural = _("missed events")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_shopify_find_key")]
        indexes = [
            models.Index(fields=["run", "state"], name="smsflow_shopify_find_run"),
            models.Index(fields=["store"], name="smsflow_shopify_find_open", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.label}"


class ImportRun(Leased):
    """An import of a shop's history: customers, then orders if they are wanted.

    Everything up to ``offset`` (bytes) of the current file is written: both change in one transaction, so that a
    worker which is killed leaves nothing out and does nothing twice.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting to begin")
        PREPARING = "preparing", _("Shopify prepares the data")
        READING = "reading", _("Reading")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Stopped")

    #: Somebody works on it, or will.
    ACTIVE = (State.QUEUED, State.PREPARING, State.READING)

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("started at"), default=clock.now)
    created_by = models.CharField(_("started by"), max_length=150, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    with_orders = models.BooleanField(default=True)
    #: Orders from this day on, in the store's zone; empty for all of them.
    orders_since = models.DateField(null=True, blank=True)
    #: Whoever imports wants flows to start on what happened a short while ago.
    start_flows = models.BooleanField(default=False)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.QUEUED)
    phase = models.CharField(max_length=9, choices=Resource.choices, default=Resource.CUSTOMERS)
    #: Shopify's bulk operation, when it began, and where its file is. The address lets anybody read it: never shown.
    operation = models.CharField(max_length=120, blank=True)
    snapshot_at = models.DateTimeField(null=True, blank=True)
    url = models.TextField(blank=True, editable=False)
    size = models.BigIntegerField(default=0)
    objects_count = models.BigIntegerField(default=0)
    offset = models.BigIntegerField(default=0)
    #: Lines read of the current file.
    lines = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    report = models.JSONField(default=dict)
    trouble = models.CharField(max_length=300, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("import of a shop's history")
        verbose_name_plural = _("imports of shops' histories")
        constraints = [
            models.UniqueConstraint(
                fields=["store"],
                name="smsflow_shopify_one_import",
                condition=Q(state__in=["queued", "preparing", "reading"]),
            )
        ]
        indexes = [models.Index(fields=["store", "created_at"], name="smsflow_shopify_import_list")]

    def __str__(self) -> str:
        return f"{self.store_id} {self.created_at:%Y-%m-%d %H:%M}"
