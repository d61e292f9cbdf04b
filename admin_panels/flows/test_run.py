"""Test runs: a few people go through a flow in a hurry, with real texts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView, View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from smsflow_plugin.admin_panels.flows.diagram import DiagramView
from smsflow_plugin.admin_panels.flows.objects import OfOneFlow
from smsflow_plugin.admin_panels.flows.pages import may_let_in
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.admin_panels.flows.walk import WalkView
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.measurement.reasons import left_sentence
from smsflow_plugin.measurement.timeline import zone_of
from smsflow_plugin.models import Contact, Enrollment, Message
from smsflow_plugin.nudge import nudge
from smsflow_plugin.simulation.people import MATCHES, search
from smsflow_plugin.simulation.test_runs import (
    MAX_PEOPLE,
    CannotTest,
    StartTestRun,
    StopTestRuns,
    likely_people,
)

#: Test runs that the page lists.
LISTED = 50

DRAFT, LIVE = "draft", "live"


class TestRunForm(forms.Form):
    """Who goes through which version, how fast."""

    contacts = forms.ModelMultipleChoiceField(
        label=gettext_lazy("People"),
        queryset=Contact.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one person.")},
    )
    version = forms.ChoiceField(
        label=gettext_lazy("What they go through"),
        choices=[(DRAFT, gettext_lazy("The newest draft")), (LIVE, gettext_lazy("What is live"))],
        widget=forms.RadioSelect,
        initial=DRAFT,
    )
    pace = forms.TypedChoiceField(
        label=gettext_lazy("How fast"),
        coerce=int,
        choices=[
            (1440, gettext_lazy("1 day takes 1 minute")),
            (60, gettext_lazy("1 hour takes 1 minute")),
            (1, gettext_lazy("As in real life")),
        ],
        widget=forms.RadioSelect,
        initial=1440,
    )

    def __init__(self, *args: Any, people: QuerySet[Contact], has_live: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["contacts"]
        field.queryset = people
        field.label_from_instance = _label
        if not has_live:
            del self.fields["version"]

    def clean_contacts(self) -> Any:
        contacts = self.cleaned_data["contacts"]
        if len(contacts) > MAX_PEOPLE:
            raise forms.ValidationError(_("Choose at most %(limit)d people.") % {"limit": MAX_PEOPLE})
        return contacts


def _label(contact: Contact) -> str:
    words = [str(contact), str(contact.phone or _("no phone number"))]
    if contact.marketing_consent != Contact.Consent.GRANTED:
        words.append(str(contact.get_marketing_consent_display()))
    return " · ".join(words)


class _MayTest(OfOneFlow):
    """For those who may make texts go out."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_let_in(request.user, self.flow):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


class TestRunView(_MayTest, WagtailAdminTemplateMixin, FormView):  # type: ignore[misc]
    """Starts a test run, and shows those of late."""

    template_name = "smsflow/walk/test_run.html"
    form_class = TestRunForm
    page_title = gettext_lazy("Test run")
    header_icon = "mobile-alt"

    @cached_property
    def words(self) -> str:
        return self.request.GET.get("q", "").strip()[:100]

    def _people(self) -> QuerySet[Contact]:
        visible = Contact.objects.visible_to(self.request.user).filter(store_id=self.flow.store_id)
        if self.request.method == "POST":
            return visible
        if self.words:
            found = search(self.request.user, self.flow.store, self.words)
            return visible.filter(pk__in=[contact.pk for contact in found]).order_by("first_name", "pk")
        likely = visible.filter(likely_people(self.flow.store_id, self.request.user))
        return visible.filter(pk__in=list(likely.order_by("-pk").values_list("pk", flat=True)[:MATCHES]))

    def get_form_kwargs(self) -> dict[str, Any]:
        has_live = self.flow.current_version_id is not None
        return {**super().get_form_kwargs(), "people": self._people(), "has_live": has_live}

    def form_valid(self, form: TestRunForm) -> HttpResponse:
        data = form.cleaned_data
        action = StartTestRun(
            self.flow,
            self.request.user,
            contact_ids=[contact.pk for contact in data["contacts"]],
            pace=data["pace"],
            draft=data.get("version", DRAFT) == DRAFT,
        )
        try:
            ids = action.execute()
        except (CannotTest, CannotCompile) as refusal:
            messages.error(self.request, str(refusal))
            return self.render_to_response(self.get_context_data(form=form))
        nudge("advance")
        words = ngettext("%(count)d person is on the way.", "%(count)d people are on the way.", len(ids))
        messages.success(self.request, words % {"count": len(ids)})
        return redirect(self.request.path)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        runs = _rows(self.flow.pk, self.request.user)
        return super().get_context_data(
            flow=self.flow,
            words=self.words,
            runs=runs,
            running=any(run["status"] == Enrollment.Status.WAITING for run in runs),
            stop_url=reverse(self.stop_url_name, args=[self.flow.pk]),
            **self.links(),
            **kwargs,
        )


def _rows(flow_id: int, user: Any) -> list[dict[str, Any]]:
    """Return the newest test runs, with what was sent in each; the number of queries does not depend on them."""
    runs = list(
        Enrollment.objects.visible_to(user)
        .filter(flow_id=flow_id, test_pace__isnull=False)
        .select_related("contact__store", "version", "store")
        .order_by("-pk")[:LISTED]
    )
    sent = dict(
        Message.objects.filter(enrollment_id__in=[run.pk for run in runs])
        .filter(~Q(state=Message.State.CANCELLED))
        .order_by()
        .values_list("enrollment_id")
        .annotate(count=Count("pk"))
    )
    return [
        {
            "run": run,
            "status": run.status,
            "zone": zone_of(run.contact),
            "texts": sent.get(run.pk, 0),
            "left": _("The test was stopped.")
            if run.exit_reason == "test_stopped"
            else left_sentence(run.status, run.exit_reason),
        }
        for run in runs
    ]


class StopView(_MayTest, View):
    """Ends the test runs of a flow."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        count = StopTestRuns(self.flow, request.user).execute()
        words = ngettext("%(count)d test run was stopped.", "%(count)d test runs were stopped.", count)
        messages.success(request, words % {"count": count})
        return redirect(reverse(self.test_url_name, args=[self.flow.pk]))


class FlowToolsViewSet(ViewSet):  # type: ignore[misc]
    """The pages around a flow on which it is seen and tried."""

    name = "smsflow_flow_tools"
    url_prefix = "smsflow/flow"

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        flows = FlowViewSet()
        return {
            "list_url_name": flows.get_url_name("list"),
            "edit_url_name": flows.get_url_name("edit"),
            "diagram_url_name": self.get_url_name("diagram"),
            "test_url_name": self.get_url_name("test"),
            "stop_url_name": self.get_url_name("stop"),
            **kwargs,
        }

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("<int:pk>/diagram/", self.construct_view(DiagramView), name="diagram"),
            path("<int:pk>/test/", self.construct_view(TestRunView), name="test"),
            path("<int:pk>/test/stop/", self.construct_view(StopView), name="stop"),
            path("<slug:key>/walk/", WalkView.as_view(), name="walk"),
        ]
