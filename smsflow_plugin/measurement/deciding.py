"""Why was this text sent, put off or not sent? The whole story of a text, an entry or a run, from the ledger alone.

The pages, the command line and tests read the same stories. The number of queries does not depend on how
many decisions a story has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.places import Place
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.flows.chart import TITLES, summary
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.ledger import Decision, PlaceSet
from smsflow_plugin.governance.policy import LONGEST
from smsflow_plugin.governance.rules import Verdict
from smsflow_plugin.measurement.entry import Tone
from smsflow_plugin.measurement.noting import Counted, Known, flows_in, lines
from smsflow_plugin.measurement.reasons import decision_sentence, moment, state_sentence
from smsflow_plugin.measurement.timeline import zone_of
from smsflow_plugin.messaging.gate import TEST_RUN
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.stores.models import Store

#: Columns of a decision that a story reads.
COLUMNS = (
    "pk", "store_id", "contact_id", "flow_id", "flow__name", "enrollment_id", "message_id", "step", "visit", "at",
    "verdict", "reason", "until", "notes", "message_class", "policy_id", "places_id",
)  # fmt: skip

#: Decisions in one story; the newest are told.
MOST = 100

SOURCES: Mapping[str, str | Promise] = {
    "address": gettext_lazy("from the address"),
    "province": gettext_lazy("from the address"),
    "captured": gettext_lazy("told by the person's device"),
    "contact": gettext_lazy("known of the person"),
    "area_code": gettext_lazy("from the area code"),
    "split_state": gettext_lazy("the other half of the state"),
    "number": gettext_lazy("from the number"),
    "phone": gettext_lazy("from the number"),
    "country": gettext_lazy("from the country"),
    "store": gettext_lazy("the store's"),
}

_TONES = {Verdict.ALLOW: Tone.GOOD, Verdict.DEFER: Tone.WAITING, Verdict.SKIP: Tone.BAD}


@dataclass(frozen=True, slots=True)
class Clock:
    """What the clock showed in one place where the person may have been."""

    zone: str
    local: str
    #: Country and region, if known, and how the place was found.
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """One decision in words. ``policy`` is the id of the version of the rules that decided, if any did."""

    pk: int
    at: datetime
    verdict: str
    sentence: str
    lines: tuple[str, ...]
    clocks: tuple[Clock, ...]
    policy: int | None
    #: Asked at the last gate, when the text was about to leave.
    at_gate: bool
    tone: Tone


@dataclass(frozen=True, slots=True)
class Story:
    """A text (or an entry, or a run) with everything that was decided about it, in order."""

    store: Store
    contact: Contact | None
    zone: str
    told: tuple[Told, ...]
    flow_id: int | None = None
    flow: str = ""
    #: The step in a line: "Text: Hi Ada …".
    step: str = ""
    message: Message | None = None
    #: Where the text is now, if there is one.
    outcome: str = ""
    #: How it came out, in one sentence.
    verdict: str = ""

    @property
    def policy(self) -> int | None:
        """The rules that spoke last."""
        return next((one.policy for one in reversed(self.told) if one.policy), None)


# The stories ------------------------------------------------------------------------------------


def story_of_message(message: Message) -> Story:
    """Tell everything that was decided about a text."""
    own = Q(message_id=message.pk)
    if message.enrollment_id is not None:
        own |= Q(enrollment_id=message.enrollment_id, step=message.step, visit=message.visit)
    rows = _rows(Decision.objects.filter(own), message.store_id, message.contact_id)
    return _story(rows, message.store, message.contact, message)


def story_of_decision(decision: Decision) -> Story:
    """Tell a decision with all others about the same text; one about an entry stands alone."""
    message = None
    if decision.enrollment_id is None and decision.message_id is None:
        rows = _rows(Decision.objects.filter(pk=decision.pk), decision.store_id, decision.contact_id)
    else:
        message = _message_of(decision)
        if message is not None:
            return story_of_message(message)
        same = Decision.objects.filter(pk=decision.pk)
        if decision.enrollment_id is not None:
            same = Decision.objects.filter(
                enrollment_id=decision.enrollment_id, step=decision.step, visit=decision.visit
            )
        rows = _rows(same, decision.store_id, decision.contact_id)
    return _story(rows, decision.store, decision.contact, message)


def story_of_run(run: Enrollment) -> Story:
    """Tell everything that was decided about the texts of one person in one flow."""
    rows = _rows(Decision.objects.filter(enrollment_id=run.pk), run.store_id, run.contact_id)
    return _story(rows, run.store, run.contact, None, with_step=False)


def stories_of(contact: Contact, limit: int = 5) -> list[Story]:
    """Tell the newest texts and entries of a person, newest first."""
    rows = _rows(Decision.objects.all(), contact.store_id, contact.pk)
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for row in reversed(rows):
        key = (row["enrollment_id"], row["step"], row["visit"]) if row["enrollment_id"] else row["message_id"]
        groups.setdefault(key or ("entry", row["pk"]), []).insert(0, row)
    newest = list(groups.values())[:limit]
    known = _known([row for group in newest for row in group], contact.store, contact)
    messages = _messages_of(newest, contact)
    steps = _steps_of(newest)
    return [
        _told_story(group, contact.store, contact, messages.get(_text_key(group[-1])), known, steps) for group in newest
    ]


# How they are told ------------------------------------------------------------------------------


def _rows(decisions: QuerySet[Decision], store_id: int, contact_id: int | None) -> list[Mapping[str, Any]]:
    """Return the newest of one person's ``decisions``, oldest first. There is an index of persons, not of runs."""
    own = decisions.filter(store_id=store_id, contact_id=contact_id)
    return list(own.order_by("-at", "-pk").values(*COLUMNS)[:MOST])[::-1]


