"""Takes the people in older versions of a flow to the newest one, or out of it: set-based, in batches.

A move is kept as an ``Intake`` of the kind ``MOVE``: a crowd that is worked off in the order of the
contacts' ids. ``data`` holds the version that it leads to and what was chosen for whom.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine import offers
from smsflow_plugin.engine.admission import turn
from smsflow_plugin.engine.changed_runs import note_runs
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.models import Effect, Enrollment, Intake
from smsflow_plugin.engine.state import State
from smsflow_plugin.engine.transfer import Passage
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import Program
from smsflow_plugin.messaging.changed import note_texts
from smsflow_plugin.messaging.models import Message

logger = logging.getLogger(__name__)

#: The kind of intake that is a move. The pump for intakes leaves these alone.
MOVE = "moved"

#: People in one batch.
BATCH = 1000

#: So many people are moved while somebody waits for the page; the pump takes the rest.
AT_ONCE = 3000

#: Why a run ended, as ``measurement.reasons`` tells it.
LEFT_WITH_VERSION = "version_left"
TAKEN_OUT = "taken_out"
#: Why a text was cancelled that was still queued.
CANCELLED = "left"


class Choice(StrEnum):
    """What happens to somebody who is in an older version."""

    MOVE = "move"
    FINISH = "finish"
    LEAVE = "leave"


#: By version and step; the step "" stands for everybody else in that version.
Choices = Mapping[tuple[int, str], Choice]


@dataclass(frozen=True, slots=True)
class Standing:
    """So many people wait at this instruction of this version."""

    version_id: int
    at: int
    people: int


def standings(flow: Flow) -> list[Standing]:
    """Return where people wait in a flow, with one query. The newest version comes first."""
    rows = (
        Enrollment.objects.filter(flow=flow, status=Enrollment.Status.WAITING)
        .order_by()
        .values("version_id", at=F("state__at"))
        .annotate(people=Count("pk"))
    )
    found = [Standing(row["version_id"], int(row["at"] or 0), row["people"]) for row in rows]
    return sorted(found, key=lambda standing: (-standing.version_id, standing.at))


class MovePeople(BaseAction):  # type: ignore[misc]
    """Do with those who are in older versions of a flow what was chosen when it was published.

    A crowd is moved as far as nobody has to wait for it; the rest follows by ``move_people``.
    An earlier move of the flow that is not through yet ends here: everybody whom it has not
    reached counts among the people of this one.

    :param instance: the flow, with its newest version.
    :param choices: what happens, by version and step. Who is not named finishes the old version.
    """

    action_name = "move_people"
    permission_policy_action = "publish"

    def __init__(self, instance: Flow, user: Any = None, *, choices: Choices) -> None:
        super().__init__(instance, user=user)
        self.choices = {key: Choice(choice) for key, choice in choices.items() if choice != Choice.FINISH}

    def execute(self, skip_permission_checks: bool = False) -> Intake | None:
        """Start the move; return it, or None if everybody finishes the version that they are in."""
        move = self.plan(skip_permission_checks=skip_permission_checks)
        if move:
            move_at_once(move)
        return move

    @transaction.atomic
    def plan(self, skip_permission_checks: bool = False) -> Intake | None:
        """Write down what is to be done, and move nobody yet; return it, or None if there is nothing."""
        self.check(skip_permission_checks=skip_permission_checks)
        flow, now = self.instance, clock.now()
        unfinished(flow).update(state=Intake.State.STOPPED, finished_at=now)
        versions = {version for version, _step in self.choices} - {flow.current_version_id}
        if not versions:
            return None
        move = Intake.objects.create(
            store_id=flow.store_id,
            flow=flow,
            key=f"move:{uuid.uuid4()}",
            kind=MOVE,
            data={
                "to": flow.current_version_id,
                "choices": [
                    [version, step, choice.value]
                    for (version, step), choice in sorted(self.choices.items())
                    if version in versions
                ],
            },
            total=_inside(flow.pk, versions).values("contact_id").distinct().count(),
            created_by=self.user.get_username() if self.user else "",
            created_at=now,
        )
        log(
            instance=flow,
            action="smsflow.move_people",
            user=self.user,
            timestamp=now,
            data={"people": move.total, "choices": move.data["choices"]},
        )
        return move


class TakeOut(BaseAction):  # type: ignore[misc]
    """Take one person out of a flow. What is queued for them from it does not go out."""

    action_name = "take_out"
    permission_policy_action = "change"

    def __init__(self, instance: Enrollment, user: Any = None) -> None:
        super().__init__(instance, user=user)

    def user_has_permission(self) -> bool:
        from wagtail.permissions import policy_registry

        flow = self.instance.flow
        return bool(policy_registry.get_by_type(Flow).user_has_permission_for_instance(self.user, "change", flow))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> bool:
        """End the run; return False if it had ended already."""
        self.check(skip_permission_checks=skip_permission_checks)
        now = clock.now()
        # the contact first, as everywhere: it is the unit of locking
        Contact.objects.select_for_update().get(pk=self.instance.contact_id)
        ended = Enrollment.objects.filter(pk=self.instance.pk, status=Enrollment.Status.WAITING).update(
            status=Enrollment.Status.EXITED, exit_reason=TAKEN_OUT, wake_at=None, finished_at=now
        )
        if not ended:
            return False
        note_runs([self.instance.pk])
        cancel_queued_of([self.instance.pk], now)
        log(
            instance=self.instance.flow,
            action="smsflow.take_out",
            user=self.user,
            timestamp=now,
            data={"contact": self.instance.contact_id, "enrollment": self.instance.pk},
        )
        return True


def unfinished(flow: Flow) -> QuerySet[Intake]:
    """Return the flow's moves that are not through yet."""
    return Intake.objects.filter(flow=flow, kind=MOVE, state=Intake.State.WAITING)


