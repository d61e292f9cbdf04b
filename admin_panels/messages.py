"""Every text: to whom, why, and what became of it."""

from __future__ import annotations

import re
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import DateRangePickerWidget
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn
from wagtail.admin.views.generic import InspectView

from smsflow_plugin.admin_panels.listing import (
    NUMBER,
    WIDE,
    ListView,
    ReadOnlyViewSet,
    StoreFilterSet,
    TimeColumn,
    csv_safe,
    own_flows,
)
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.why import MessageWhyPage
from smsflow_plugin.integrations.sinch.codes import sentence
from smsflow_plugin.measurement.reasons import state_sentence
from smsflow_plugin.measurement.telling import decisions_of, text_key
from smsflow_plugin.measurement.timeline import zone_of
from smsflow_plugin.models import Contact, Flow, Message

_COLUMNS = (
    "pk", "contact_id", "enrollment_id", "step", "visit", "state", "reason", "error_code", "queued_at", "finished_at",
)  # fmt: skip

#: So many people are looked up before their texts; more are looked for together with them.
_PEOPLE = 1000

GOOD = (Message.State.DELIVERED, Message.State.ACCEPTED)


class MessageFilterSet(StoreFilterSet):
    flow = django_filters.ModelChoiceFilter(queryset=own_flows, label=gettext_lazy("Flow"))
    queued_at = django_filters.DateFromToRangeFilter(label=gettext_lazy("Date"), widget=DateRangePickerWidget)

    class Meta:
        model = Message
        fields = ["store", "flow", "state", "message_class", "queued_at"]


