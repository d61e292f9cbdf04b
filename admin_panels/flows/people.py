"""Who is in a flow, and where: looking, taking somebody out, letting people in by hand."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import phonenumbers
from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView, TemplateView
from wagtail.admin import messages
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.flows.pages import FlowPage, may_let_in, may_see_people, page_url
from smsflow_plugin.admin_panels.flows.step_words import place_words
from smsflow_plugin.admin_panels.scoping import number
from smsflow_plugin.admin_panels.why import story_context
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.letting_in import CannotLetIn, LetIn
from smsflow_plugin.engine.moving import MOVE, Standing, TakeOut, standings
from smsflow_plugin.engine.segments import condition_of
from smsflow_plugin.flows.models import FlowVersion
from smsflow_plugin.measurement.deciding import story_of_run
from smsflow_plugin.models import Contact, Enrollment, Flow, Intake, Segment, Store

#: People on one page.
PAGE = 50
#: How many people a search offers, and how many can be named at once.
FOUND, MOST_NAMED = 20, 5000
#: How many crowds are told of.
CROWDS = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a version where people stand."""

    key: str
    version: int
    words: str
    people: int


def places(flow: Flow, where: list[Standing]) -> list[Place]:
    """Return the steps where people stand; parts of one step that read alike are told apart by their number."""
    numbers = dict(
        FlowVersion.objects.filter(pk__in={standing.version_id for standing in where}).values_list("pk", "number")
    )
    programs = Programs.load(numbers)
    return [
        Place(
            f"{standing.version_id}-{standing.at}",
            numbers.get(standing.version_id, 0),
            place_words(programs[standing.version_id], standing.at) if standing.version_id in programs else "…",
            standing.people,
        )
        for standing in where
    ]


class PeopleView(FlowPage, TemplateView):
    """The people in the flow now. The number of queries does not depend on how many they are."""

    page_title = gettext_lazy("People in the flow")
    header_icon = "group"
    template_name = "smsflow/flows/people.html"

    def allowed(self) -> bool:
        return may_see_people(self.request.user, self.object)

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        if not self.object.live or not may_let_in(self.request.user, self.object):
            return []
        return [HeaderButton(_("Let people in"), url=page_url("let_in", self.object), icon_name="plus")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        where = standings(self.object)
        everywhere = places(self.object, where)
        chosen = self.request.GET.get("at", "")
        words = {place.key: place.words for place in everywhere}
        people = self._people(chosen if chosen in words else "")
        paginator = Paginator(people, PAGE)
        # the places have counted everybody already
        paginator.count = sum(p.people for p in everywhere if chosen not in words or p.key == chosen)
        page = paginator.get_page(self.request.GET.get("p"))
        rows = [
            {
                "run": run,
                "where": words.get(f"{run.version_id}-{run.state.get('at', 0)}", "…"),
                "since": _moment(run.state.get("reached_at")) or run.entered_at,
            }
            for run in page.object_list
        ]
        return super().get_context_data(
            places=everywhere,
            several=len({place.version for place in everywhere}) > 1,
            chosen=chosen,
            page_obj=page,
            rows=rows,
            crowds=self.object.intakes.order_by("-pk")[:CROWDS],
            moved=MOVE,
            may_take_out=self.may("change"),
            **kwargs,
        )

    def _people(self, chosen: str) -> QuerySet[Enrollment]:
        people = (
            Enrollment.objects.filter(flow=self.object, status=Enrollment.Status.WAITING)
            .select_related("contact")
            .only(
                "state", "version_id", "wake_at", "entered_at", "flow_id", "store_id", "contact__first_name",
                "contact__last_name", "contact__phone", "contact__email", "contact__handed_over_at",
                "contact__erased_at",
            )
            .order_by("-pk")
        )  # fmt: skip
        if chosen:
            version, at = chosen.split("-")
            people = people.filter(version=int(version), state__at=int(at))
        return people


class RunWhyView(FlowPage, TemplateView):
    """What was decided about the texts of one person in the flow."""

    page_title = gettext_lazy("Why")
    header_icon = "help"
    template_name = "smsflow/why/why.html"

    def allowed(self) -> bool:
        return may_see_people(self.request.user, self.object)

    def get_page_subtitle(self) -> str:
        return str(self.run.contact)

    @cached_property
    def run(self) -> Enrollment:
        runs = Enrollment.objects.filter(flow=self.object)
        run = runs.select_related("store", "contact", "contact__store", "flow").filter(pk=self.kwargs["run"]).first()
        if run is None:
            raise Http404
        return run

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, **story_context(story_of_run(self.run), self.request.user)}