def _message_of(decision: Decision) -> Message | None:
    messages = Message.objects.filter(store_id=decision.store_id).select_related("store", "contact", "flow")
    if decision.message_id is not None:
        return messages.filter(pk=decision.message_id).first()
    return messages.filter(enrollment_id=decision.enrollment_id, step=decision.step, visit=decision.visit).first()


def _text_key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["enrollment_id"], row["step"], row["visit"], row["message_id"] if not row["enrollment_id"] else None


def _messages_of(groups: Sequence[Sequence[Mapping[str, Any]]], contact: Contact) -> dict[tuple[Any, ...], Message]:
    runs = {row["enrollment_id"] for group in groups for row in group} - {None}
    ids = {row["message_id"] for group in groups for row in group} - {None}
    found = Message.objects.filter(Q(enrollment_id__in=runs) | Q(pk__in=ids), contact=contact)
    return {
        (m.enrollment_id, m.step, m.visit, None if m.enrollment_id else m.pk): m for m in found.select_related("flow")
    }


def _steps_of(groups: Iterable[Iterable[Mapping[str, Any]]]) -> dict[tuple[Any, str], str]:
    """Return the steps of these decisions in words, by run and step."""
    wanted = {
        (row["enrollment_id"], row["step"]) for group in groups for row in group if row["enrollment_id"] and row["step"]
    }
    runs = Enrollment.objects.filter(pk__in={run for run, _step in wanted}) if wanted else Enrollment.objects.none()
    versions = dict(runs.values_list("pk", "version_id"))
    programs = Programs.load(set(versions.values()))
    words = {}
    for run, step in wanted:
        program = programs.get(versions.get(run, 0))
        instruction = next((one for one in program.instructions if one.step == step), None) if program else None
        if instruction is not None:
            line = summary(instruction)
            title = str(TITLES.get(instruction.op, instruction.op))
            words[run, step] = _("%(step)s: %(summary)s") % {"step": title, "summary": line} if line else title
    return words


def _known(rows: Sequence[Mapping[str, Any]], store: Store, contact: Contact | None) -> tuple[Known, dict[int, Any]]:
    """Read what the notes of ``rows`` name: flows, the texts that counted, the places. Three queries at most."""
    notes = [note for row in rows for note in row["notes"] or ()]
    flows = flows_in(notes)
    names = dict(Flow.objects.filter(store=store, pk__in=flows).values_list("pk", "name")) if flows else {}
    texts = _texts(rows, contact) if contact and any("limit" in note for note in notes) else []
    ids = {row["places_id"] for row in rows} - {None}
    places = {one.pk: one.places for one in PlaceSet.objects.filter(pk__in=ids)} if ids else {}
    zone = zone_of(contact) if contact else store.timezone
    return Known(zone, texts, names), places


