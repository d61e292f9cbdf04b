"""Calls to a gateway of which nobody can find out whether they were made, and the page on which a person says it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import InspectView
from wagtail.admin.widgets.button import Button

from smsflow_plugin.admin_panels.listing import WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.waiting_item import WaitingMenuItem
from smsflow_plugin.messaging.parked import Answer, AnswerForCall
from smsflow_plugin.models import Batch, Message

PARKED = Batch.State.PARKED

#: People of a call who are named on its page.
NAMED = 10


class ParkedCallFilterSet(StoreFilterSet):
    class Meta:
        model = Batch
        fields = ["store"]


class ParkedCallListView(ListView):
    """Only the calls that wait for somebody."""

    any_permission_required = ["view"]
    page_title = gettext_lazy("Unanswered calls")
    select_related = ("store",)
    default_ordering = "-started_at"

    def get_base_queryset(self) -> QuerySet[Any]:
        return super().get_base_queryset().filter(state=PARKED).annotate(body=Min("messages__body"))


class ParkedCallPage(InspectView):  # type: ignore[misc]
    """What is known of the call, and the way to say what became of it."""

    any_permission_required = ["view"]
    page_title = gettext_lazy("Call to the gateway")
    answer_url_name = ""

    def get_object(self, queryset: Any = None) -> Batch:
        calls: QuerySet[Any] = Batch.objects.visible_to(self.request.user)
        return calls.select_related("store", "connection").defer("connection__secrets").get(pk=self.pk)

    def get_page_subtitle(self) -> str:
        return str(self.object.reference)

    def get_fields_context(self) -> list[Any]:
        return []

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        call, user = self.object, self.request.user
        waits = call.state == PARKED
        sees_texts = may(user, "view", Message(store=call.store))
        texts = Message.objects.filter(batch=call).order_by("pk")
        context.update(
            waits=waits,
            answer_url=reverse(self.answer_url_name, args=(call.pk,)) if waits and may(user, "change", call) else "",
            texts=texts.select_related("contact").defer("contact__fields")[:NAMED] if sees_texts else (),
            more=max(texts.count() - NAMED, 0),
            states=_states(texts),
            facts=[
                (_("Store"), call.store),
                (_("Gateway"), f"{call.connection.kind} {call.connection.account}".strip()),
                (_("Our name for the call"), call.reference),
                (_("The gateway's name for it"), call.provider_id),
                (_("People in it"), call.size),
                (_("What the gateway said last"), call.detail),
            ],
        )
        return context


def _states(texts: QuerySet[Message]) -> list[tuple[str, int]]:
    rows = texts.order_by().values_list("state").annotate(count=Count("pk")).order_by("state")
    return [(str(Message.State(state).label), count) for state, count in rows]


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(
        label=gettext_lazy("What became of it"), choices=Answer.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=gettext_lazy("How you know"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("For example: “It is in the gateway's dashboard.” Kept in the store's history."),
    )


class AnswerView(ObjectFormView):
    """Says what each answer means, and does it."""

    model = Batch
    form_class = AnswerForm
    any_permission_required = ["change"]
    page_title = gettext_lazy("Say what became of it")
    header_icon = "warning"
    submit_button_label = gettext_lazy("Save")
    template_name = "smsflow/parked_calls/answer.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not may(request.user, "change", self.object):
            raise PermissionDenied
        if self.object.state != PARKED:
            messages.warning(request, _("It is known already what became of this call."))
            return redirect(self.get_object_url())
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: AnswerForm) -> HttpResponse:
        answer = Answer(form.cleaned_data["answer"])
        try:
            AnswerForCall(self.object, self.request.user, answer=answer.value, note=form.cleaned_data["note"]).execute()
        except ValidationError as refusal:
            form.add_error(None, refusal)
            return self.form_invalid(form)
        if answer is Answer.SENT:
            messages.success(self.request, _("The texts count as sent."))
        else:
            messages.success(self.request, _("The texts are back in the queue. Those that are too old now expire."))
        return redirect(reverse(self.index_url_name))


class ParkedCallMenuItem(WaitingMenuItem):
    model = Batch


class ParkedCallViewSet(ReadOnlyViewSet):
    model = Batch
    name = "smsflow_parked_calls"
    url_prefix = "smsflow/calls"
    icon = "help"
    menu_label = gettext_lazy("Unanswered calls")
    menu_order = 237
    menu_item_class = ParkedCallMenuItem
    index_view_class = ParkedCallListView
    inspect_view_class = ParkedCallPage
    index_results_template_name = "smsflow/parked_calls/results.html"
    inspect_template_name = "smsflow/parked_calls/call.html"
    filterset_class = ParkedCallFilterSet
    search_fields = ["reference", "detail"]
    list_display = [
        TitleColumn(
            "body",
            label=gettext_lazy("Text"),
            accessor=lambda call: Truncator(call.body or str(call.reference)).chars(60),
            url_name="smsflow_parked_calls:inspect",
        ),
        Column("size", label=gettext_lazy("People")),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        Column("detail", label=gettext_lazy("What the gateway said last"), classname=WIDE),
        TimeColumn("started_at", label=gettext_lazy("Made"), classname=WIDE, sort_key="started_at"),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {
            "answer_url_name": self.get_url_name("answer"),
            "object_url_name": self.get_url_name("inspect"),
        }
        return super().get_common_view_kwargs(**{**names, **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        view = self.construct_view(AnswerView)
        return [*super().get_urlpatterns(), path("<int:pk>/answer/", view, name="answer")]
