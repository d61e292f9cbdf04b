"""Which part of the day a text waits for. Pure. What is known of a store stands in its plan, ``Store.send_times``.

The plan is plain JSON, learned once a night by ``measurement.learning_times``: ``parts`` are [from, to] in hours of the
recipient's clock, ``running`` the places of those that may be the best, and ``explore`` percent of the people get any
part at all, so that it is noticed when another one gets better. Chance is the same each time for a person and a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from smsflow_plugin.engine.chance import way
from smsflow_plugin.engine.waiting import next_wall_time


def choose(
    plan: Mapping[str, Any], key: str, step: str, start: datetime, latest: datetime, zone: str
) -> datetime | None:
    """Return when the text of the person ``key`` goes, between ``start`` and ``latest``.

    None if the plan says nothing: while too little is known, for all but those who try a part out, and where no part
    of the day comes in time.
    """
    moments = [_moment(part, key, step, start, latest, zone) for part in plan.get("parts") or ()]
    in_time = [place for place, moment in enumerate(moments) if moment is not None]
    explores = way(key, f"explore:{step}", (100 - (explore := plan.get("explore") or 0), explore)) == 1
    running = plan.get("running") or ()
    if not in_time or not (explores or running):
        return None
    # where the best come too late, any other is as good
    wanted = in_time if explores else [place for place in in_time if place in running] or in_time
    return moments[wanted[way(key, f"part:{step}", [1] * len(wanted))]]


def _moment(part: Any, key: str, step: str, start: datetime, latest: datetime, zone: str) -> datetime | None:
    """Return when a person's text would go in this part; None if that begins too late.

    People are spread over the hours of a part, so that they do not all get their texts at once.
    """
    opens, closes = part
    if opens <= start.astimezone(ZoneInfo(zone)).hour < closes:
        return start
    if next_wall_time(start, time(opens), (), zone) > latest:
        return None
    hour = opens + way(key, f"hour:{step}", [1] * (closes - opens))
    return min(latest, next_wall_time(start, time(hour), (), zone))
