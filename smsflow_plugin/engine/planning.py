"""Until when an instruction waits for this person. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from smsflow_plugin.audience.filters import Facts, lookup
from smsflow_plugin.engine.send_times import choose
from smsflow_plugin.engine.waiting import after, from_date, next_wall_time
from smsflow_plugin.flows.program import Wait, WaitBestTime, WaitUntilDate, WaitUntilTime


def planned(instruction: Wait | WaitUntilTime | WaitBestTime, start: datetime, facts: Facts, zone: str) -> datetime:
    """Return when a wait ends that was come to at ``start``.

    :raises BadProgram: if it never would.
    """
    match instruction:
        case Wait():
            return after(start, instruction.amount, instruction.unit, zone)
        case WaitUntilTime():
            return next_wall_time(start, time.fromisoformat(instruction.time), instruction.weekdays, zone)
    latest = start + timedelta(hours=instruction.within_hours)
    chosen = choose(facts.send_times, facts.key, instruction.step, start, latest, zone)
    if chosen is not None:
        return chosen
    if facts.best_hour is None:
        return start
    return min(latest, next_wall_time(start, time(facts.best_hour), (), zone))


def is_over(wait: WaitUntilDate, facts: Facts, now: datetime, zone: str) -> bool:
    """Return whether what was to be told of beforehand has come meanwhile: nobody looked for too long."""
    date = from_date(lookup(wait.path, facts), 0, wait.unit, "", zone)
    return wait.amount < 0 and date is not None and date <= now
