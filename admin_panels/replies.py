"""Texts that may be opt-outs: somebody reads them and says what the person meant."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import InspectView

from smsflow_plugin.admin_panels.listing import WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn
from smsflow_plugin.admin_panels.objects import ObjectOperationView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.waiting import waiting
from smsflow_plugin.engine.review_actions import DecideReply
from smsflow_plugin.models import Contact, ReplyReview


class ReplyFilterSet(StoreFilterSet):
    class Meta:
        model = ReplyReview
        fields = ["store", "state"]


class ReplyListView(ListView):
    any_permission_required = ["change"]
    template_name = "smsflow/replies/index.html"
    select_related = ("store", "contact")
    defer = ("contact__fields", "contact__recent_sends")
    default_ordering = "-received_at"

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["waiting"] = self.get_base_queryset().filter(state=ReplyReview.State.OPEN).count()
        context["waiting_url"] = f"{self.index_url}?state={ReplyReview.State.OPEN}"
        context["only_waiting"] = self.request.GET.get("state") == ReplyReview.State.OPEN
        return context


class ReplyPage(InspectView):  # type: ignore[misc]
    """One reply with its two buttons."""

    any_permission_required = ["change"]
    page_title = gettext_lazy("Unclear reply")
    template_name = "smsflow/replies/reply.html"

    def get_object(self, queryset: Any = None) -> ReplyReview:
        return ReplyReview.objects.visible_to(self.request.user).select_related("store", "contact").get(pk=self.pk)

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        review = self.object
        context.update(
            review=review,
            facts=[
                (_("Store"), review.store),
                (_("Language"), review.language or _("Not known")),
                (_("Why it is unclear"), review.because),
                (_("State"), review.get_state_display()),
                (_("Decided by"), review.decided_by or (_("The person's own words") if review.decided_at else "")),
            ],
            open=review.state == ReplyReview.State.OPEN,
            may_see_contact=may(self.request.user, "view", Contact(store=review.store)),
        )
        return context


class DecideView(ObjectOperationView):
    """What one of the two buttons does. Somebody else may have been faster: then nothing changes."""

    model = ReplyReview
    permission_required = "change"
    no_more = False
    index_url_name = ""

    def perform_operation(self) -> None:
        # the view has checked the right for this reply
        self.review = DecideReply(self.object, self.request.user, no_more=self.no_more).execute(
            skip_permission_checks=True
        )

    def add_success_message(self) -> None:
        messages.success(self.request, self._message())

    def _message(self) -> str:
        contact = Contact.objects.get(pk=self.review.contact_id)
        names = {"contact": str(contact)}
        if (self.review.state == ReplyReview.State.STOP) != self.no_more:
            return _("Somebody else has decided about %(contact)s already.") % names
        if not self.no_more:
            return _("%(contact)s did not mean that: texts go on.") % names
        if contact.service_consent != Contact.Consent.REVOKED:
            return _("The opt-out is recorded, but %(contact)s has agreed to texts again since.") % names
        return _("%(contact)s gets no more texts of this store.") % names

    def get_success_url(self) -> str:
        url: str = reverse(self.index_url_name)
        return f"{url}?state={ReplyReview.State.OPEN}"


class NoMoreView(DecideView):
    no_more = True


class KeepView(DecideView):
    no_more = False


class DecideColumn(Column):  # type: ignore[misc]
    """The two buttons of a reply that waits, or what was decided."""

    cell_template_name = "smsflow/replies/decide_cell.html"

    def get_cell_context_data(self, instance: ReplyReview, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        request: HttpRequest = parent_context["request"]
        context["open"] = instance.state == ReplyReview.State.OPEN
        context["may"] = may(request.user, "change", instance)
        # a cell is rendered without the request that would bring it
        context["csrf_token"] = get_token(request)
        return context


class CountingMenuItem(MenuItem):  # type: ignore[misc]
    """A line of the menu that says how many replies wait, for those who may decide about them."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(_policy().user_has_permission(request.user, "change"))

    def render_component(self, request: HttpRequest) -> Any:
        component = super().render_component(request)
        count = waiting(request).of(ReplyReview)
        if count:
            component.label = _("%(label)s (%(count)d)") % {"label": self.label, "count": count}
        return component


def _policy() -> Any:
    from wagtail.permissions import policy_registry

    return policy_registry.get_by_type(ReplyReview)


class ReplyViewSet(ReadOnlyViewSet):
    model = ReplyReview
    name = "smsflow_replies"
    url_prefix = "smsflow/replies"
    icon = "help"
    menu_order = 225
    menu_label = gettext_lazy("Unclear replies")
    index_view_class = ReplyListView
    inspect_view_class = ReplyPage
    index_template_name = "smsflow/replies/index.html"
    index_results_template_name = "smsflow/replies/results.html"
    inspect_template_name = "smsflow/replies/reply.html"
    filterset_class = ReplyFilterSet
    search_fields = ["body"]
    list_display = [
        TitleColumn(
            "body",
            label=gettext_lazy("Text"),
            classname="smsflow-reply",
            url_name="smsflow_replies:inspect",
            get_title_id=lambda review: f"reply_{review.pk}_title",
        ),
        Column("contact", label=gettext_lazy("Person")),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        Column("language", label=gettext_lazy("Language"), classname=WIDE),
        Column("because", label=gettext_lazy("Why it is unclear"), classname=WIDE),
        TimeColumn("received_at", label=gettext_lazy("Received"), classname=WIDE, sort_key="received_at"),
        StatusTagColumn(
            "get_state_display",
            label=gettext_lazy("State"),
            classname=WIDE,
            primary=lambda review: review.state == ReplyReview.State.OPEN,
        ),
        DecideColumn("decide", label=gettext_lazy("What did they mean?"), accessor=lambda review: review.state),
    ]

    @cached_property
    def menu_item_class(self) -> type[MenuItem]:
        return CountingMenuItem

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {"success_url_name": self.get_url_name("index")}
        return super().get_common_view_kwargs(**{**names, **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/stop/", self.construct_view(NoMoreView), name="stop"),
            path("<int:pk>/keep/", self.construct_view(KeepView), name="keep"),
        ]