def move_at_once(move: Intake) -> None:
    """Move people as far as nobody has to wait for it.

    Not in the transaction that publishes the flow: it holds the flow, which who holds people may wait for.
    """
    try:
        while move.state == Intake.State.WAITING and move.seen < AT_ONCE and (locked := _move_along(move.pk, BATCH)):
            move.seen, move.entered, move.state, move.finished_at = (
                locked.seen, locked.entered, locked.state, locked.finished_at,
            )  # fmt: skip
    except Exception:  # the flow is published, and the pump goes on where this stopped
        logger.exception("The move %s stopped half-way; the pump tries again.", move.pk)


def move_people(limit: int = BATCH) -> int:
    """Take one batch of people of the oldest move along; return how many there were. 0 means that none is left.

    A move that makes no sense is passed over: nobody else waits for it.
    """
    waiting = Intake.objects.filter(kind=MOVE, state=Intake.State.WAITING).order_by("pk")
    for pk, before in waiting.values_list("pk", "seen"):
        try:
            if move := _move_along(pk, limit):
                # the last batch may be empty: it is the one that closes the move
                return max(1, move.seen - before)
        except OperationalError:
            raise  # a deadlock or a lock on SQLite: both pass
        except Exception:
            logger.exception("The move %s cannot be gone on with; the next look tries again.", pk)
    return 0


@transaction.atomic
def _move_along(pk: int, limit: int) -> Intake | None:
    """Take one batch of this move along and return it, unless somebody else is at it."""
    unlocked = Intake.objects.select_for_update(skip_locked=True, of=("self",))
    move: Intake | None = unlocked.filter(pk=pk, state=Intake.State.WAITING).first()
    if move is not None:
        _batch(move, limit)
    return move


@dataclass
class _Results:
    enrollments: list[tuple[Any, ...]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    due: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)


def _inside(flow_id: int, versions: set[int]) -> QuerySet[Enrollment]:
    return Enrollment.objects.filter(flow_id=flow_id, status=Enrollment.Status.WAITING, version_id__in=versions)