def _texts(rows: Sequence[Mapping[str, Any]], contact: Contact) -> list[Counted]:
    """Return the texts that counted towards caps then. Answers did not."""
    first, last = min(row["at"] for row in rows), max(row["at"] for row in rows)
    counted = Message.objects.filter(
        contact=contact,
        message_class=Message.Class.MARKETING,
        purpose__in=("flow", TEST_RUN),
        queued_at__gt=first - LONGEST,
        queued_at__lte=last + timedelta(seconds=1),
    )
    columns = (
        "queued_at", "flow_id", "flow__name", "flow__priority", "flow__stage", "enrollment_id", "step", "visit",
    )  # fmt: skip
    return [
        Counted(at, flow_id, flow or "–", priority or "", stage or "", (run, step, visit))
        for at, flow_id, flow, priority, stage, run, step, visit in counted.order_by("queued_at").values_list(*columns)
    ]


def _story(
    rows: Sequence[Mapping[str, Any]],
    store: Store,
    contact: Contact | None,
    message: Message | None,
    *,
    with_step: bool = True,
) -> Story:
    return _told_story(
        rows, store, contact, message, _known(rows, store, contact), _steps_of([rows]), with_step=with_step
    )


def _told_story(
    rows: Sequence[Mapping[str, Any]],
    store: Store,
    contact: Contact | None,
    message: Message | None,
    read: tuple[Known, Mapping[int, tuple[Place, ...]]],
    steps: Mapping[tuple[Any, str], str],
    *,
    with_step: bool = True,
) -> Story:
    known, places = read
    told = tuple(_tell(row, known, places, steps if not with_step else {}) for row in rows)
    last = rows[-1] if rows else None
    outcome = state_sentence(_columns(message), known.zone) if message else ""
    return Story(
        store=store,
        contact=contact,
        zone=known.zone,
        told=told,
        flow_id=last["flow_id"] if last else (message.flow_id if message else None),
        flow=(last["flow__name"] or "") if last else (message.flow.name if message and message.flow else ""),
        step=steps.get((last["enrollment_id"], last["step"]), "") if last and with_step else "",
        message=message,
        outcome=outcome,
        verdict=_verdict(told, rows, message),
    )


def _columns(message: Message) -> dict[str, Any]:
    names = ("state", "reason", "error_code", "queued_at", "finished_at")
    return {name: getattr(message, name) for name in names}


def _tell(
    row: Mapping[str, Any],
    known: Known,
    places: Mapping[int, tuple[Place, ...]],
    steps: Mapping[tuple[Any, str], str],
) -> Told:
    judged = places.get(row["places_id"] or 0, ())
    own = Known(judged[0].zone, known.texts, known.flows) if judged else known
    about = steps.get((row["enrollment_id"], row["step"]), "")
    return Told(
        row["pk"],
        row["at"],
        str(row["verdict"]),
        decision_sentence(row, own.zone),
        (*((about,) if about else ()), *lines(row, own)),
        tuple(_clock(place, row["at"]) for place in judged),
        row["policy_id"],
        row["message_id"] is not None,
        _TONES.get(row["verdict"], Tone.NEUTRAL),
    )


def _clock(place: Place, at: datetime) -> Clock:
    area = "-".join(part for part in (place.country, place.region) if part)
    source = str(SOURCES.get(place.source, place.source))
    return Clock(place.zone, moment(at, place.zone), ", ".join(part for part in (area, source) if part))


def _verdict(told: Sequence[Told], rows: Sequence[Mapping[str, Any]], message: Message | None) -> str:
    """Say in one sentence how it came out: "Put off twice, then sent."."""
    if not told:
        return ""
    waits = sum(1 for one in told if one.verdict == Verdict.DEFER)
    last = told[-1]
    if last.verdict == Verdict.SKIP:
        return last.sentence
    gone = message is not None and message.accepted_at is not None
    if last.verdict == Verdict.DEFER and not gone:
        return last.sentence
    if not waits:
        return _("Allowed at the first try.") if not gone else _("Allowed at the first try, and sent.")
    times = _("once") if waits == 1 else _("twice") if waits == 2 else _("%(count)d times") % {"count": waits}
    then = _("sent") if gone else _("allowed")
    return _("Put off %(times)s, then %(then)s.") % {"times": times, "then": then}
