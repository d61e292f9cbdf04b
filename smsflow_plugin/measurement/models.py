"""Figures by day. Made from facts by ``measurement.rollups``, and can be made anew from them at any time."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class FlowStat(models.Model):
    """What one step of one version of a flow came to on one day. (store, day, flow, version, step, variant, class) is
    unique; 0 and "" stand for none.

    ``day`` is the day on the store's clock on which the texts were queued: what becomes of them later is counted
    there, too, so that rates are those of the same texts. ``ordered`` and ``earned`` alone go by the day of the order.
    Rows without a step count people in the flow.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    day = models.DateField(_("day"))
    flow_id = models.BigIntegerField(default=0)
    version_id = models.BigIntegerField(default=0)
    step = models.CharField(max_length=36, blank=True, default="")
    variant = models.CharField(_("variant"), max_length=12, blank=True, default="")
    message_class = models.CharField(_("class"), max_length=10, blank=True, default="")
    #: People, on rows without a step.
    entered = models.IntegerField(_("entered"), default=0)
    finished = models.IntegerField(_("finished"), default=0)
    left = models.IntegerField(_("left early"), default=0)
    #: Texts. ``sent`` is what the gateway took; ``pending`` those of them of which nothing is known yet.
    queued = models.IntegerField(_("texts"), default=0)
    sent = models.IntegerField(_("sent"), default=0)
    pending = models.IntegerField(_("without a report"), default=0)
    delivered = models.IntegerField(_("delivered"), default=0)
    failed = models.IntegerField(_("failed"), default=0)
    expired = models.IntegerField(_("expired"), default=0)
    #: Texts of which a link was clicked by a person, and the seconds until then, added up.
    clicked = models.IntegerField(_("clicked"), default=0)
    click_seconds = models.BigIntegerField(default=0)
    replied = models.IntegerField(_("answered"), default=0)
    opted_out = models.IntegerField(_("opted out"), default=0)
    parts = models.IntegerField(_("parts"), default=0)
    cost = models.DecimalField(_("cost"), max_digits=14, decimal_places=5, default=0)
    #: Orders credited to the texts of this day, and what is left of them after refunds.
    orders = models.IntegerField(_("orders"), default=0)
    revenue = models.DecimalField(_("revenue"), max_digits=16, decimal_places=2, default=0)
    #: The same by the day of the order.
    ordered = models.IntegerField(default=0)
    earned = models.DecimalField(max_digits=16, decimal_places=2, default=0)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("figures of a flow")
        verbose_name_plural = _("figures of flows")
        constraints = [
            models.UniqueConstraint(
                fields=["store", "day", "flow_id", "version_id", "step", "variant", "message_class"],
                name="smsflow_flow_stat",
            )
        ]
        indexes = [models.Index(fields=["store", "flow_id", "day"], name="smsflow_flow_stat_flow")]

    def __str__(self) -> str:
        return f"{self.day} {self.flow_id} {self.step}"


class StoreStat(models.Model):
    """What happened in a store on one day, on its own clock. (store, day) is unique."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    day = models.DateField(_("day"))
    #: Changes of consent to marketing, by the ledger.
    opted_in = models.IntegerField(_("opted in"), default=0)
    opted_out = models.IntegerField(_("opted out"), default=0)
    #: Texts from people.
    received = models.IntegerField(_("texts from people"), default=0)
    #: Hits on short links by anything that is no person.
    robots = models.IntegerField(_("hits of robots"), default=0)
    #: All orders of the shop, whoever is credited with them, and what is left of them.
    orders = models.IntegerField(_("orders"), default=0)
    revenue = models.DecimalField(_("revenue of the shop"), max_digits=16, decimal_places=2, default=0)
    #: Texts that were decided against.
    unsent = models.IntegerField(_("not sent"), default=0)
    #: Until then the day is not counted again, however much happens on it; see ``measurement.rollups``.
    rests_until = models.DateTimeField(null=True, editable=False)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("figures of a store")
        verbose_name_plural = _("figures of stores")
        constraints = [models.UniqueConstraint(fields=["store", "day"], name="smsflow_store_stat")]

    def __str__(self) -> str:
        return f"{self.day}"


class ExperimentStanding(models.Model):
    """What an experiment had come to when it was last counted. (store, experiment) is unique.

    Exposures are purged some time after an experiment has ended; this stays. The sentences are made of ``figures``
    (``measurement.standings``), so that they are in the reader's language.
    """

    class Outcome(models.TextChoices):
        """What became of a conclusive test, besides that it was told."""

        TOLD = "told", _("told")
        KEPT = "kept", _("winner kept and published")
        DRAFTED = "drafted", _("winner kept in a draft")
        HARMS = "harms", _("more people opt out with the winner")
        BY_HAND = "by_hand", _("no wording")
        STANDS_STILL = "still", _("the flow is paused or closed")
        LOCKED = "locked", _("the flow is locked")
        MOVING = "moving", _("people are still being moved")
        CHANGED = "changed", _("the draft has other changes")
        PROBLEM = "problem", _("the draft cannot be published")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    #: As ``Exposure`` names it.
    experiment = models.CharField(_("experiment"), max_length=80)
    #: 0 of a holdout of the whole store.
    flow_id = models.BigIntegerField(default=0, editable=False)
    step = models.CharField(max_length=36, blank=True, default="")
    #: The first and the last exposure, and how many people there are.
    began = models.DateTimeField(_("began"))
    last = models.DateTimeField()
    people = models.IntegerField(_("people"), default=0)
    #: Whether a live flow tried it when it was counted, and for how many full days it had run.
    running = models.BooleanField(default=True)
    days = models.IntegerField(default=0)
    #: The arms in their order, as ``measurement.standings`` writes them.
    figures = models.JSONField(default=list)
    counted_at = models.DateTimeField(_("counted at"), default=clock.now)
    #: Set when the purge begins to take its exposures away: it is never counted again.
    closed_at = models.DateTimeField(null=True, editable=False)
    #: What ``measurement.winners`` did when it was conclusive, with which arm, why (a sentence or nothing), and when.
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True, default="")
    arm = models.CharField(max_length=12, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True, editable=False)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("standing of an experiment")
        verbose_name_plural = _("standings of experiments")
        constraints = [models.UniqueConstraint(fields=["store", "experiment"], name="smsflow_experiment_standing")]

    def __str__(self) -> str:
        return f"{self.experiment}"


class ReportReader(models.Model):
    """Somebody who wants the weekly report of a store. Whoever may not see its figures any more gets none."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="report_readers", verbose_name=_("store"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("user")
    )

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("reader of the weekly report")
        verbose_name_plural = _("readers of the weekly report")
        constraints = [models.UniqueConstraint(fields=["store", "user"], name="smsflow_report_reader")]

    def __str__(self) -> str:
        return f"{self.user} · {self.store}"
