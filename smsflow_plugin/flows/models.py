"""Flows: what a person fills in, and the immutable versions that run."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from wagtail.models import DraftStateMixin, LockableMixin, PreviewableMixin, RevisionMixin, WorkflowMixin
from wagtail.search import index

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.events.kinds import kind_choices
from smsflow_plugin.flows.approval import ApprovedInStore
from smsflow_plugin.flows.blocks import audience_block, steps_block, triggers_block
from smsflow_plugin.flows.fields import StepsField
from smsflow_plugin.flows.program import Program
from smsflow_plugin.flows.trigger_blocks import event_trigger, kinds_of
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

#: Steps of one list; far more than a person can oversee.
MAX_STEPS = 60
MAX_TRIGGERS = 10

_PERCENT = (MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(100)))


def trigger_choices() -> list[tuple[str, object]]:
    """Kept for the first migration, which names it."""
    return list(kind_choices(triggers_only=True))


class Flow(WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, PreviewableMixin, index.Indexed, models.Model):
    """A flow as a form. Publishing compiles it into a ``FlowVersion``; only versions run."""

    class State(models.TextChoices):
        """Live flows take people in; paused ones have been live; drafts never were."""

        LIVE = "live", _("Live")
        PAUSED = "paused", _("Paused")
        DRAFT = "draft", _("Draft")

    class Reentry(models.TextChoices):
        NEVER = "never", _("Never again")
        AFTER = "after", _("Again after some days")
        ALWAYS = "always", _("Every time")
        SUBJECT = "subject", _("Once for each cart or order")

    class MessageClass(models.TextChoices):
        MARKETING = "marketing", _("Marketing: needs an opt-in")
        SERVICE = "service", _("Service: news about the person's own order")
        OPTIN = "optin", _("Opt-in question: asks people who want texts to confirm it")

    class EntryUnit(models.TextChoices):
        MINUTE = "minute", _("minute")
        HOUR = "hour", _("hour")
        DAY = "day", _("day")

    class Priority(models.TextChoices):
        SERVICE = "service", _("Service")
        LIFECYCLE = "lifecycle", _("Lifecycle")
        PROMO = "promo", _("Promotion")

    class Stage(models.TextChoices):
        """Where in the life of a customer the flow speaks: caps count by it, and people can refuse it."""

        WELCOME = "welcome", _("Welcome")
        CART = "cart", _("Carts and checkouts")
        BROWSE = "browse", _("Looking around")
        ORDER = "order", _("Orders and deliveries")
        AFTER = "after", _("After the purchase")
        RETENTION = "retention", _("Loyalty and refills")
        WIN_BACK = "win_back", _("Win-back")
        NEWS = "news", _("News and offers")

    class Blocked(models.TextChoices):
        HOLD = "hold", _("Wait until it may go")
        DROP = "drop", _("Drop it")

    class Conclusive(models.TextChoices):
        TELL = "tell", _("Tell me")
        KEEP = "keep", _("Keep the winner by itself")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="flows", verbose_name=_("store"))
    name = models.CharField(_("name"), max_length=120)
    template = models.CharField(max_length=40, blank=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("owner"),
        help_text=_("Who answers for this flow. They are told when something goes wrong with it."),
    )
    triggers = StepsField(triggers_block(), blank=True, max_num=MAX_TRIGGERS, verbose_name=_("starts when"))
    #: The kind of the first trigger, for lists.
    trigger = models.CharField(_("starts when"), max_length=40, blank=True, editable=False)
    audience = StepsField(
        audience_block(),
        blank=True,
        verbose_name=_("audience"),
        help_text=_("All of these must hold. They are asked at entry, and again before every text."),
    )
    steps = StepsField(steps_block(), blank=True, collapsed=True, max_num=MAX_STEPS, verbose_name=_("steps"))
    leave_unmatched = models.BooleanField(
        _("leave when the audience no longer fits"),
        default=False,
        help_text=_("Otherwise only the texts are skipped for as long as it does not fit."),
    )
    exits = models.JSONField(_("leave when"), default=list, blank=True)
    goal = models.CharField(
        _("goal"), max_length=40, choices=kind_choices, blank=True, help_text=_("What the flow is for.")
    )
    goal_leaves = models.BooleanField(_("leave the flow when the goal is reached"), default=True)
    entry_limit = models.PositiveIntegerField(
        _("at most so many people enter"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The others wait their turn. Empty means no limit."),
    )
    entry_unit = models.CharField(_("per"), max_length=6, choices=EntryUnit.choices, default=EntryUnit.HOUR)
    max_people = models.PositiveIntegerField(
        _("at most so many people in all"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Nobody enters after them. Empty means no limit."),
    )
    reentry = models.CharField(_("same person again"), max_length=8, choices=Reentry.choices, default=Reentry.NEVER)
    reentry_days = models.PositiveSmallIntegerField(_("days until the same person may enter again"), default=7)
    restart = models.BooleanField(_("start afresh when the same cart changes"), default=False)
    message_class = models.CharField(
        _("kind of text"), max_length=10, choices=MessageClass.choices, default=MessageClass.MARKETING
    )
    priority = models.CharField(_("priority"), max_length=10, choices=Priority.choices, default=Priority.LIFECYCLE)
    priority_number = models.PositiveSmallIntegerField(_("order within the priority"), default=100)
    stage = models.CharField(
        _("stage"),
        max_length=10,
        choices=Stage.choices,
        blank=True,
        help_text=_("Where in the life of a customer it speaks. Caps can count by it, and people can refuse it."),
    )
    when_blocked = models.CharField(
        _("when a text may not go yet"),
        max_length=5,
        choices=Blocked.choices,
        blank=True,
        help_text=_("Empty: as the store's rules say. Each text can say otherwise."),
    )
    cap_day = models.PositiveSmallIntegerField(
        _("texts of this flow to one person in 24 hours"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    cap_week = models.PositiveSmallIntegerField(
        _("texts of this flow to one person in 7 days"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    own_gap = models.PositiveSmallIntegerField(
        _("minutes between two texts of any flow before one of this"), null=True, blank=True
    )
    holdout = models.PositiveSmallIntegerField(
        _("percent of people who get no texts"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(50)],
        help_text=_("By chance. What they buy all the same shows what the texts of this flow do. Service always goes."),
    )
    #: What is published counts: a draft that says otherwise changes nothing yet. See ``measurement.winners``.
    when_conclusive = models.CharField(
        _("when a test is conclusive"),
        max_length=4,
        choices=Conclusive.choices,
        default=Conclusive.TELL,
        db_default=Conclusive.TELL,
        help_text=_(
            "By itself only the better wording of a text is kept, and published: not where more people opt out with"
            " it, nor where the draft has other changes. Whoever is inside goes on."
        ),
    )
    #: What it is to reach, see ``measurement.targets``: no part of its program.
    target_conversion = models.DecimalField(
        _("orders for a hundred texts, at least"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=_PERCENT,
        help_text=_("Percent of the texts that were delivered."),
    )
    target_revenue = models.DecimalField(
        _("revenue for each text, at least"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("In the store's currency, for each text that was delivered."),
    )
    target_clicks = models.DecimalField(
        _("clicked, at least"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=_PERCENT,
        help_text=_("Percent of the texts that were delivered."),
    )
    target_opt_outs = models.DecimalField(
        _("opted out, at most"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=_PERCENT,
        help_text=_("Percent of the texts that were delivered."),
    )
    #: While it is paused nobody enters, and everybody inside stays where they are.
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: When it last went on after a pause: the texts of all who waited then come at once.
    resumed_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: While it is closed nobody enters, and everybody inside goes on to their end.
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    current_version = models.ForeignKey(
        "FlowVersion", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = StoreScopedQuerySet.as_manager()

    search_fields = [
        index.SearchField("name"),
        index.AutocompleteField("name"),
        index.FilterField("store"),
        index.FilterField("store_id"),
        index.FilterField("trigger"),
        index.FilterField("live"),
    ]

    class Meta:
        verbose_name = _("flow")
        verbose_name_plural = _("flows")
        permissions = [("reword_flow", "Can change the words of flows")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with ``trigger`` in step with ``triggers``."""
        fields = kwargs.get("update_fields")
        if fields is None or "triggers" in fields:
            self.trigger = next(iter(kinds_of(self.triggers)), "")
            if fields is not None:
                kwargs["update_fields"] = {*fields, "trigger"}
        super().save(*args, **kwargs)

    @property
    def state(self) -> State:
        if self.live:
            return self.State.PAUSED if self.paused_at else self.State.LIVE
        return self.State.PAUSED if self.current_version_id else self.State.DRAFT

    def publish(self, revision: Any, *, skip_permission_checks: bool = False, **kwargs: Any) -> None:
        """Compile ``revision`` and let it run. Every way of publishing ends here.

        :raises CannotCompile: if the form is not a program yet; nothing has changed then.
        """
        from smsflow_plugin.flows.publishing import PublishFlowAction

        PublishFlowAction(revision, **kwargs).execute(skip_permission_checks=skip_permission_checks)

    def with_content_json(self, content: Any) -> Flow:
        """Return the flow as in ``content``, but of its own store and with the version that runs now."""
        flow: Flow = super().with_content_json(_with_triggers(content))
        flow.store_id = self.store_id
        flow.template = self.template
        flow.current_version_id = self.current_version_id
        flow.paused_at, flow.resumed_at, flow.closed_at = self.paused_at, self.resumed_at, self.closed_at
        flow.created_at = self.created_at
        return flow

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return [("diagram", _("Diagram")), ("phone", _("Phone"))]

    @property
    def preview_sizes(self) -> list[dict[str, Any]]:
        return [
            {"name": "phone", "icon": "mobile-alt", "device_width": 390, "label": _("Phone")},
            {"name": "wide", "icon": "desktop", "device_width": 1000, "label": _("Wide")},
        ]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        from smsflow_plugin.flows.preview import preview_context

        context = {**preview_context(self, mode_name), "request": request}
        return TemplateResponse(request, f"smsflow/flows/preview_{mode_name}.html", context)


