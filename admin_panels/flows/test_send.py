"""Sends the texts of a draft to a verified number, to be looked at on a real phone."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView, View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet

from smsflow_plugin.admin_panels.flows.copy_situation import of_flow, raw
from smsflow_plugin.admin_panels.flows.copy_values import store_facts, typical_context
from smsflow_plugin.admin_panels.flows.copy_views import expand
from smsflow_plugin.admin_panels.flows.words_labels import step_number, words_label
from smsflow_plugin.admin_panels.scoping import may, visible
from smsflow_plugin.flows.context import CONTACT_FIELDS, GATHERED, PREFERENCES, copy_context
from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.flows.pictures import UnfitPicture, picture_address
from smsflow_plugin.flows.texts import Copy, Words, copies_of
from smsflow_plugin.messaging.actions import parse_number
from smsflow_plugin.messaging.copy import CopyError, MissingValue, compose
from smsflow_plugin.messaging.test_numbers import (
    AddTestNumber,
    RemoveTestNumber,
    SendToTestNumber,
    VerifyTestNumber,
)
from smsflow_plugin.models import Contact, Event, Flow, Message, Store, TestNumber

ALL = ""
#: Texts of one test.
MAX_TEXTS = 20


def may_test(user: Any, flow: Flow) -> bool:
    """Return whether ``user`` may send the flow's texts to verified numbers: who may write them may see them arrive."""
    return any(may(user, action, flow) for action in ("change", "reword")) or may_add(user, flow.store)


def may_add(user: Any, store: Store) -> bool:
    """Return whether ``user`` may add numbers, which is sending a text to one that is not verified."""
    return may(user, "add", Message(store=store))