def _batch(move: Intake, limit: int) -> int:
    """Do with the next people what was chosen. The number of statements does not depend on how many they are."""
    now = clock.now()
    choices = {(version, step): Choice(choice) for version, step, choice in move.data["choices"]}
    versions = {version for version, _step in choices}
    inside = _inside(move.flow_id, versions)
    ahead = inside.filter(contact_id__gt=move.cursor).order_by("contact_id").values_list("contact_id", flat=True)
    people = list(ahead.distinct()[:limit])
    if people:
        # the contacts first and in order, as everywhere: nobody else touches their runs meanwhile
        list(Contact.objects.filter(pk__in=people).order_by("pk").select_for_update().values_list("pk"))
        rows = inside.filter(contact_id__in=people).values_list(
            "pk", "contact_id", "version_id", "state", "wake_at", "entered_at"
        )
        results = _decide(list(rows), choices, move.data["to"], now)
        _write(results, now)
        move.cursor = people[-1]
        move.seen += len(people)
        move.entered += len(results.changed)
    if len(people) < limit:
        move.state, move.finished_at = Intake.State.DONE, now
    move.save(update_fields=["cursor", "seen", "entered", "state", "finished_at"])
    return len(people)


def _decide(rows: list[Any], choices: Choices, to: int, now: datetime) -> _Results:
    programs = Programs.load({to, *(version for _pk, _contact, version, *_rest in rows)})
    results = _Results()
    passages: dict[int, Passage] = {}
    for pk, contact_id, version_id, data, wake_at, entered_at in rows:
        old, new = programs.get(version_id), programs.get(to)
        if old is None or new is None:
            continue  # written by a newer software: they wait until somebody can read it
        try:
            state = State.from_json(data)
            choice = _choice(choices, version_id, old, state)
            if choice is Choice.MOVE:
                passage = passages.get(version_id) or passages.setdefault(version_id, Passage(old, new))
                results.enrollments.append(_moved(pk, to, state, wake_at, passage, turn(now, entered_at)))
        except Exception:  # one broken row must not keep everybody else in the old version
            logger.exception("Enrollment %s could not be moved and stays in its version.", pk)
            continue
        if choice is Choice.LEAVE:
            results.enrollments.append((pk, version_id, "exited", data, LEFT_WITH_VERSION, None, now))
            results.left.append(pk)
        if choice is not Choice.FINISH:
            results.changed.add(contact_id)
            results.due.add(contact_id)
    return results


def _choice(choices: Choices, version_id: int, program: Program, state: State) -> Choice:
    step = program.instructions[state.at].step if state.at < len(program.instructions) else ""
    return choices.get((version_id, step)) or choices.get((version_id, "")) or Choice.FINISH


def _moved(pk: int, to: int, state: State, wake_at: datetime | None, passage: Passage, at: datetime) -> tuple[Any, ...]:
    """Return the row of somebody who moves. ``at``: now, or their turn to begin if that is still to come."""
    moved = passage.transfer(state)
    if moved is None:
        return pk, to, "finished", state.to_json(), "", None, at
    wakes = wake_at if passage.waits_on(state, moved) else at
    return pk, to, "waiting", moved.to_json(), "", wakes, None


def _write(results: _Results, now: datetime) -> None:
    bulk.update(
        Enrollment,
        ("version_id", "status", "state", "exit_reason", "wake_at", "finished_at"),
        sorted(results.enrollments, key=lambda row: row[0]),
    )
    note_runs([row[0] for row in results.enrollments])
    cancel_queued_of(results.left, now)
    bulk.update(Contact, ("wake_at",), [(pk, now) for pk in sorted(results.due)], least=("wake_at",))


def cancel_queued_of(enrollments: Sequence[int], now: datetime) -> None:
    """Let nothing go out any more that these runs have asked for: neither texts nor e-mails, nor anything else."""
    if enrollments:
        texts = Message.objects.filter(enrollment_id__in=enrollments, state=Message.State.QUEUED)
        note_texts(texts)
        texts.update(state=Message.State.CANCELLED, reason=CANCELLED, finished_at=now)
        Effect.objects.filter(enrollment_id__in=enrollments, state=Effect.State.QUEUED).update(
            state=Effect.State.FAILED, result={"error": _("The person has left the flow.")}, finished_at=now
        )
        offers.give_up(enrollments)