class MessageListView(ListView):
    any_permission_required = ["view"]
    select_related = ("store", "contact", "flow")
    defer = ("flow__steps", "flow__audience", "contact__fields", "contact__recent_sends")
    default_ordering = "-queued_at"
    list_export = [
        "queued_at",
        "store.name",
        "flow.name",
        "get_message_class_display",
        "sender",
        "to",
        "body",
        "parts",
        "country",
        "cost",
        "get_state_display",
        "reason",
        "error_code",
        "accepted_at",
        "finished_at",
    ]
    export_headings = {
        "queued_at": gettext_lazy("Queued at (UTC)"),
        "store.name": gettext_lazy("Store"),
        "flow.name": gettext_lazy("Flow"),
        "get_message_class_display": gettext_lazy("Class"),
        "get_state_display": gettext_lazy("State"),
        "accepted_at": gettext_lazy("Accepted at (UTC)"),
        "finished_at": gettext_lazy("Delivered or failed at (UTC)"),
    }
    # people write these words; a phone number begins with + and stays as it is
    custom_field_preprocess = {name: {"csv": csv_safe} for name in ("store.name", "flow.name", "body", "reason")}

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Find words in texts, in numbers and in the names of people, who are looked up once and not for each text."""
        if not self.is_searching:
            return queryset
        words = self.search_query.replace("\0", " ").strip()
        contacts = Contact.objects.visible_to(self.request.user)
        if NUMBER.fullmatch(words):
            # a contact is its number for ever, so these texts are read by an index: of their people, and of nobody.
            # In one statement PostgreSQL would read all texts instead
            digits = re.sub(r"\D", "", words)
            ids = _first_of(contacts.filter(phone__contains=digits))
            if len(ids) < _PEOPLE:
                return queryset.filter(Q(contact_id__in=ids) | Q(contact__isnull=True, to__contains=digits))
        people = contacts.filter(Q(first_name__icontains=words) | Q(last_name__icontains=words))
        # in one statement PostgreSQL takes half of all texts for theirs, and thinks that it need not read many
        ids = _first_of(people)
        theirs = Q(contact_id__in=ids if len(ids) < _PEOPLE else people.values("pk"))
        return queryset.filter(Q(body__icontains=words) | Q(to__icontains=words) | theirs)

    def to_row_dict(self, item: Message) -> Any:
        if item.flow is None:
            # multigetattr does not go through a missing relation
            item.flow = Flow(name="")
        return super().to_row_dict(item)


def _first_of(people: QuerySet[Contact]) -> list[int]:
    return list(people.values_list("pk", flat=True)[:_PEOPLE])


class MessagePage(InspectView):  # type: ignore[misc]
    any_permission_required = ["view"]
    page_title = gettext_lazy("Text")

    def get_object(self, queryset: Any = None) -> Message:
        messages: QuerySet[Any] = Message.objects.visible_to(self.request.user)
        related = ("store", "contact", "contact__store", "flow", "batch__connection")
        return messages.select_related(*related).defer("batch__connection__secrets").get(pk=self.pk)

    def get_page_subtitle(self) -> str:
        return Truncator(self.object.body).chars(40)

    def get_fields_context(self) -> list[Any]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        message = self.object
        zone = zone_of(message.contact) if message.contact else message.store.timezone
        row = {name: getattr(message, name) for name in _COLUMNS}
        context.update(
            zone=zone,
            state=state_sentence(row, zone),
            good=message.state in GOOD,
            decisions=decisions_of([row], zone).get(text_key(row), ()),
            why_url=reverse("smsflow_messages:why", args=[message.pk]),
            facts=self._facts(),
            times=[
                (_("Queued"), message.queued_at),
                (_("Not before"), message.not_before if message.not_before != message.queued_at else None),
                (_("Not sent after"), message.expires_at),
                (_("Accepted by the gateway"), message.accepted_at),
                (_("Delivered or failed"), message.finished_at),
                (_("Read"), message.read_at),
            ],
            may_see_contact=message.contact_id and may(self.request.user, "view", Contact(store=message.store)),
            may_see_flow=message.flow_id and may(self.request.user, "change", Flow(store=message.store)),
        )
        return context

    def _facts(self) -> list[tuple[Any, Any]]:
        message = self.object
        facts = [
            (_("Store"), message.store),
            (_("From"), message.sender),
            (_("To"), message.to),
            (_("Class"), message.get_message_class_display()),
            (_("Parts"), _("%(parts)d, in %(encoding)s") % {"parts": message.parts, "encoding": message.encoding}),
        ]
        if message.reported_parts and message.reported_parts != message.parts:
            facts.append((_("Parts, says the gateway"), message.reported_parts))
        facts.append((_("Cost"), _cost(message)))
        if meaning := _meaning(message):
            facts.append((_("What the code means"), meaning))
        if message.attempts:
            facts.append((_("Failed tries"), message.attempts))
        return facts


def _meaning(message: Message) -> str:
    """Return what the network's code means, if the vendor has one that we know."""
    if message.batch is None or message.batch.connection.kind != "sinch":
        return ""
    return sentence(message.error_code)


def _cost(message: Message) -> str:
    if message.cost is None:
        return _("Unknown: nobody has named a price for this country.")
    amount = number_format(f"{message.cost.normalize():f}")
    return f"{amount} {message.store.currency}"


def _words(message: Message) -> str:
    return Truncator(message.body).chars(80)


class MessageViewSet(ReadOnlyViewSet):
    model = Message
    name = "smsflow_messages"
    url_prefix = "smsflow/messages"
    icon = "mail"
    menu_order = 230
    index_view_class = MessageListView
    inspect_view_class = MessagePage
    inspect_template_name = "smsflow/messages/message.html"
    filterset_class = MessageFilterSet
    #: That there is a search; what it finds stands in the view.
    search_fields = ["body", "to"]
    export_filename = "texts"
    list_display = [
        TitleColumn("body", label=gettext_lazy("Text"), accessor=_words, url_name="smsflow_messages:inspect"),
        Column("to", label=gettext_lazy("To"), accessor=lambda message: message.contact or message.to),
        Column("flow", label=gettext_lazy("Flow"), classname=WIDE),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        StatusTagColumn(
            "get_state_display", label=gettext_lazy("State"), primary=lambda message: message.state in GOOD
        ),
        TimeColumn("queued_at", label=gettext_lazy("Queued"), classname=WIDE, sort_key="queued_at"),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        why = self.construct_view(MessageWhyPage, template_name="smsflow/why/why.html")
        return [*super().get_urlpatterns(), path("<int:pk>/why/", why, name="why")]