class TestSendForm(forms.Form):
    """Which text, filled in for whom, to which number."""

    __test__ = False

    copy = forms.ChoiceField(label=gettext_lazy("Text"), required=False)
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("The person's own, or the store's")), *LANGUAGE_CHOICES],
    )
    contact = forms.CharField(
        label=gettext_lazy("Filled in for"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("Phone number or e-mail address of a contact. Empty means an example."),
    )
    number = forms.ModelChoiceField(
        label=gettext_lazy("To"),
        queryset=TestNumber.objects.none(),
        empty_label=None,
        error_messages={"required": gettext_lazy("Choose a verified number.")},
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, copies: list[Copy], numbers: Any, store: Store, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store
        self.people = people
        everything = ngettext("The only text", "All %(count)d texts, one after the other", len(copies))
        self.fields["copy"].choices = [
            (ALL, everything % {"count": len(copies)}),
            *((copy.key, _copy_label(copy)) for copy in copies),
        ]
        self.fields["number"].queryset = numbers
        if people is None:
            del self.fields["contact"]

    def clean_contact(self) -> Contact | None:
        words = self.cleaned_data["contact"].strip()
        if not words:
            return None
        query = Q(email__iexact=words)
        with suppress(ValidationError):  # an address is no number
            query |= Q(phone=parse_number(words, self.store.country))
        found: Contact | None = self.people.filter(query).order_by("pk").first()
        if found is None:
            raise ValidationError(_("No contact of this store has this number or address."))
        return found


def _picture(copy: Copy) -> str:
    try:
        return picture_address(copy.picture) if copy.picture else ""
    except UnfitPicture as unfit:
        raise ValidationError(str(unfit)) from None


def _copy_label(copy: Copy) -> str:
    words = Words("", copy.step, copy.kind, copy.number, (*copy.path, "text"), "", "")
    text = copy.texts.get("") or next(iter(copy.texts.values()))
    return _("Step %(number)s · %(what)s: %(text)s") % {
        "number": step_number(copy.number),
        "what": words_label(words),
        "text": Truncator(text).chars(60),
    }


class _AdminPage(WagtailAdminTemplateMixin, FormView):  # type: ignore[misc]
    """A page with a form that belongs to one object of a store, looked up as the user may see it."""

    model: Any = None
    header_icon = "mail"
    page_title = gettext_lazy("Test send")

    def rows(self) -> Any:
        return visible(self.request.user, self.model)

    @cached_property
    def object(self) -> Any:
        found = self.rows().filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def allowed(self) -> bool:
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.allowed():
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_page_subtitle(self) -> str:
        return str(self.object)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        flow = getattr(self, "flow", None)
        items = [*self.breadcrumbs_items]
        if flow is not None:
            viewset = flow.snippet_viewset
            items.append({"url": reverse(viewset.get_url_name("list")), "label": _("Flows")})
            items.append({"url": reverse(viewset.get_url_name("edit"), args=[flow.pk]), "label": str(flow)})
        return [*items, {"url": "", "label": self.get_page_title(), "sublabel": self.get_page_subtitle()}]


class TestSendView(_AdminPage):
    __test__ = False

    model = Flow
    form_class = TestSendForm
    template_name = "smsflow/flows/test_send.html"

    def allowed(self) -> bool:
        return may_test(self.request.user, self.flow)

    @property
    def flow(self) -> Flow:
        flow: Flow = self.object
        return flow

    @cached_property
    def draft(self) -> Flow:
        draft: Flow = self.flow.get_latest_revision_as_object()
        return draft

    @cached_property
    def copies(self) -> list[Copy]:
        return copies_of(raw(self.draft.steps))

    @cached_property
    def people(self) -> Any:
        store = self.flow.store
        if not may(self.request.user, "view", Contact(store=store)):
            return None
        return Contact.objects.visible_to(self.request.user).filter(store=store)

    def get_form_kwargs(self) -> dict[str, Any]:
        numbers = TestNumber.objects.filter(store=self.flow.store, verified_at__isnull=False).order_by("label", "phone")
        return {
            **super().get_form_kwargs(),
            "copies": self.copies,
            "numbers": numbers,
            "store": self.flow.store,
            "people": self.people,
        }

    def get_initial(self) -> dict[str, Any]:
        return {"key": uuid.uuid4(), "copy": self.request.GET.get("copy", ALL)}

    def form_valid(self, form: TestSendForm) -> HttpResponse:
        cleaned = form.cleaned_data
        chosen = [copy for copy in self.copies if cleaned["copy"] in (ALL, copy.key)][:MAX_TEXTS]
        if not chosen:
            form.add_error(None, _("This flow has no texts yet."))
            return self.form_invalid(form)
        contact = cleaned.get("contact")
        language = cleaned["language"] or (contact.language if contact else "") or self.flow.store.language
        try:
            bodies = [self._body(copy, contact, language) for copy in chosen]
            # the page has asked whether the person may see these texts
            action = SendToTestNumber(
                cleaned["number"],
                self.request.user,
                bodies=bodies,
                key=str(cleaned["key"]),
                pictures=[_picture(copy) for copy in chosen],
            )
            sent = action.execute(skip_permission_checks=True)
        except ValidationError as error:
            for message in error.messages:
                form.add_error(None, message)
            return self.form_invalid(form)
        messages.success(
            self.request,
            ngettext(
                "A text to %(number)s waits to be sent.", "%(count)d texts to %(number)s wait to be sent.", len(sent)
            )
            % {"count": len(sent), "number": cleaned["number"].phone},
        )
        return redirect(self.request.path)

    def _body(self, copy: Copy, contact: Contact | None, language: str) -> str:
        store, context = self.flow.store, self._context(contact)
        label = _("Step %(number)s") % {"number": step_number(copy.number)}
        try:
            composed = compose(
                {code: expand(text, store, code or language)[0] for code, text in copy.texts.items()},
                {code: expand(text, store, code or language)[0] for code, text in copy.fallbacks.items()},
                language,
                context,
                brand=store.brand,
                message_class=self.draft.message_class,
                add_opt_out=True,
                main_language=store.language,
            )
        except MissingValue as missing:
            raise ValidationError(
                _("%(step)s: “%(name)s” is not known of this person, so they would get no text.")
                % {"step": label, "name": missing.path}
            ) from missing
        except CopyError as error:
            raise ValidationError(_("%(step)s: %(problem)s") % {"step": label, "problem": error.message}) from error
        return composed.text

    def _context(self, contact: Contact | None) -> dict[str, Any]:
        situation = of_flow(self.draft)
        example = typical_context(situation.store, situation.kinds, situation.gathered)
        if contact is None:
            return example
        events = Event.objects.filter(contact=contact, kind__in=situation.kinds).order_by("-occurred_at", "-pk")
        data = events.values_list("data", flat=True).first() or {}
        known = {name: getattr(contact, name) for name in CONTACT_FIELDS}
        fields = {"fields": contact.fields}
        context = copy_context({**known, **fields}, store_facts(self.flow.store), data)
        # a test text must not carry the key to somebody's own page
        context["contact"][PREFERENCES] = example["contact"][PREFERENCES]
        # what the person has not come across yet is shown by the example
        return {**example, **context, **{name: example[name] for name in GATHERED}}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        store = self.flow.store
        context.update(
            flow=self.flow,
            store=store,
            numbers_url=reverse("smsflow_test_send:numbers", args=[store.pk])
            if may_add(self.request.user, store)
            else "",
            has_numbers=context["form"].fields["number"].queryset.exists(),
        )
        return context


class NumberForm(forms.Form):
    to = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=30,
        help_text=gettext_lazy("With its country prefix. A text with a code goes there at once."),
    )
    label = forms.CharField(
        label=gettext_lazy("Whose"), max_length=60, required=False, help_text=gettext_lazy("For example “Ann's phone”.")
    )


class NumbersView(_AdminPage):
    """The test numbers of a store, and a form for one more."""

    model = Store
    form_class = NumberForm
    page_title = gettext_lazy("Test numbers")
    template_name = "smsflow/flows/test_numbers.html"

    def allowed(self) -> bool:
        return may_add(self.request.user, self.object)

    def form_valid(self, form: NumberForm) -> HttpResponse:
        cleaned = form.cleaned_data
        action = AddTestNumber(self.object, self.request.user, phone=cleaned["to"], label=cleaned["label"])
        try:
            number = action.execute()
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        messages.success(self.request, _("A code is on its way to %(number)s.") % {"number": number.phone})
        return redirect(reverse("smsflow_test_send:verify", args=[number.pk]))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["numbers"] = TestNumber.objects.filter(store=self.object).order_by("label", "phone")
        return context


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=12,
        help_text=gettext_lazy("The six digits from the text. They are good for ten minutes."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class _NumberMixin:
    model = TestNumber
    object: TestNumber
    request: HttpRequest

    def rows(self) -> Any:
        # numbers have no rights of their own: whoever may text by hand in the store may prove them
        stores = Store.objects.visible_to(self.request.user)
        return TestNumber.objects.filter(store__in=stores).select_related("store")

    def allowed(self) -> bool:
        return may_add(self.request.user, self.object.store)

    @property
    def numbers_url(self) -> str:
        return reverse("smsflow_test_send:numbers", args=[self.object.store_id])


class VerifyView(_NumberMixin, _AdminPage):
    form_class = CodeForm
    page_title = gettext_lazy("Enter the code")
    template_name = "smsflow/flows/test_number_code.html"

    def form_valid(self, form: CodeForm) -> HttpResponse:
        try:
            VerifyTestNumber(self.object, self.request.user, code=form.cleaned_data["code"]).execute()
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        messages.success(self.request, _("%(number)s is verified.") % {"number": self.object.phone})
        return redirect(self.numbers_url)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "number": self.object, "numbers_url": self.numbers_url}


class ResendView(_NumberMixin, _AdminPage):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            AddTestNumber(self.object.store, request.user, phone=self.object.phone).execute()
        except ValidationError as error:
            for message in error.messages:
                messages.error(request, message)
        else:
            messages.success(request, _("A code is on its way to %(number)s.") % {"number": self.object.phone})
        return redirect(reverse("smsflow_test_send:verify", args=[self.object.pk]))


class RemoveView(_NumberMixin, _AdminPage):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        url, phone = self.numbers_url, self.object.phone
        RemoveTestNumber(self.object, request.user).execute()
        messages.success(request, _("%(number)s is removed.") % {"number": phone})
        return redirect(url)


class TestSendViewSet(ViewSet):  # type: ignore[misc]
    __test__ = False

    name = "smsflow_test_send"
    url_prefix = "smsflow/test-send"
    add_to_admin_menu = False

    def get_urlpatterns(self) -> list[URLPattern]:
        views: list[tuple[str, type[View], str]] = [
            ("flow/<int:pk>/", TestSendView, "send"),
            ("numbers/<int:pk>/", NumbersView, "numbers"),
            ("number/<int:pk>/code/", VerifyView, "verify"),
            ("number/<int:pk>/resend/", ResendView, "resend"),
            ("number/<int:pk>/remove/", RemoveView, "remove"),
        ]
        return [path(route, self.construct_view(view), name=name) for route, view, name in views]
