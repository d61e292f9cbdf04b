"""The page before a flow goes live: who enters, and what happens to the people who are in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView
from wagtail.admin import messages

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.copy_hints import flow_hints
from smsflow_plugin.admin_panels.flows.pages import FlowPage, may_let_in, may_see_people, page_url
from smsflow_plugin.admin_panels.flows.step_words import StepWords, compare, other_changes
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.letting_in import LetIn
from smsflow_plugin.engine.models import Intake
from smsflow_plugin.engine.moving import Choice, MovePeople, Standing, move_at_once, standings
from smsflow_plugin.engine.selection import NotSelectable, select
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow, FlowVersion
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program
from smsflow_plugin.measurement.how_long import how_long
from smsflow_plugin.nudge import nudge

#: So many of those who match are listed.
LISTED = 20

CHOICES = (
    (Choice.MOVE, gettext_lazy("Move to the new version")),
    (Choice.FINISH, gettext_lazy("Finish the old version")),
    (Choice.LEAVE, gettext_lazy("Leave the flow")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """People for whom one thing is chosen: those at a changed step, or everybody else (``words`` is None then)."""

    version_id: int
    step: str
    name: str
    people: int
    words: StepWords | None = None

    @property
    def label(self) -> str:
        """What the row is about, so that several waits can be told apart by name alone."""
        if self.words is None:
            return _("Everybody else")
        if not self.words.summary:
            return self.words.title
        return _("%(step)s: %(summary)s") % {"step": self.words.title, "summary": self.words.summary}


@dataclass(frozen=True, slots=True)
class Inside:
    """One version with people in it, compared with what is to be published."""

    version: FlowVersion
    people: int
    rows: tuple[Row, ...]
    other: tuple[str, ...]
    same: bool


def people_inside(flow: Flow, new: Program) -> list[Inside]:
    """Return the versions with people inside, the newest first, in two queries."""
    found: dict[int, list[Standing]] = defaultdict(list)
    for standing in standings(flow):
        found[standing.version_id].append(standing)
    versions = FlowVersion.objects.filter(pk__in=found).defer("program").order_by("-number")
    programs = Programs.load(found)
    return [_inside(version, programs.get(version.pk), new, found[version.pk]) for version in versions]


def _inside(version: FlowVersion, old: Program | None, new: Program, where: list[Standing]) -> Inside:
    total = sum(standing.people for standing in where)
    if old is None:
        return Inside(version, total, (), (), True)
    at: dict[str, int] = defaultdict(int)
    for standing in where:
        if standing.at < len(old.instructions):
            at[old.instructions[standing.at].step] += standing.people
    changed = [words for words in compare(old, new) if words.changed]
    rows = [
        Row(version.pk, words.step, f"at-{version.pk}-{number}", at[words.step], words)
        for number, words in enumerate(changed)
        if at.get(words.step)
    ]
    others = total - sum(row.people for row in rows)
    if others:
        rows.append(Row(version.pk, "", f"others-{version.pk}", others))
    return Inside(version, total, tuple(rows), tuple(other_changes(old, new)), old.content_hash == new.content_hash)


class PublishForm(forms.Form):
    """What is chosen for each crowd. ``revision`` is the draft that the person has seen."""

    NEW, EXISTING = "new", "existing"

    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, rows: list[Row], may_let_in: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        if may_let_in:
            self.fields["who"] = forms.ChoiceField(
                label=_("Who enters"),
                choices=[
                    (self.NEW, _("Only people to whom it happens from now on")),
                    (self.EXISTING, _("These people too, right away")),
                ],
                widget=forms.RadioSelect,
                initial=self.NEW,
            )
        for row in rows:
            self.fields[row.name] = forms.ChoiceField(label=row.label, choices=CHOICES, initial=Choice.MOVE)

    @property
    def choices(self) -> Mapping[tuple[int, str], Choice]:
        return {(row.version_id, row.step): Choice(self.cleaned_data[row.name]) for row in self.rows}


class PublishView(FlowPage, FormView):  # type: ignore[type-arg]
    """Asks once more, with everything that publishing does."""

    form_class = PublishForm
    page_title = gettext_lazy("Publish")
    template_name = "smsflow/flows/publish.html"

    def allowed(self) -> bool:
        return self.may("publish")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # a lock keeps the form from being saved; what it keeps as it is must not go live either
        if self.allowed() and (lock := self.object.get_lock()) and lock.for_user(request.user):
            messages.error(request, lock.get_message(request.user))
            return redirect(self.flow_url)
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def draft(self) -> Flow:
        draft: Flow = self.object.get_latest_revision_as_object()
        return draft

    @cached_property
    def program(self) -> Program | None:
        try:
            return compile_flow(self.draft)
        except CannotCompile as refusal:
            self.problems = refusal.problems
            return None

    problems: tuple[Any, ...] = ()

    @property
    def scheduled(self) -> datetime | None:
        """When the draft goes live by itself, None if it does so right away."""
        at: datetime | None = self.draft.go_live_at
        return at if at and at > clock.system() else None

    @cached_property
    def inside(self) -> list[Inside]:
        return people_inside(self.object, self.program) if self.program else []

    def get_form_kwargs(self) -> dict[str, Any]:
        # an old version that is published again is the one that its people are in already
        rows = [row for inside in self.inside if not inside.same for row in inside.rows]
        offered = may_let_in(self.request.user, self.object)
        return {**super().get_form_kwargs(), "rows": rows, "may_let_in": offered}

    def get_initial(self) -> dict[str, Any]:
        return {"revision": self.object.latest_revision_id}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        versions = [
            (each, [(row, form[row.name]) for row in each.rows if row.name in form.fields]) for each in self.inside
        ]
        context.update(
            draft=self.draft,
            program=self.program,
            problems=self.problems,
            versions=versions,
            **(self._matching() if self.program else {}),
            hints=flow_hints(self.draft) if self.program else [],
            tests=how_long(self.object, self.program) if self.program else [],
            scheduled=self.scheduled,
        )
        return context

    def _matching(self) -> dict[str, Any]:
        assert self.program is not None
        try:
            people = select(
                self.program.audience, store_id=self.object.store_id, now=clock.now(), flow_id=self.object.pk
            )
            listed = list(people.order_by("pk")[:LISTED]) if may_see_people(self.request.user, self.object) else []
            return {"matching": people.count(), "listed": listed}
        except NotSelectable as reason:
            return {"matching": None, "why_unknown": str(reason)}

    def form_valid(self, form: PublishForm) -> HttpResponse:
        if self.program is None:
            return self.form_invalid(form)
        done = self._publish(form)
        if done is None:
            return self._changed_meanwhile()
        _intake, move = done
        if move:
            move_at_once(move)
        messages.success(self.request, conditional_escape(self._success(*done)))
        return redirect(self.flow_url)

    def _changed_meanwhile(self) -> HttpResponse:
        """Show the page once more, about the draft as it is now."""
        self.object.refresh_from_db()
        for name in ("draft", "program", "inside"):
            self.__dict__.pop(name, None)
        form = self.get_form()
        form.full_clean()
        form.add_error(None, _("The flow was changed meanwhile. Look at it once more before it is published."))
        form.data = {**form.data.dict(), "revision": self.object.latest_revision_id}
        return self.form_invalid(form)

    @transaction.atomic
    def _publish(self, form: PublishForm) -> tuple[Intake | None, Intake | None] | None:
        """Publish what the person has seen; return None if that is not the newest draft any more."""
        user = self.request.user
        # whoever saves or publishes beside this waits, or has been here before
        self.object = Flow.objects.select_for_update(no_key=True, of=("self",)).get(pk=self.object.pk)
        if form.cleaned_data["revision"] != self.object.latest_revision_id:
            return None
        self.object.latest_revision.publish(user=user)
        self.object.refresh_from_db()
        if self.scheduled:
            return None, None
        move = MovePeople(self.object, user, choices=form.choices).plan()
        nudge("move_people")
        nudge("advance")
        intake = None
        if form.cleaned_data.get("who") == PublishForm.EXISTING and self.object.live:
            if not may_let_in(user, self.object):
                raise PermissionDenied
            intake = LetIn(self.object, user).execute()
        return intake, move

    def _success(self, intake: Intake | None, move: Intake | None) -> str:
        if self.scheduled:
            return _("“%(flow)s” is published at the time that is set in it.") % {"flow": self.object}
        sentences = [_("“%(flow)s” is published.") % {"flow": self.object}]
        if move and move.state == Intake.State.DONE:
            sentences.append(
                ngettext(
                    "%(count)d person of older versions was seen to.",
                    "%(count)d people of older versions were seen to.",
                    move.entered,
                )
                % {"count": move.entered}
            )
        elif move:
            sentences.append(
                _("%(count)d people of older versions follow one after the other; the page People shows how far.")
                % {"count": move.total or 0}
            )
        if intake:
            sentences.append(_("Those who match now are let in."))
        return " ".join(sentences)


def ask_before_publishing(request: HttpRequest, instance: Any) -> HttpResponse | None:
    """Lead from the editor's button to the page: the draft is saved by now. What is only scheduled needs no page."""
    if not isinstance(instance, Flow):
        return None
    if instance.go_live_at and instance.go_live_at > clock.system():
        return None
    return redirect(page_url("publish", instance))