def _moment(text: str | None) -> Any:
    from django.utils.dateparse import parse_datetime

    return parse_datetime(text) if text else None


class TakeOutView(FlowPage, FormView):  # type: ignore[type-arg]
    """Asks before somebody is taken out of the flow."""

    form_class = forms.Form
    page_title = gettext_lazy("Take out of the flow")
    header_icon = "logout"
    template_name = "smsflow/flows/take_out.html"

    def allowed(self) -> bool:
        return self.may("change") and may_see_people(self.request.user, self.object)

    @cached_property
    def run(self) -> Enrollment:
        runs = Enrollment.objects.filter(flow=self.object).select_related("contact", "flow")
        run = runs.filter(pk=self.kwargs["run"]).first()
        if run is None:
            raise Http404
        return run

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(contact=self.run.contact, back_url=page_url("people", self.object), **kwargs)

    def form_valid(self, form: forms.Form) -> HttpResponse:
        words = {"contact": self.run.contact}
        if TakeOut(self.run, self.request.user).execute():
            messages.success(self.request, conditional_escape(_("%(contact)s is out of the flow.") % words))
        else:
            messages.info(self.request, conditional_escape(_("%(contact)s was through already.") % words))
        return redirect(page_url("people", self.object))


class PeopleField(forms.ModelMultipleChoiceField):
    def _check_values(self, value: Any) -> QuerySet[Contact]:
        for pk in value:
            if number(str(pk)) is None:  # more than a column holds is an error of the database
                raise forms.ValidationError(
                    self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": pk}
                )
        people: QuerySet[Contact] = super()._check_values(value)  # type: ignore[misc]
        return people


