"""Tells what chance gave somebody at the steps that try something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.flows.arm_words import arm_words
from smsflow_plugin.flows.models import FlowVersion
from smsflow_plugin.flows.program import Discount, Instruction, Program, Send, Split, Wait
from smsflow_plugin.flows.trying import is_experiment
from smsflow_plugin.measurement.entry import Entry, Kind, links_of

Row = Mapping[str, Any]


def write_tried(rows: Iterable[Row], zone: str) -> list[Entry]:
    """Return an entry for each step. One more query for the programs, none where nothing was tried."""
    rows = list(rows)
    programs = _programs({row["version"] for row in rows if row["version"]})
    return [
        Entry(
            row["at"],
            Kind.TRIED,
            row["pk"],
            title=_("Chance in “%(flow)s”") % {"flow": row["flow_name"] or "–"},
            detail=_sentence(_instruction(programs.get(row["version"]), row["step"]), row["arm"]),
            links=links_of(flow=row["flow_id"] if row["flow_name"] else None),
        )
        for row in rows
    ]


def _programs(versions: set[int]) -> dict[int, Program]:
    found = {}
    if versions:
        for pk, data in FlowVersion.objects.filter(pk__in=versions).values_list("pk", "program"):
            try:
                found[pk] = Program.from_json(data)
            except (ValueError, TypeError, KeyError):
                continue  # of a newer SMSFlow
    return found


def _instruction(program: Program | None, step: str) -> Instruction | None:
    """Return what tries something at this step. A run that was moved since may have none there any more."""
    own = program.instructions if program else ()
    return next((each for each in own if each.step == step and is_experiment(each)), None)


def _sentence(tried: Instruction | None, arm: str) -> str:
    words = {"arm": arm, "what": arm_words(tried).get(arm, "") if tried else ""}
    match tried:
        case Wait() if words["what"]:
            return _("Waits %(what)s (%(arm)s).") % words
        case Discount() if words["what"]:
            return _("Is offered %(what)s (%(arm)s).") % words
        case Send():
            return _("Gets the text in the variant %(arm)s.") % words
        case Split():
            return _("Goes the way %(arm)s.") % words
    return _("Gets the variant %(arm)s.") % words
