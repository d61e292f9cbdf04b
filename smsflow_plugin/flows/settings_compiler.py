"""What must fit together among the settings of a flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.problems import Path, Problem
from smsflow_plugin.flows.program import Trigger
from smsflow_plugin.flows.trigger_compiler import abouts

if TYPE_CHECKING:
    from smsflow_plugin.flows.compiler import FlowForm

#: What the person's own business is about: news of it are service.
_SERVICE_ABOUT = frozenset({"order", "appointment", "case"})
_TEXT = "message_received"
#: The kinds of event after which a service text can be about the person's own business.
SERVICE_TRIGGERS = frozenset(
    {kind.name for kind in KINDS.values() if kind.trigger and kind.about in _SERVICE_ABOUT} | {_TEXT}
)
#: Those after which the person may be asked to confirm that they want texts.
OPT_IN_TRIGGERS = frozenset({"opt_in_requested", _TEXT})
_BY_HAND = "entered_by_hand"
#: Percent of the people that may be held out.
MOST_HELD = 50


def settings_problems(flow: FlowForm, triggers: Sequence[Trigger]) -> list[Problem]:
    """Return what is wrong with the settings of a flow whose triggers are in order."""
    found = [
        *_exit_problems(flow, triggers),
        *_entry_problems(flow, triggers),
        *_limit_problems(flow),
        *_class_problems(flow, {trigger.kind for trigger in triggers}),
    ]
    return [Problem("", path, message) for path, message in found]


def own_exits(flow: FlowForm, triggers: Sequence[Trigger]) -> tuple[str, ...]:
    """Return the exits that count only for the run's own order, cart or appointment.

    With triggers about several things nobody knows whose name to compare, so that every exit counts.
    """
    about = abouts(triggers)
    if flow.reentry != "subject" or len(about) != 1 or about == {""}:
        return ()
    return tuple(kind for kind in sorted(set(flow.exits)) if kind in KINDS and KINDS[kind].about in about)


def _exit_problems(flow: FlowForm, triggers: Sequence[Trigger]) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    if any(trigger.kind in flow.exits for trigger in triggers):
        found.append((("exits",), _("What starts the flow cannot end it as well.")))
    if unknown := [name for name in flow.exits if name not in KINDS]:
        found.append((("exits",), _("There is no event “%(event)s”.") % {"event": unknown[0]}))
    if flow.goal and flow.goal not in KINDS:
        found.append((("goal",), _("There is no event “%(event)s”.") % {"event": flow.goal}))
    return found


def _entry_problems(flow: FlowForm, triggers: Sequence[Trigger]) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    # people let in by hand have no cart, whatever else starts the flow
    about = abouts([trigger for trigger in triggers if trigger.kind != _BY_HAND])
    nothing = _("What starts this flow is not about a cart or an order.")
    if flow.reentry == "subject" and (not about or "" in about):
        found.append((("reentry",), nothing))
    if flow.restart and (not about or "" in about):
        found.append((("restart",), nothing))
    if flow.reentry == "after" and not flow.reentry_days:
        found.append((("reentry_days",), _("Give a number of at least 1.")))
    if flow.entry_limit is not None and flow.entry_limit < 1:
        found.append((("entry_limit",), _("Give a number of at least 1.")))
    if flow.entry_limit and flow.entry_unit not in ("minute", "hour", "day"):
        found.append((("entry_unit",), _("Choose a unit.")))
    if flow.max_people is not None and flow.max_people < 1:
        found.append((("max_people",), _("Give a number of at least 1.")))
    return found


def _limit_problems(flow: FlowForm) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for name in ("cap_day", "cap_week"):
        limit = getattr(flow, name)
        if limit is not None and limit < 1:
            found.append(((name,), _("Give a number of at least 1.")))
    if not 0 <= (flow.holdout or 0) <= MOST_HELD:
        found.append((("holdout",), _("Give a number from 0 to %(most)d.") % {"most": MOST_HELD}))
    if flow.cap_day and flow.cap_week and flow.cap_day > flow.cap_week:
        found.append((("cap_week",), _("This is less than what is allowed in 24 hours.")))
    return found


def _class_problems(flow: FlowForm, kinds: set[str]) -> list[tuple[Path, str]]:
    if flow.message_class == "service" and not kinds <= SERVICE_TRIGGERS:
        message = _("Only news about the person's own order can do without an opt-in to marketing.")
        return [(("message_class",), message)]
    if flow.message_class == "optin" and not kinds <= OPT_IN_TRIGGERS:
        message = _("Only people who have just asked for texts can be asked to confirm it.")
        return [(("message_class",), message)]
    return []
