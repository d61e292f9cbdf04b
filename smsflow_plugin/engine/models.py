"""People's runs through flows, and every decision made for them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import Flow, FlowVersion
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class Enrollment(models.Model):
    """One contact's run through one flow: a program, paused. (flow, contact, entry key) is unique.

    ``state`` is the interpreter's own, see ``engine.interpreter.State``. ``wake_at``
    is when it is due; null while it waits for nothing but an event, and once it has ended.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("In the flow")
        FINISHED = "finished", _("Finished")
        EXITED = "exited", _("Left early")
        FAILED = "failed", _("Stopped by an error")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="enrollments", verbose_name=_("flow"))
    version = models.ForeignKey(
        FlowVersion, on_delete=models.RESTRICT, related_name="enrollments", verbose_name=_("version")
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="enrollments", verbose_name=_("contact")
    )
    entry_key = models.CharField(max_length=255, blank=True)
    trigger_event = models.ForeignKey(Event, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.WAITING)
    state = models.JSONField(default=dict, editable=False)
    exit_reason = models.CharField(_("left because"), max_length=120, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    entered_at = models.DateTimeField(_("entered at"), default=clock.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrollment")
        verbose_name_plural = _("enrollments")
        constraints = [
            models.UniqueConstraint(fields=["flow", "contact", "entry_key"], name="smsflow_enrollment_entry")
        ]
        indexes = [
            models.Index(fields=["contact"], name="smsflow_enrollment_live", condition=Q(status="waiting")),
            models.Index(fields=["flow", "status"], name="smsflow_enrollment_flow"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.flow}"


class Decision(models.Model):
    """What governance said to one text, and why: so that it can be told for ever."""

    class Verdict(models.TextChoices):
        ALLOW = "allow", _("Allowed")
        DEFER = "defer", _("Put off")
        SKIP = "skip", _("Not sent")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="decisions", verbose_name=_("contact"))
    flow = models.ForeignKey(Flow, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("flow"))
    enrollment = models.ForeignKey(Enrollment, null=True, on_delete=models.CASCADE, related_name="decisions")
    step = models.CharField(max_length=36, blank=True)
    visit = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(_("at"))
    verdict = models.CharField(_("verdict"), max_length=5, choices=Verdict.choices)
    #: A value of ``governance.rules.Reason``.
    reason = models.CharField(_("reason"), max_length=20)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    notes = models.JSONField(_("notes"), default=list, blank=True)
    message_class = models.CharField(_("class"), max_length=10)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [
            models.Index(fields=["contact", "at"], name="smsflow_decision_contact"),
            models.Index(fields=["flow", "verdict", "reason"], name="smsflow_decision_flow"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} ({self.reason})"
