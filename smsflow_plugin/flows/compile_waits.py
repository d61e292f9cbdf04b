"""Compiles the steps that wait."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.assembly import LONGEST, UNITS, Step
from smsflow_plugin.flows.compile_variants import delays
from smsflow_plugin.flows.program import Exit, Jump, Wait, WaitBestTime, WaitForEvent, WaitUntilDate, WaitUntilTime

#: Why a run ends when the date that it waits for has passed.
PAST = "date_passed"


def wait(step: Step) -> bool:
    amount, unit = step.length(_("Wait at least one minute."))
    step.add(Wait(step.id, amount, unit, variants=delays(step, amount, unit)))
    return True


def wait_until_time(step: Step) -> bool:
    at = clock_time(step.value.get("time"))
    if not at:
        step.report(("time",), _("Give a time of day."))
    step.add(WaitUntilTime(step.id, at, weekdays_of(step.value.get("weekdays"))))
    return True


def wait_best_time(step: Step) -> bool:
    hours = step.number_of("within_hours") or 0
    if not 1 <= hours <= 24 * 7:
        step.report(("within_hours",), _("Give a number from 1 to 168."))
    step.add(WaitBestTime(step.id, hours))
    return True


def wait_until_date(step: Step) -> bool:
    if_past = step.value.get("if_past") or "go_on"
    path, amount, unit, at = (
        _date_path(step),
        _offset(step),
        step.text("unit") or "days",
        clock_time(step.value.get("time")),
    )
    if if_past == "skip_next":
        step.skips_next = step.assembly.label()
        step.add(WaitUntilDate(step.id, path, amount, unit, at, otherwise=step.skips_next))
    elif if_past == "leave":
        past, on = step.assembly.label(), step.assembly.label()
        step.add(WaitUntilDate(step.id, path, amount, unit, at, otherwise=past))
        step.add(Jump(step.id, on, "on"))
        step.assembly.place(past)
        step.add(Exit(step.id, PAST, "past"))
        step.assembly.place(on)
    else:
        step.add(WaitUntilDate(step.id, path, amount, unit, at))
    return True


def _offset(step: Step) -> int:
    """Return the amount of time after the date, negative before it."""
    direction, unit = step.value.get("direction"), step.text("unit") or "days"
    if direction == "on":
        return 0
    amount = step.number_of("amount") or 0
    if amount < 1:
        step.report(("amount",), _("Give a number of at least 1."))
    if unit not in UNITS:
        step.report(("unit",), _("Choose a unit."))
    elif amount > LONGEST[unit]:
        step.report(("amount",), _("Wait ten years at most."))
    return -amount if direction == "before" else amount


def _date_path(step: Step) -> str:
    """Return where the date stands, as ``audience.filters.lookup`` reads it."""
    source, custom = step.value.get("source"), step.text("custom")
    samples = [KINDS[kind].sample for kind in step.assembly.setting.triggers if kind in KINDS]
    if source == "appointment":
        if not any("appointment" in sample for sample in samples):
            step.report(("source",), _("What starts this flow is not about an appointment."))
        return "trigger.appointment.starts_at"
    if not custom:
        step.report(("custom",), _("Give the name of the date."))
    if source == "trigger":
        name = custom.removeprefix("trigger.")
        if custom and not any(_reaches(sample, name.split(".")) for sample in samples):
            step.report(("custom",), _("What starts this flow does not bring such a value."))
        return f"trigger.{name}"
    name = custom.removeprefix("contact.").removeprefix("fields.")
    return name if name in CONTACT_DATES else f"fields.{name}"


#: Dates of a person that are not fields of their own.
CONTACT_DATES = (
    "created_at",
    "first_order_at",
    "last_order_at",
    "last_texted_at",
    "consent_changed_at",
    "replenish_at",
)


def _reaches(sample: Any, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(sample, dict) or (sample and key not in sample):
            return False
        sample = sample.get(key)
    return True


def wait_for_event(step: Step) -> bool:
    value = step.value.get("events")
    kinds = tuple(sorted({str(kind) for kind in value})) if isinstance(value, list | tuple | set) else ()
    if not kinds:
        step.report(("events",), _("Choose at least one event."))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        step.report(("events",), _("There is no event “%(event)s”.") % {"event": unknown[0]})
    same_subject = bool(step.value.get("same_subject"))
    if same_subject:
        _check_subject(step, kinds)
    amount, unit = step.length(_("Give a time after which the flow goes on."))
    since = "wait" if step.value.get("since") == "wait" else "entry"
    happened, timed_out = step.branch("happened"), step.branch("timed_out")
    end = step.assembly.label()
    on_timeout = None if happened.empty and timed_out.empty else timed_out.label
    step.add(WaitForEvent(step.id, kinds, amount, unit, since, same_subject, on_timeout))
    return step.compile_ways([happened, timed_out], end, lambda part: Jump(step.id, end, part), through=True)


def _check_subject(step: Step, kinds: tuple[str, ...]) -> None:
    """See that the events can be about what the run is about: an order never has a cart's name."""
    about = {KINDS[kind].about for kind in step.assembly.setting.triggers if kind in KINDS}
    if any(kind in KINDS and KINDS[kind].about not in about - {""} for kind in kinds):
        step.report(("same_subject",), _("These events are about something else than what starts the flow."))


def weekdays_of(value: Any) -> tuple[int, ...]:
    days = value if isinstance(value, list | tuple) else ()
    return tuple(sorted({int(day) for day in days if str(day) in set("0123456")}))


def clock_time(value: Any) -> str:
    """Return a time of day as HH:MM, "" for what is none."""
    if isinstance(value, str):
        try:
            value = time.fromisoformat(value)
        except ValueError:
            return ""
    return value.strftime("%H:%M") if isinstance(value, time) else ""
