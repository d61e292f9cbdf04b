"""What becomes of a conclusive test of a flow: it is told, and where the flow says so its winner is kept.

Keeping goes the way that a person's publishing goes, with everything that may stand against it, and more: what a person
would see on the page, nobody sees here. Each step is one transaction that locks the flow, so a killed worker leaves
nothing half done, and two of them do it once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import transaction
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import override
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.models import Intake
from smsflow_plugin.engine.moving import Choice, MovePeople, move_at_once, unfinished
from smsflow_plugin.engine.notices import queue_notices
from smsflow_plugin.engine.trip_letters import store_admins
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.owners import owner_addresses
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.measurement.applying import ApplyWinner, CannotApply
from smsflow_plugin.measurement.experiments import Design, Kind, Result, designs_of, experiments
from smsflow_plugin.measurement.judging import Judgement, State
from smsflow_plugin.measurement.models import ExperimentStanding
from smsflow_plugin.measurement.standings import count_due, standing
from smsflow_plugin.measurement.verdicts import arm_name
from smsflow_plugin.nudge import nudge
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

Outcome = ExperimentStanding.Outcome

#: What the rule did, in the log of the flow.
KEEP_WINNER = "smsflow.keep_winner"
#: The rule acts once on an experiment: whoever publishes it again, or throws the draft away, wants it so.
DONE = (Outcome.KEPT, Outcome.DRAFTED)
#: What the rule keeps. A delay moves what stands behind it, and an offer that sells more may cost more than it brings.
BY_RULE = (Kind.COPY,)


@dataclass(frozen=True, slots=True)
class Decided:
    """``reason`` is a sentence, where the outcome alone does not say it. ``move``: people who follow."""

    outcome: Outcome
    reason: str = ""
    move: Intake | None = None


def judge_experiments() -> int:
    """Count the experiments that are due, and see to the conclusive ones; return how many were counted.

    What is wrong with one store or flow is logged, and stops none of the others.
    """
    counted = 0
    # stores that stand still as well: what their experiments came to must be known before the purge
    for store in Store.objects.order_by("pk"):
        try:
            for _found, _row in count_due(store):
                counted += 1
            if store.status != Store.Status.ACTIVE:
                continue
            # those that were counted before as well: what stood against keeping may be gone
            for experiment in experiments(store):
                if experiment.standing and experiment.running and (found := standing(experiment)):
                    _see_to(store, found)
        except Exception:
            logger.exception("The experiments of store %s could not be looked at; the next look tries again.", store.pk)
    return counted


def _see_to(store: Store, found: Result) -> None:
    try:
        see_to(store, found)
    except Exception:
        logger.exception("What becomes of the experiment %s could not be decided.", found.experiment.name)


def see_to(store: Store, found: Result) -> ExperimentStanding.Outcome | None:
    """Tell of a test that is conclusive, and keep its winner if the flow's rule says so; return what became of it.

    None where nothing did. Holdouts are no tests that end: they are read on their page.
    """
    experiment, row = found.experiment, found.experiment.standing
    if row is None or experiment.is_holdout or not experiment.running or row.outcome in DONE:
        return None
    if found.judgement.state is not State.CONCLUSIVE:
        if row.outcome:  # it was conclusive by figures that have been put right since
            ExperimentStanding.objects.filter(pk=row.pk).exclude(outcome__in=DONE).update(outcome="", reason="", arm="")
        return None
    with transaction.atomic(), override(store.language):
        flow = (
            Flow.objects.select_for_update(no_key=True, of=("self",))
            .select_related("current_version")
            .get(pk=experiment.flow_id)
        )
        row.refresh_from_db()
        if row.outcome in DONE or not is_tried(flow, experiment.name):
            return None  # somebody was quicker
        decided = _decide(flow, found)
        if (row.outcome, row.reason, row.arm) != (decided.outcome, decided.reason, found.judgement.winner):
            row.outcome, row.reason, row.arm = decided.outcome, decided.reason, found.judgement.winner
            row.decided_at = clock.now()
            row.save(update_fields=["outcome", "reason", "arm", "decided_at"])
            queue_notices([_letter(store, flow, found, row)])
    if decided.move:
        move_at_once(decided.move)
    return decided.outcome


def is_tried(flow: Flow, experiment: str) -> bool:
    """Return whether what runs now tries exactly this."""
    return design_of(flow, experiment) is not None


def design_of(flow: Flow, experiment: str) -> Design | None:
    """Return how this is tried by what runs now, None if it is not."""
    if not flow.live or flow.current_version is None:
        return None
    try:
        program = flow.current_version.compiled
    except (ValueError, TypeError, KeyError):
        return None  # of a newer SMSFlow
    return next((design for name, design in designs_of(flow.pk, program) if name == experiment), None)


def harms(judgement: Judgement) -> bool:
    """Return whether more people opt out with the winner."""
    return judgement.winner in {each.arm.name for each in judgement.harmful}


def _decide(flow: Flow, found: Result) -> Decided:
    """Say what becomes of it, and do it if it is to be kept. The flow is locked."""
    if flow.when_conclusive != Flow.Conclusive.KEEP:
        return Decided(Outcome.TOLD)
    if harms(found.judgement):
        return Decided(Outcome.HARMS)
    if found.experiment.kind not in BY_RULE:
        return Decided(Outcome.BY_HAND)
    if flow.paused_at or flow.closed_at:
        return Decided(Outcome.STANDS_STILL)
    if flow.locked:
        return Decided(Outcome.LOCKED)
    if unfinished(flow).exists():  # publishing anew would put an end to what somebody chose for them
        return Decided(Outcome.MOVING)
    if flow.has_unpublished_changes or flow.scheduled_revision or flow.workflow_in_progress:
        return Decided(Outcome.CHANGED)
    try:
        # snippets, segments and the like are taken in by publishing: what has changed in them would go live with it
        draft = compile_flow(flow.get_latest_revision_as_object())
        if draft.content_hash != flow.current_version.content_hash:
            return Decided(Outcome.CHANGED)
        return _keep(flow, found)
    except (CannotApply, CannotCompile) as refusal:
        return Decided(Outcome.PROBLEM, _sentence(refusal))


def _sentence(refusal: CannotApply | CannotCompile) -> str:
    if isinstance(refusal, CannotCompile):
        return " ".join(str(problem) for problem in refusal.problems)
    return str(refusal)


@transaction.atomic
def _keep(flow: Flow, found: Result) -> Decided:
    """Save a draft that has only the winner, and publish it unless somebody must approve it first.

    Whoever is in the version that ran goes on in the new one, which is what publishing proposes; who was left in an
    older one stays there. Where it cannot be published there is no draft either.

    :raises CannotApply: if the draft does not try this.
    :raises CannotCompile: if it is no program.
    """
    name, arm, tried = found.experiment.name, found.judgement.winner, flow.current_version_id
    assert tried is not None
    draft = ApplyWinner(flow, experiment=name, arm=arm).execute(skip_permission_checks=True)
    compile_flow(draft)
    log(
        instance=flow,
        action=KEEP_WINNER,
        timestamp=clock.now(),
        data={"experiment": name, "arm": arm, "published": not flow.has_workflow},
    )
    if flow.has_workflow:
        return Decided(Outcome.DRAFTED)
    flow.refresh_from_db()
    flow.latest_revision.publish(user=None)
    flow.refresh_from_db()
    move = MovePeople(flow, choices={(tried, ""): Choice.MOVE}).plan(skip_permission_checks=True)
    nudge("move_people")
    nudge("advance")
    return Decided(Outcome.KEPT, move=move)


def outcome_words(outcome: str, arm: str, reason: str = "") -> str:
    """Return what became of a conclusive test, as a sentence; "" where there is nothing to say but that it is."""
    names = {"arm": arm_name(arm), "reason": reason}
    match outcome:
        case Outcome.KEPT:
            return _("The flow's rule has kept only %(arm)s and published it.") % names
        case Outcome.DRAFTED:
            return _("The flow's rule has kept only %(arm)s in a draft. Somebody must approve it.") % names
        case Outcome.HARMS:
            return _("More people opt out with %(arm)s, so the flow's rule leaves it to you.") % names
        case Outcome.BY_HAND:
            return _("The flow's rule keeps wordings only: take this over by hand.")
        case Outcome.STANDS_STILL:
            return _("The flow is paused or closed, so its rule waits.")
        case Outcome.LOCKED:
            return _("The flow is locked, so its rule waits.")
        case Outcome.MOVING:
            return _("People are still being moved to another version, so the flow's rule waits.")
        case Outcome.CHANGED:
            return _("Something else would be published with it, so the flow's rule waits: look at the flow's draft.")
        case Outcome.PROBLEM:
            return _("The flow's rule cannot publish %(arm)s. %(reason)s") % names
    return ""


def _letter(store: Store, flow: Flow, found: Result, row: ExperimentStanding) -> tuple[int, str, list[str], str, str]:
    """Return an e-mail to the flow's owner, else to the store's admins. Of one outcome one is written, once."""
    to = list(owner_addresses([flow.pk]).values()) or store_admins([store.pk]).get(store.pk, [])
    subject = _("“%(flow)s”: a test is conclusive") % {"flow": flow}
    lines = [found.verdict, *found.warnings, outcome_words(row.outcome, row.arm, row.reason)]
    if address := _address(store, found.experiment.name):
        lines.append(_("Look at it here: %(address)s") % {"address": address})
    key = f"experiment:{row.pk}:{row.outcome}:{row.arm}"
    return store.pk, key, to, subject[:200], "\n\n".join(line for line in lines if line) + "\n"


def _address(store: Store, experiment: str) -> str:
    try:
        page = reverse("smsflow_experiments:index")
    except NoReverseMatch:  # a site without the screens has none
        return ""
    query = urlencode({"store": store.pk, "experiment": experiment})
    return f"{smsflow_settings.PUBLIC_URL.rstrip('/')}{page}?{query}"