def _with_triggers(content: Any) -> Any:
    """Return a revision's content with ``triggers``, which older ones do not have: they name one kind of event."""
    if "triggers" in content or not content.get("trigger"):
        return content
    return {**content, "triggers": json.dumps([{**event_trigger(content["trigger"]), "id": str(uuid.uuid4())}])}


class FlowVersion(models.Model):
    """A published flow, compiled. Never changed once written."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    flow = models.ForeignKey(Flow, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    program = models.JSONField()
    published_at = models.DateTimeField(default=clock.now)
    published_by = models.CharField(max_length=150, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("flow version")
        verbose_name_plural = _("flow versions")
        constraints = [models.UniqueConstraint(fields=["flow", "number"], name="smsflow_version_number")]

    def __str__(self) -> str:
        return f"{self.flow} v{self.number}"

    @property
    def compiled(self) -> Program:
        return Program.from_json(self.program)


class Segment(models.Model):
    """A saved part of a store's audience, by rules. Flows take over the rules when they are published."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="segments", verbose_name=_("store"))
    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=200, blank=True)
    rules = StepsField(audience_block(), blank=True, verbose_name=_("rules"), help_text=_("All of these must hold."))
    created_at = models.DateTimeField(default=clock.now, editable=False)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["store", "name"], name="smsflow_segment_name")]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """Who was in a segment when it was last looked at: whoever is new has just come into it."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(default=clock.now)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("member of a segment")
        verbose_name_plural = _("members of segments")
        constraints = [models.UniqueConstraint(fields=["segment", "contact"], name="smsflow_segment_member")]

    def __str__(self) -> str:
        return f"{self.segment}: {self.contact}"


class CopySnippet(models.Model):
    """Words that several flows share. Copy says ``{% render 'name' %}``; publishing takes them in."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="snippets", verbose_name=_("store"))
    name = models.SlugField(
        _("name"), max_length=60, help_text=_("Small letters, digits and hyphens: texts call it by this name.")
    )
    text = models.TextField(_("text"), max_length=500)
    #: Texts by language.
    translations = models.JSONField(default=dict, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("snippet of text")
        verbose_name_plural = _("snippets of text")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["store", "name"], name="smsflow_snippet_name")]

    def __str__(self) -> str:
        return self.name


class StoreApprovalTask(ApprovedInStore):
    """Approval by those who may publish the flow in its own store, and by nobody else."""

    class Meta:
        verbose_name = _("approval by who may publish in the store")
        verbose_name_plural = _("approvals by who may publish in the store")
