"""The versions of a flow: what ran when, who is in which, and what differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.widgets.button import HeaderButton
from wagtail.models import Revision

from smsflow_plugin.admin_panels.flows.pages import FlowPage, page_url
from smsflow_plugin.admin_panels.flows.step_words import compare, other_changes
from smsflow_plugin.admin_panels.scoping import number
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.moving import standings
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import FlowVersion
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program
from smsflow_plugin.flows.publishing import forms_of

#: Versions on one page.
PAGE = 30

#: Stands for what is not published yet.
DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Listed:
    """A version in the list. ``revision`` is its form, if that is still there."""

    version: FlowVersion
    people: int
    running: bool
    revision: Revision | None


class VersionsView(FlowPage, TemplateView):
    """All versions, the newest first, with the people inside."""

    page_title = gettext_lazy("Versions")
    header_icon = "history"
    template_name = "smsflow/flows/versions.html"

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        url = page_url("compare", self.object)
        return [HeaderButton(_("Compare"), url=url, icon_name="resubmit")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        versions = FlowVersion.objects.filter(flow=self.object).defer("program").order_by("-number")
        page = Paginator(versions, PAGE).get_page(self.request.GET.get("p"))
        people: Counter[int] = Counter()
        for standing in standings(self.object):
            people[standing.version_id] += standing.people
        made_of = forms_of(page.object_list)
        listed = [
            Listed(version, people[version.pk], version.pk == self.object.current_version_id, made_of.get(version.pk))
            for version in page.object_list
        ]
        return super().get_context_data(
            page_obj=page, versions=listed, may_change=self.may("change"), draft=DRAFT, **kwargs
        )


class CompareView(FlowPage, TemplateView):
    """Two versions, or a version and the draft, in words."""

    page_title = gettext_lazy("Compare versions")
    header_icon = "resubmit"
    template_name = "smsflow/flows/compare.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        versions = list(
            FlowVersion.objects.filter(flow=self.object).order_by("-number").values_list("pk", "number")[:500]
        )
        if not versions:
            raise Http404
        old_key = self.request.GET.get("old") or str(self.object.current_version_id or versions[0][0])
        new_key = self.request.GET.get("new") or DRAFT
        self.problems: tuple[Any, ...] = ()
        old, new = self._program(old_key, dict(versions)), self._program(new_key, dict(versions))
        options = [(DRAFT, _("Draft")), *((str(pk), _("Version %(number)d") % {"number": n}) for pk, n in versions)]
        return super().get_context_data(
            options=options,
            old_key=old_key,
            new_key=new_key,
            problems=self.problems,
            steps=compare(old, new) if old and new else [],
            other=other_changes(old, new) if old and new else [],
            same=bool(old and new and old.content_hash == new.content_hash),
            readable=bool(self.problems or (old and new)),
            **kwargs,
        )

    def _program(self, key: str, numbers: dict[int, int]) -> Program | None:
        if key == DRAFT:
            try:
                return compile_flow(self.object.get_latest_revision_as_object())
            except CannotCompile as refusal:
                self.problems = refusal.problems
                return None
        version = number(key)
        if version not in numbers:
            raise Http404
        return Programs.load([version]).get(version)
