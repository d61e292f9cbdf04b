"""Why a text was sent, put off or not sent: pages that tell what the ledger keeps, and by which rules."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.views.generic import InspectView

from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.measurement.deciding import Story, story_of_decision, story_of_message
from smsflow_plugin.measurement.policy_words import settings_of
from smsflow_plugin.models import Contact, Decision, Flow, Message, PolicyVersion


def story_context(story: Story, user: Any) -> dict[str, Any]:
    """Return what the template of a story needs beside the story."""
    store = story.store
    return {
        "story": story,
        "store": store,
        "may_see_contact": story.contact is not None and may(user, "view", Contact(store=store)),
        "may_see_flow": story.flow_id is not None and may(user, "change", Flow(store=store)),
        "may_see_rules": may(user, "view", Decision(store=store)),
    }


class StoryPage(InspectView):  # type: ignore[misc]
    """The page of one story. ``focus`` is the id of the decision that somebody has asked about."""

    any_permission_required = ["view"]
    page_title = gettext_lazy("Why")
    template_name = "smsflow/why/why.html"
    header_icon = "help"
    focus: int | None = None

    @cached_property
    def story(self) -> Story:
        raise NotImplementedError

    def get_page_subtitle(self) -> str:
        return str(self.story.contact or self.story.store)

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {**context, **story_context(self.story, self.request.user), "focus": self.focus}


class DecisionPage(StoryPage):
    def get_object(self, queryset: Any = None) -> Decision:
        mine = Decision.objects.visible_to(self.request.user)
        decision: Decision = mine.select_related("store", "contact", "contact__store", "flow").get(pk=self.pk)
        return decision

    @cached_property
    def story(self) -> Story:
        self.focus = self.object.pk
        return story_of_decision(self.object)


class MessageWhyPage(StoryPage):
    def get_object(self, queryset: Any = None) -> Message:
        mine = Message.objects.visible_to(self.request.user)
        message: Message = mine.select_related("store", "contact", "contact__store", "flow").get(pk=self.pk)
        return message

    @cached_property
    def story(self) -> Story:
        return story_of_message(self.object)


class RulesPage(InspectView):  # type: ignore[misc]
    """The rules by which a decision was made, in words, beside those of today."""

    any_permission_required = ["view"]
    page_title = gettext_lazy("Rules at that time")
    template_name = "smsflow/why/rules.html"
    header_icon = "sliders"

    def get_object(self, queryset: Any = None) -> Decision:
        decision: Decision = (
            Decision.objects.visible_to(self.request.user).select_related("store", "contact").get(pk=self.pk)
        )
        return decision

    @cached_property
    def version(self) -> PolicyVersion:
        # of the decision's own store: the page is confined to that
        version = PolicyVersion.objects.filter(pk=self.object.policy_id, store=self.object.store_id).first()
        if version is None:
            raise Http404
        return version

    def get_page_subtitle(self) -> str:
        return str(self.object.store)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = super().get_breadcrumbs_items()
        why = {"url": reverse("smsflow_decisions:inspect", args=[self.object.pk]), "label": _("Why")}
        return [*items[:-1], why, {**items[-1], "url": "", "label": str(self.page_title)}]

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        self.version.store = self.object.store
        settings = settings_of(self.version)
        context.update(
            store=self.object.store,
            version=self.version,
            settings=settings,
            others=[one for one in settings if one.today],
            why_url=reverse("smsflow_decisions:inspect", args=[self.object.pk]),
        )
        return context
