"""What staff does for a person who writes, calls or comes in: an opt-out, an export, an erasure."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.engine.actions import RecordOptOut
from smsflow_plugin.engine.erasing import ErasePerson
from smsflow_plugin.measurement.export import ExportPerson
from smsflow_plugin.models import ConsentRecord, Contact

Channel, Scope = ConsentRecord.Channel, ConsentRecord.Scope

#: How somebody says so whom the system does not hear itself.
CHANNELS = (Channel.PHONE, Channel.EMAIL, Channel.CHAT, Channel.IN_PERSON, Channel.LETTER)


class OptOutForm(forms.Form):
    """``zone`` is that of the store: in it the times are read."""

    channel = forms.ChoiceField(
        label=gettext_lazy("How did the person tell you?"),
        choices=[(channel.value, channel.label) for channel in CHANNELS],
        widget=forms.RadioSelect,
        initial=Channel.PHONE.value,
    )
    said_at = forms.DateTimeField(
        label=gettext_lazy("When?"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("What do they want no more?"),
        choices=[
            (Scope.ALL.value, gettext_lazy("Any text")),
            (Scope.MARKETING.value, gettext_lazy("Marketing texts only")),
        ],
        widget=forms.RadioSelect,
        initial=Scope.ALL.value,
    )
    note = forms.CharField(
        label=gettext_lazy("What did they say?"),
        help_text=gettext_lazy(
            "Their words, or where the letter or e-mail is kept. It is evidence in the consent ledger."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone)
        self.fields["said_at"].help_text = _("On the clock of the store (%(zone)s).") % {"zone": zone}
        self.fields["said_at"].initial = clock.now().astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)

    def full_clean(self) -> None:
        with timezone.override(self.zone):
            super().full_clean()

    def clean_said_at(self) -> datetime:
        said_at: datetime = self.cleaned_data["said_at"]
        if said_at > clock.now():
            raise forms.ValidationError(_("This is in the future."))
        return said_at


class OptOutView(ObjectFormView):
    model = Contact
    form_class = OptOutForm
    permission_required = "change"
    page_title = gettext_lazy("Record opt-out")
    template_name = "smsflow/contacts/opt_out.html"
    submit_button_label = gettext_lazy("Record opt-out")
    submit_classname = "serious"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "zone": self.object.store.timezone}

    def form_valid(self, form: OptOutForm) -> HttpResponse:
        # the view has checked the right for this contact
        contact = RecordOptOut(self.object, self.request.user, **form.cleaned_data).execute(skip_permission_checks=True)
        names = {"contact": str(contact)}
        if contact.service_consent == Contact.Consent.REVOKED:
            messages.success(self.request, _("%(contact)s gets no more texts of this store.") % names)
        elif contact.marketing_consent == Contact.Consent.REVOKED:
            messages.success(self.request, _("%(contact)s gets no more marketing texts of this store.") % names)
        else:
            messages.warning(self.request, _("It is recorded, but %(contact)s has agreed again since.") % names)
        response: HttpResponse = super().form_valid(form)
        return response


class ExportView(ObjectFormView):
    """Gives out a ZIP file. A form, because it is written down who did so."""

    model = Contact
    form_class = forms.Form
    permission_required = "export"
    page_title = gettext_lazy("Export everything")
    template_name = "smsflow/consent/export.html"
    submit_button_label = gettext_lazy("Download")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        content = ExportPerson(self.object, self.request.user).execute(skip_permission_checks=True)
        response = HttpResponse(content, content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="person-{self.object.pk}.zip"'
        response["Cache-Control"] = "no-store"
        return response


class EraseForm(forms.Form):
    sure = forms.BooleanField(label=gettext_lazy("The person has asked for it, and I know that nobody can undo it."))


class EraseView(ObjectFormView):
    model = Contact
    form_class = EraseForm
    permission_required = "erase"
    page_title = gettext_lazy("Erase person")
    template_name = "smsflow/consent/erase.html"
    submit_button_label = gettext_lazy("Erase for good")
    submit_classname = "serious"

    def form_valid(self, form: EraseForm) -> HttpResponse:
        ErasePerson(self.object, self.request.user).execute(skip_permission_checks=True)
        messages.success(self.request, _("The person is erased. Their number is never texted again."))
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        contact: Contact = self.object
        counts = {
            "texts": contact.messages.count(),
            "events": contact.events.count(),
            "lines": contact.consent_records.count(),
        }
        return super().get_context_data(**counts, **kwargs)
