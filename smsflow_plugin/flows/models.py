"""Flows: what a person fills in, and the immutable versions that run."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from wagtail.models import DraftStateMixin, LockableMixin, PreviewableMixin, RevisionMixin, WorkflowMixin
from wagtail.search import index

from smsflow_plugin import clock
from smsflow_plugin.events.kinds import kind_choices
from smsflow_plugin.flows.blocks import audience_block, steps_block
from smsflow_plugin.flows.fields import StepsField
from smsflow_plugin.flows.program import Program
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet

#: Steps of one list; far more than a person can oversee.
MAX_STEPS = 60


def trigger_choices() -> list[tuple[str, object]]:
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

    class Priority(models.TextChoices):
        SERVICE = "service", _("Service")
        LIFECYCLE = "lifecycle", _("Lifecycle")
        PROMO = "promo", _("Promotion")

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="flows", verbose_name=_("store"))
    name = models.CharField(_("name"), max_length=120)
    template = models.CharField(max_length=40, blank=True, editable=False)
    trigger = models.CharField(_("starts when"), max_length=40, choices=trigger_choices, default="opted_in")
    audience = StepsField(
        audience_block(),
        blank=True,
        verbose_name=_("audience"),
        help_text=_("All of these must hold. They are asked at entry, and again before every text."),
    )
    steps = StepsField(steps_block(), blank=True, collapsed=True, max_num=MAX_STEPS, verbose_name=_("steps"))
    exits = models.JSONField(_("leave when"), default=list, blank=True)
    reentry = models.CharField(_("same person again"), max_length=8, choices=Reentry.choices, default=Reentry.NEVER)
    reentry_days = models.PositiveSmallIntegerField(_("days until the same person may enter again"), default=7)
    restart = models.BooleanField(_("start afresh when the same cart changes"), default=False)
    message_class = models.CharField(
        _("kind of text"), max_length=10, choices=MessageClass.choices, default=MessageClass.MARKETING
    )
    priority = models.CharField(_("priority"), max_length=10, choices=Priority.choices, default=Priority.LIFECYCLE)
    priority_number = models.PositiveSmallIntegerField(_("order within the priority"), default=100)
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

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> State:
        if self.live:
            return self.State.LIVE
        return self.State.PAUSED if self.current_version_id else self.State.DRAFT

    def publish(self, revision: Any, *, skip_permission_checks: bool = False, **kwargs: Any) -> None:
        """Compile ``revision`` and let it run. Every way of publishing ends here.

        :raises CannotCompile: if the form is not a program yet; nothing has changed then.
        """
        from smsflow_plugin.flows.publishing import PublishFlowAction

        PublishFlowAction(revision, **kwargs).execute(skip_permission_checks=skip_permission_checks)

    def with_content_json(self, content: Any) -> Flow:
        """Return the flow as in ``content``, but of its own store and with the version that runs now."""
        flow: Flow = super().with_content_json(content)
        flow.store_id = self.store_id
        flow.template = self.template
        flow.current_version_id = self.current_version_id
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
