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
    #: A test run: waits take so many times less. Null for real runs.
    test_pace = models.PositiveIntegerField(null=True, editable=False)

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
            # the figures of a day count who came and who went
            models.Index(fields=["store", "entered_at"], name="smsflow_enrollment_entered"),
            models.Index(
                fields=["store", "finished_at"],
                name="smsflow_enrollment_ended",
                condition=Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.flow}"


class Effect(models.Model):
    """Something that a run wants done outside the database. (enrollment, step, visit) is unique.

    Queued in the same transaction as the state of the run; the pump ``perform`` does it
    and stores the ``result``, and wakes the run if it waits for that.
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", _("Webhook")
        EMAIL = "email", _("E-mail")
        NOTICE = "notice", _("Notice to staff")
        DISCOUNT = "discount", _("Discount code")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        WORKING = "working", _("Working")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="effects")
    flow = models.ForeignKey(Flow, null=True, on_delete=models.SET_NULL, related_name="+")
    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="effects")
    step = models.CharField(max_length=36)
    visit = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    #: Everything that it takes, with the copy filled in.
    payload = models.JSONField(default=dict)
    #: Whether the run waits for the result.
    waits = models.BooleanField(default=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=clock.now)
    #: ``{"value": …}`` or ``{"error": …}``, as the interpreter reads it.
    result = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("effect")
        verbose_name_plural = _("effects")
        constraints = [models.UniqueConstraint(fields=["enrollment", "step", "visit"], name="smsflow_effect_step")]
        indexes = [
            models.Index(fields=["not_before"], name="smsflow_effect_queued", condition=Q(state="queued")),
            models.Index(fields=["not_before"], name="smsflow_effect_working", condition=Q(state="working")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.step}"


class Intake(models.Model):
    """A crowd to be let into a flow: those who match when it is published, a list, a planned time.

    Worked off in batches, in the order of the contacts' ids. (store, key) is unique.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="intakes")
    key = models.CharField(max_length=100)
    #: The kind of event that everybody gets: entered_by_hand or scheduled.
    kind = models.CharField(max_length=40, default="entered_by_hand")
    #: What that event holds.
    data = models.JSONField(default=dict)
    #: Ids of contacts; null means everybody whom ``condition`` selects.
    contact_ids = models.JSONField(null=True, blank=True)
    #: A condition of ``audience.filters``; null means the flow's own audience.
    condition = models.JSONField(null=True, blank=True)
    #: Whether the flow's own audience is asked, too.
    apply_audience = models.BooleanField(default=True)
    test_pace = models.PositiveIntegerField(null=True)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    #: The id of the last contact that was looked at.
    cursor = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    seen = models.PositiveIntegerField(default=0)
    entered = models.PositiveIntegerField(default=0)
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("intake")
        verbose_name_plural = _("intakes")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_intake_key")]
        indexes = [models.Index(fields=["id"], name="smsflow_intake_waiting", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.flow}: {self.key}"


class Incentive(models.Model):
    """A discount for one person: wanted by a step, then given or not, and perhaps used.

    (enrollment, step, visit) is unique. Written together with the request for the code, so that whoever asks next
    counts it. A refused one is kept as well, and so is one whose code could not be had; neither counts.
    """

    class Kind(models.TextChoices):
        PERCENT = "percent", _("Percent")
        AMOUNT = "amount", _("Amount")
        SHIPPING = "shipping", _("Free shipping")

    class State(models.TextChoices):
        WANTED = "wanted", _("Being made")
        GIVEN = "given", _("Given")
        REFUSED = "refused", _("Refused by the rules")
        FAILED = "failed", _("No code to be had")
        EXPIRED = "expired", _("Run out unused")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+", verbose_name=_("store"))
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="incentives", verbose_name=_("contact"))
    flow = models.ForeignKey(Flow, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("flow"))
    enrollment = models.ForeignKey(Enrollment, null=True, on_delete=models.SET_NULL, related_name="+")
    step = models.CharField(max_length=36)
    visit = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    #: Percent, or money in the store's currency; 0 for free shipping.
    amount = models.DecimalField(_("discount"), max_digits=12, decimal_places=2, default=0)
    #: What the order must come to.
    minimum = models.DecimalField(_("minimum"), max_digits=12, decimal_places=2, null=True, blank=True)
    code = models.CharField(_("code"), max_length=100, blank=True)
    #: The code as shops compare it, see ``governance.incentives.code_key``.
    code_key = models.CharField(max_length=100, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WANTED)
    #: Why it was refused, as in the notes of the decision.
    notes = models.JSONField(default=dict, blank=True)
    wanted_at = models.DateTimeField(_("wanted at"), default=clock.now)
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    redeemed_at = models.DateTimeField(_("used at"), null=True, blank=True)
    #: The order in which it was used: its subject among events, and what was paid.
    order = models.CharField(max_length=255, blank=True)
    order_value = models.DecimalField(_("order value"), max_digits=14, decimal_places=2, null=True, blank=True)
    order_currency = models.CharField(max_length=3, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("discount")
        verbose_name_plural = _("discounts")
        #: Whoever may see a discount sees its code as far as it must be seen; to read it all is a right of its own.
        permissions = [("reveal_incentive", "Can read the codes of discounts")]
        constraints = [models.UniqueConstraint(fields=["enrollment", "step", "visit"], name="smsflow_incentive_step")]
        indexes = [
            models.Index(fields=["contact", "wanted_at"], name="smsflow_incentive_contact"),
            models.Index(fields=["store", "wanted_at"], name="smsflow_incentive_list"),
            models.Index(fields=["store", "code_key"], name="smsflow_incentive_code", condition=~Q(code_key="")),
            models.Index(fields=["valid_until"], name="smsflow_incentive_open", condition=Q(state="given")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}" if self.amount else str(self.get_kind_display())


class OwnerAlarm(models.Model):
    """Something that the owner of a flow was told of, so that nobody tells them again. (store, key) is unique."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    told_at = models.DateTimeField(default=clock.now)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = [models.UniqueConstraint(fields=["store", "key"], name="smsflow_owner_alarm")]

    def __str__(self) -> str:
        return self.key
