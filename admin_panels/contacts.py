"""People: who they are, what they agreed to, and why they were or weren't texted."""

from __future__ import annotations

import re
from functools import reduce
from operator import and_, or_
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, StatusTagColumn
from wagtail.admin.views.generic import InspectView
from wagtail.admin.widgets.button import Button, HeaderButton

from smsflow_plugin.admin_panels.consent.views import EraseView, ExportView, OptOutView
from smsflow_plugin.admin_panels.consent.words import proofs
from smsflow_plugin.admin_panels.contact_head import consent, consent_source, figures, own_fields, scores
from smsflow_plugin.admin_panels.contact_timeline import page_of
from smsflow_plugin.admin_panels.inbox.start import may_start
from smsflow_plugin.admin_panels.listing import NUMBER, WIDE, ListView, ReadOnlyViewSet, StoreFilterSet, TimeColumn
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.audience.suppression import suppressed
from smsflow_plugin.engine.actions import HandOverContact, ResumeAutomation
from smsflow_plugin.measurement.ahead import ahead
from smsflow_plugin.measurement.timeline import zone_of
from smsflow_plugin.models import Contact, Delivery, Flow, Message, PanicStop, Suppression

#: Lines of the ledger that are shown.
LEDGER = 50


class ContactFilterSet(StoreFilterSet):
    class Meta:
        model = Contact
        fields = ["store", "marketing_consent", "service_consent"]