class LetInForm(forms.Form):
    """Who is let in: people found by a search, numbers and addresses, a segment, or everybody who matches."""

    PEOPLE, SEGMENT, EVERYBODY = "people", "segment", "everybody"

    who = forms.ChoiceField(
        label=gettext_lazy("Who"),
        choices=[
            (PEOPLE, gettext_lazy("These people")),
            (SEGMENT, gettext_lazy("Everybody in a segment")),
            (EVERYBODY, gettext_lazy("Everybody who matches the flow's audience")),
        ],
        widget=forms.RadioSelect,
        initial=PEOPLE,
    )
    found = PeopleField(
        label=gettext_lazy("Found"),
        queryset=Contact.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    numbers = forms.CharField(
        label=gettext_lazy("Numbers or e-mail addresses"),
        help_text=gettext_lazy("One a line, or with commas between them. Only people whom the store knows are let in."),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        max_length=200_000,
    )
    segment = forms.ModelChoiceField(label=gettext_lazy("Segment"), queryset=Segment.objects.none(), required=False)
    apply_audience = forms.BooleanField(
        label=gettext_lazy("Only those who match the flow's audience"), required=False, initial=True
    )
    again = forms.BooleanField(
        label=gettext_lazy("Also those who were in the flow before"), required=False, initial=False
    )

    def __init__(self, *args: Any, flow: Flow, user: Any, query: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow = flow
        self.missing: list[str] = []
        mine = Contact.objects.visible_to(user).filter(store=flow.store_id)
        self.mine = mine
        self.fields["segment"].queryset = Segment.objects.visible_to(user).filter(store=flow.store_id)  # type: ignore[attr-defined]
        # what is posted was found by an earlier search, and stays ticked if something else must be mended first
        ticked = self.data.getlist("found") if self.is_bound else []  # type: ignore[union-attr]
        chosen = [pk for value in ticked if (pk := number(value)) is not None]
        self.fields["found"].queryset = mine.filter(pk__in=chosen) if chosen else _found(mine, query)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("who") == self.SEGMENT and not cleaned.get("segment") and "segment" not in self.errors:
            self.add_error("segment", _("Choose a segment."))
        if cleaned.get("who") == self.PEOPLE:
            self.people = self._people(cleaned)
            if not self.people and not self.errors:
                self.add_error("numbers", self._nobody())
        return cleaned

    def _nobody(self) -> str:
        if self.missing:
            return _("The store knows none of these people: %(names)s.") % {"names": ", ".join(self.missing[:10])}
        return _("Choose somebody, or give a number.")

    def _people(self, cleaned: dict[str, Any]) -> set[int]:
        people = {contact.pk for contact in cleaned.get("found") or ()}
        names = [name.strip() for name in re.split(r"[\n,;]+", cleaned.get("numbers") or "") if name.strip()]
        if len(names) > MOST_NAMED:
            self.add_error("numbers", _("These are too many at once. Make a segment of them."))
            return people
        by_name = {_normal(name, self.flow.store): name for name in names}
        known: dict[str, set[int]] = defaultdict(set)
        wanted = Q(phone__in=list(by_name)) | Q(email__in=[*by_name, *names])
        for pk, phone, email in self.mine.filter(wanted).values_list("pk", "phone", "email") if names else ():
            known[phone or ""].add(pk)
            known[email.casefold()].add(pk)
        for normal, name in by_name.items():
            people |= known.get(normal, set())
            if normal not in known:
                self.missing.append(name)
        return people


def _found(people: QuerySet[Contact], query: str) -> QuerySet[Contact]:
    words = query[:100].replace("\0", " ").split()
    if not words:
        return people.none()
    for word in words:
        digits = re.sub(r"\D", "", word)
        match = Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word)
        people = people.filter(match | Q(phone__contains=digits) if len(digits) >= 3 else match)
    return people.filter(pk__in=list(people.order_by("pk").values_list("pk", flat=True)[:FOUND]))


def _normal(name: str, store: Store) -> str:
    """Return a number in full, or an address in small letters."""
    if "@" in name:
        return name.casefold()
    try:
        number = phonenumbers.parse(name, store.country)
    except phonenumbers.NumberParseException:
        return name
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class LetInView(FlowPage, FormView):  # type: ignore[type-arg]
    """Lets one, many or everybody in by hand."""

    form_class = LetInForm
    page_title = gettext_lazy("Let people in")
    header_icon = "plus"
    template_name = "smsflow/flows/let_in.html"

    def allowed(self) -> bool:
        return may_let_in(self.request.user, self.object)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.allowed() and not self.object.live:
            messages.warning(request, _("The flow is not live: publish it before people are let in."))
            return redirect(self.flow_url)
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        query = self.request.GET.get("q", "")
        return {**super().get_form_kwargs(), "flow": self.object, "user": self.request.user, "query": query}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        back = page_url("people", self.object)
        return super().get_context_data(query=self.request.GET.get("q", ""), back_url=back, **kwargs)

    def form_valid(self, form: LetInForm) -> HttpResponse:
        cleaned = form.cleaned_data
        options: dict[str, Any] = {"apply_audience": cleaned["apply_audience"], "again": cleaned["again"]}
        if cleaned["who"] == LetInForm.PEOPLE:
            options["contacts"] = form.people
        elif cleaned["who"] == LetInForm.SEGMENT:
            options["condition"] = condition_of(cleaned["segment"])
        try:
            intake = LetIn(self.object, self.request.user, **options).execute()
        except CannotLetIn as refusal:
            form.add_error(None, str(refusal))
            return self.form_invalid(form)
        messages.success(self.request, conditional_escape(self._success(intake, form.missing)))
        return redirect(page_url("people", self.object))

    def _success(self, intake: Intake, missing: list[str]) -> str:
        if intake.total is None:
            said = _("Everybody who is meant is let in now, one after the other.")
        else:
            said = ngettext("%(count)d person is let in now.", "%(count)d people are let in now.", intake.total) % {
                "count": intake.total
            }
        if missing:
            unknown = ngettext(
                "%(count)d is not known to the store: %(names)s.",
                "%(count)d are not known to the store: %(names)s.",
                len(missing),
            ) % {"count": len(missing), "names": ", ".join(missing[:10])}
            said = f"{said} {unknown}"
        return said
