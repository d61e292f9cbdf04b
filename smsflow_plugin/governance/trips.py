"""What circuit breakers have stopped, and what flows use to do."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.models import PanicStop
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class BreakerTrip(models.Model):
    """A breaker has paused a flow, or stopped a whole store where ``flow`` is empty, until a person decides.

    The numbers are those of ``governance.breakers.Trip``, as they were then. For each flow and each store
    one may be open.
    """

    class Kind(models.TextChoices):
        OPT_OUTS = "opt_outs", _("Opt-outs")
        FAILURES = "failures", _("Failed texts")
        VOLUME = "volume", _("Number of texts")
        SPEND = "spend", _("Spend")

    class State(models.TextChoices):
        OPEN = "open", _("Waits for a decision")
        RESUMED = "resumed", _("Went on")
        DRAINED = "drained", _("Closed, people inside went on")
        EMPTIED = "emptied", _("Closed, people inside left")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    flow = models.ForeignKey(
        Flow, null=True, on_delete=models.CASCADE, related_name="breaker_trips", verbose_name=_("flow")
    )
    #: What holds the whole store, where no flow is to blame.
    stop = models.ForeignKey(PanicStop, null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(_("what"), max_length=10, choices=Kind.choices)
    measured = models.DecimalField(_("measured"), max_digits=14, decimal_places=2)
    limit = models.DecimalField(_("limit"), max_digits=14, decimal_places=2)
    baseline = models.DecimalField(_("usual"), max_digits=14, decimal_places=2, null=True)
    #: "ceiling", or "usual" where the flow's own baseline made the limit.
    against = models.CharField(max_length=7, default="ceiling")
    hours = models.PositiveSmallIntegerField(default=24)
    count = models.PositiveIntegerField(default=0)
    texts = models.PositiveIntegerField(default=0)
    tripped_at = models.DateTimeField(_("since"), default=clock.now)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(_("decided at"), null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("decided by")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("tripped breaker")
        verbose_name_plural = _("breakers")
        constraints = [
            models.UniqueConstraint(
                fields=["flow"], name="smsflow_trip_of_flow", condition=Q(state="open", flow__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["store"], name="smsflow_trip_of_store", condition=Q(state="open", flow__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["store", "tripped_at"], name="smsflow_trip_list")]

    def __str__(self) -> str:
        return f"{self.flow or self.store}: {self.get_kind_display()}"


class FlowDay(models.Model):
    """What one flow sent on one day (UTC), and what came of it: breakers ask what is usual. (flow, day) is unique."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    texts = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    opt_outs = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of a flow")
        verbose_name_plural = _("days of flows")
        constraints = [models.UniqueConstraint(fields=["flow", "day"], name="smsflow_flow_day")]

    def __str__(self) -> str:
        return f"{self.flow_id} {self.day}"