class ContactListView(ListView):
    any_permission_required = ["view", "change"]
    select_related = ("store",)
    default_ordering = "-created_at"

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Find every word in a name or e-mail address, and digits in the phone number however they are spaced."""
        if not self.is_searching:
            return queryset
        words = self.search_query.replace("\0", " ").split()
        digits = re.sub(r"\D", "", self.search_query)
        if NUMBER.fullmatch(self.search_query.strip()):
            # it is no name, and to look for it in three of each person would take four times as long
            return queryset.filter(phone__contains=digits)
        names = ("first_name__icontains", "last_name__icontains", "email__icontains")
        query = reduce(and_, (reduce(or_, (Q(**{name: word}) for name in names)) for word in words))
        if len(digits) >= 3:
            query |= Q(phone__contains=digits)
        return queryset.filter(query)


class ContactPage(InspectView):  # type: ignore[misc]
    template_name = "smsflow/contacts/contact.html"
    any_permission_required = ["view", "change"]
    page_title = gettext_lazy("Contact")
    opt_out_url_name = ""
    hand_over_url_name = ""
    resume_url_name = ""
    export_url_name = ""
    erase_url_name = ""

    def get_object(self, queryset: Any = None) -> Contact:
        return Contact.objects.visible_to(self.request.user).select_related("store").get(pk=self.pk)

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if self.object.erased_at:
            return []
        buttons = []
        if may_start(self.request.user, self.object):
            # leads to the conversation where there is one
            buttons.append(self._button(_("Write a text"), "smsflow_inbox:start", "comment"))
        return buttons

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        # on a phone there is room for the person's name and one button: what cannot be undone stands here
        buttons = super().header_more_buttons
        if self.user_has_permission("change") and not self.object.erased_at:
            buttons.append(self._hand_over_button())
            if not self.opted_out:
                buttons.append(self._entry(_("Record opt-out"), self.opt_out_url_name, "no-view", 20))
        if self.user_has_permission("export"):
            buttons.append(self._entry(_("Export everything"), self.export_url_name, "download", 30))
        if self.user_has_permission("erase") and not self.object.erased_at:
            buttons.append(self._entry(_("Erase person"), self.erase_url_name, "bin", 40))
        return buttons

    def _hand_over_button(self) -> Button:
        if self.object.handed_over_at:
            return self._entry(_("Let flows go on"), self.resume_url_name, "resubmit", 10)
        return self._entry(_("Take over from flows"), self.hand_over_url_name, "user", 10)

    def _entry(self, label: str, url_name: str, icon: str, priority: int) -> Button:
        url = reverse(url_name, args=(self.object.pk,))
        return Button(label, url=url, icon_name=icon, priority=priority)

    def _button(self, label: str, url_name: str, icon: str) -> HeaderButton:
        return HeaderButton(label, url=reverse(url_name, args=(self.object.pk,)), icon_name=icon)

    @property
    def opted_out(self) -> bool:
        revoked = Contact.Consent.REVOKED
        return bool(self.object.marketing_consent == revoked and self.object.service_consent == revoked)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        contact, user, zone = self.object, self.request.user, zone_of(self.object)
        answered = scores(contact)
        context.update(
            figures=figures(contact),
            scores=answered,
            profile=self._profile([name for name, _said in answered]),
            consent=consent(contact),
            consent_source=consent_source(contact),
            suppression=self._suppression(),
            ledger=proofs(contact.consent_records.order_by("-effective_at", "-pk")[:LEDGER]),
            ahead=[] if contact.erased_at else ahead(contact, zone),
            stopped=PanicStop.objects.filter(Q(store=contact.store) | Q(store=None), released_at=None).exists(),
            page=page_of(contact, user, self.request.GET),
            zone=zone,
            may_see_flows=may(user, "change", Flow(store=contact.store)),
            may_see_messages=may(user, "view", Message(store=contact.store)),
            may_see_deliveries=may(user, "view", Delivery(store=contact.store)),
        )
        return context

    def get_fields_context(self) -> list[Any]:
        return []

    def _profile(self, but: list[str]) -> list[tuple[Any, Any]]:
        contact = self.object
        place = ", ".join(part for part in (contact.postcode, contact.province, contact.country) if part)
        rows = [
            (_("Name"), f"{contact.first_name} {contact.last_name}".strip()),
            (_("Phone"), contact.phone),
            (_("E-mail"), contact.email),
            (_("Store"), contact.store),
            (_("Language"), contact.language),
            (_("Place"), place),
            (_("Time zone"), zone_of(contact)),
            (_("Tags"), ", ".join(map(str, contact.tags))),
            *own_fields(contact, but),
        ]
        return [(label, value) for label, value in rows if value not in ("", None)]

    def _suppression(self) -> str:
        reason = suppressed([self.object]).get(self.object.pk)
        return str(Suppression.Reason(reason).label) if reason else ""


class HandOverForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Why?"),
        required=False,
        help_text=gettext_lazy("Others see it on the person's page."),
        max_length=200,
    )


class HandOverView(ObjectFormView):
    """Staff takes a person over: no flow goes on for them until they are given back."""

    model = Contact
    form_class = HandOverForm
    permission_required = "change"
    page_title = gettext_lazy("Take over from flows")
    template_name = "smsflow/contacts/hand_over.html"
    submit_button_label = gettext_lazy("Take over")

    def form_valid(self, form: HandOverForm) -> HttpResponse:
        # the view has checked the right for this contact
        HandOverContact(self.object, self.request.user, note=form.cleaned_data["note"]).execute(
            skip_permission_checks=True
        )
        messages.success(
            self.request, _("No flow goes on for %(contact)s until you let it.") % {"contact": str(self.object)}
        )
        response: HttpResponse = super().form_valid(form)
        return response


class ResumeView(ObjectFormView):
    """Gives a person back to the flows."""

    model = Contact
    form_class = forms.Form
    permission_required = "change"
    page_title = gettext_lazy("Let flows go on")
    template_name = "smsflow/contacts/resume.html"
    submit_button_label = gettext_lazy("Let flows go on")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        ResumeAutomation(self.object, self.request.user).execute(skip_permission_checks=True)
        messages.success(self.request, _("Flows go on for %(contact)s.") % {"contact": str(self.object)})
        response: HttpResponse = super().form_valid(form)
        return response


_OWN_PAGES = ("opt_out", "hand_over", "resume", "export", "erase")


class ContactViewSet(ReadOnlyViewSet):
    model = Contact
    name = "smsflow_contacts"
    url_prefix = "smsflow/contacts"
    icon = "user"
    menu_order = 220
    index_view_class = ContactListView
    inspect_view_class = ContactPage
    inspect_template_name = "smsflow/contacts/contact.html"
    filterset_class = ContactFilterSet
    search_fields = ["first_name", "last_name", "email", "phone"]
    list_display = [
        "__str__",
        Column("phone", label=gettext_lazy("Phone"), sort_key="phone"),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        StatusTagColumn(
            "get_marketing_consent_display",
            label=gettext_lazy("Marketing"),
            primary=lambda contact: contact.marketing_consent == Contact.Consent.GRANTED,
        ),
        StatusTagColumn(
            "service",
            label=gettext_lazy("Service"),
            classname=WIDE,
            primary=lambda contact: contact.service_consent != Contact.Consent.REVOKED,
            accessor=lambda contact: (
                gettext_lazy("Revoked")
                if contact.service_consent == Contact.Consent.REVOKED
                else gettext_lazy("Allowed")
            ),
        ),
        TimeColumn("created_at", label=gettext_lazy("Known since"), classname=WIDE, sort_key="created_at"),
    ]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        names = {f"{name}_url_name": self.get_url_name(name) for name in _OWN_PAGES}
        names["object_url_name"] = self.get_url_name("inspect")
        return super().get_common_view_kwargs(**{**names, **kwargs})

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("<int:pk>/opt-out/", self.construct_view(OptOutView), name="opt_out"),
            path("<int:pk>/hand-over/", self.construct_view(HandOverView), name="hand_over"),
            path("<int:pk>/resume/", self.construct_view(ResumeView), name="resume"),
            path("<int:pk>/export/", self.construct_view(ExportView), name="export"),
            path("<int:pk>/erase/", self.construct_view(EraseView), name="erase"),
        ]
