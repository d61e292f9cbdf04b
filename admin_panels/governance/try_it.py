"""May this flow text this person then? The question as a form, and the answer of every rule. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.governance.pages import PolicyPage
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.audience.suppression import suppressed
from smsflow_plugin.flows.program import Program, Send
from smsflow_plugin.governance.decide import Finding
from smsflow_plugin.governance.effective import StoreRules, rules_of
from smsflow_plugin.governance.rules import Verdict
from smsflow_plugin.measurement.reasons import moment
from smsflow_plugin.measurement.rule_words import finding_sentence, rule_name, source_words, verdict_sentence
from smsflow_plugin.models import Contact, Flow
from smsflow_plugin.simulation.people import EDGE_CASES, edge_case, search
from smsflow_plugin.simulation.try_it import Trial, program_of, texts_of, try_it

PUBLISHED, DRAFT = "published", "draft"

#: Letters of a text by which it is told from the others.
SHOWN = 60


class TryForm(forms.Form):
    """Who, which text, when, by which rules."""

    who = forms.CharField(
        label=gettext_lazy("Person"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("A part of the name, the number or the e-mail. Empty: somebody made up."),
    )
    contact = forms.ModelChoiceField(label=gettext_lazy("Which of them"), queryset=None, required=False)
    edge = forms.ChoiceField(label=gettext_lazy("Somebody made up"), required=False)
    flow = forms.ModelChoiceField(label=gettext_lazy("Flow"), queryset=None)
    text = forms.ChoiceField(label=gettext_lazy("Text"), required=False)
    message_class = forms.ChoiceField(
        label=gettext_lazy("Kind of text"),
        required=False,
        choices=[("", gettext_lazy("As the flow says")), *Flow.MessageClass.choices],
    )
    day = forms.DateField(
        label=gettext_lazy("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    time = forms.TimeField(
        label=gettext_lazy("Time"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    rules = forms.ChoiceField(
        label=gettext_lazy("Rules"),
        choices=[(PUBLISHED, gettext_lazy("Those that count now")), (DRAFT, gettext_lazy("The draft"))],
        widget=forms.RadioSelect,
        initial=PUBLISHED,
        required=False,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A rule in the table."""

    name: str
    sentence: str
    finding: Finding


class TryView(PolicyPage, TemplateView):
    """A form that asks by its address, so that an answer can be sent to somebody."""

    page_title = gettext_lazy("Try it")
    header_icon = "help"
    template_name = "smsflow/governance/try_it.html"

    def allowed(self) -> bool:
        return self.object.store_id is not None

    @cached_property
    def sees_people(self) -> bool:
        return may(self.request.user, "view", Contact(store_id=self.object.store_id))

    @cached_property
    def found(self) -> list[Contact]:
        """The people whom the words of the form may mean."""
        words = self.request.GET.get("who", "")[:100]
        return search(self.request.user, self.object.store, words) if self.sees_people and words.strip() else []

    @cached_property
    def form(self) -> TryForm:
        zone = ZoneInfo(self.object.store.timezone)
        local = clock.now().astimezone(zone)
        asked = self.request.GET.copy() or None
        if asked:
            asked.setdefault("rules", PUBLISHED)
        form = TryForm(asked, initial={"day": local.date(), "time": local.time()})
        fields: Any = form.fields
        fields["flow"].queryset = (
            Flow.objects.visible_to(self.request.user).filter(store=self.object.store_id).order_by("name")
        )
        fields["edge"].choices = [(name, label) for name, (label, _values) in EDGE_CASES.items()]
        fields["contact"].queryset = Contact.objects.filter(pk__in=[contact.pk for contact in self.found])
        fields["contact"].label_from_instance = _person_label
        fields["day"].help_text = fields["time"].help_text = _("On the clock of %(zone)s.") % {"zone": zone.key}
        if not self.sees_people:
            del fields["who"], fields["contact"]
        elif len(self.found) < 2:
            del fields["contact"]
        if not self.object.has_unpublished_changes:
            fields["rules"].choices = fields["rules"].choices[:1]
        texts = texts_of(self.program) if self.program else []
        fields["text"].choices = [("", _("Any of them")), *((_key(text), _text_label(text)) for text in texts)]
        if len(texts) < 2:
            del fields["text"]
        return form

    @cached_property
    def flow(self) -> Flow | None:
        pk = self.request.GET.get("flow", "")
        flows = Flow.objects.visible_to(self.request.user).filter(store=self.object.store_id)
        return flows.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None

    @cached_property
    def program(self) -> Program | None:
        return program_of(self.flow) if self.flow else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = self.form
        context = super().get_context_data(form=form, asked=bool(self.request.GET), **kwargs)
        if self.request.GET and form.is_valid():
            context.update(self._answer(form.cleaned_data))
        return context

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self.program is None:
            return {"problem": _("The flow is not complete yet: it would send nothing.")}
        contact = self._person(asked)
        if contact is None:
            if len(self.found) > 1:
                return {"problem": _("These words fit several people. Choose one of them.")}
            return {"problem": _("Nobody in this store has such a name, number or e-mail.")}
        assert self.flow is not None
        trial = try_it(
            contact,
            self.object.store,
            self.flow,
            self.program,
            self._rules(asked),
            self._moment(asked),
            text=next((text for text in texts_of(self.program) if _key(text) == asked.get("text")), None),
            message_class=asked["message_class"],
            suppressed=suppressed([contact]).get(contact.pk, "") if contact.pk else "",
        )
        return {"contact": contact, **self._told(trial)}

    def _person(self, asked: dict[str, Any]) -> Contact | None:
        if not asked.get("who", "").strip():
            return edge_case(asked["edge"], self.object.store).contact
        return asked.get("contact") or (self.found[0] if len(self.found) == 1 else None)

    def _rules(self, asked: dict[str, Any]) -> StoreRules:
        store = self.object.store
        if asked["rules"] == DRAFT:
            return rules_of([store], draft=self.draft)[store.pk]
        return rules_of([store], keep=False)[store.pk]

    def _moment(self, asked: dict[str, Any]) -> datetime:
        now, zone = clock.now(), ZoneInfo(self.object.store.timezone)
        local = now.astimezone(zone)
        if not asked["day"] and not asked["time"]:
            return now
        day, time = asked["day"] or local.date(), asked["time"] or local.time()
        return datetime.combine(day, time, zone)

    def _told(self, trial: Trial) -> dict[str, Any]:
        zone = trial.recipient.places[0].zone
        flows = dict(Flow.objects.filter(store=self.object.store_id).values_list("pk", "name"))
        rows = [Row(rule_name(f.rule), finding_sentence(f, zone, trial.at, flows), f) for f in trial.findings]
        return {
            "trial": trial,
            "verdict": verdict_sentence(trial.decision, zone, trial.at),
            "allowed": trial.decision.verdict is Verdict.ALLOW,
            "waits": trial.decision.verdict is Verdict.DEFER,
            "spoke": [row for row in rows if row.finding.reason],
            "silent": [row for row in rows if not row.finding.reason],
            "places": [
                (place, moment(trial.at, place.zone), source_words(place.source)) for place in trial.recipient.places
            ],
        }


def _person_label(contact: Contact) -> str:
    name = f"{contact.first_name} {contact.last_name}".strip()
    return " · ".join(part for part in (name, str(contact.phone or ""), contact.email) if part)


def _key(text: Send) -> str:
    return f"{text.step}:{text.part}"


def _text_label(text: Send) -> str:
    words = text.texts.get("") or next(iter(text.texts.values()), "")
    return words if len(words) <= SHOWN else f"{words[: SHOWN - 1]}…"
