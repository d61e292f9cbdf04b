"""The words that templates are written in: one function for each block of the form, without ids."""

from __future__ import annotations

from typing import Any

from smsflow_plugin.flows.library.definitions import Label, Local, Part, Raw, Words

Steps = tuple[Part, ...]
#: A number, or "[[setting]]" for one that is asked when the template is enabled.
Amount = int | str


def _block(type_: str, /, **value: Any) -> Raw:
    return {"type": type_, "value": value}


def _item(**value: Any) -> Raw:
    return _block("item", **value)


# Triggers ----------------------------------------------------------------------------------------


def on(kind: str, *rules: Part) -> Raw:
    return _block("event", kind=kind, rules=rules)


def on_keyword(words: str) -> Raw:
    return _block("keyword", words=words)


def on_any_text() -> Raw:
    return _block("any_text")


def on_tag(tag: str, change: str = "added") -> Raw:
    return _block("tag", tag=tag, change=change)


def on_date(field: str, *, time: str = "10:00", direction: str = "on", amount: Amount = 0, yearly: bool = True) -> Raw:
    return _block(
        "date", field=field, custom="", direction=direction, amount=amount, unit="days", time=time, yearly=yearly
    )


def on_lapse(days: Amount) -> Raw:
    return _block("lapsed", days=days)


def on_replenishment(early_days: Amount, default_days: Amount) -> Raw:
    return _block("replenishment", early_days=early_days, default_days=default_days)


def on_schedule(at: str, repeat: str = "once") -> Raw:
    return _block("schedule", at=at, repeat=repeat)


def by_hand() -> Raw:
    return _block("manual")


# Rules -------------------------------------------------------------------------------------------


def compare(field: str, operator: str, value: str, custom: str = "") -> Raw:
    return _block("compare", field=field, custom=custom, operator=operator, value=value)


def has_tag(tag: str) -> Raw:
    return _block("tag", tag=tag)


def known(field: str, yes: bool = True, custom: str = "") -> Raw:
    return _block("known", field=field, custom=custom, known="yes" if yes else "no")


def happened(event: str, *, hours: int | None = None, yes: bool = True) -> Raw:
    """In the last ``hours``, or without them: since entry."""
    period = "hours" if hours else "entry"
    return _block("happened", happened="yes" if yes else "no", event=event, period=period, amount=hours, at_least=1)


def not_happened(event: str, *, hours: int | None = None) -> Raw:
    return happened(event, hours=hours, yes=False)


def in_segment(segment: str) -> Raw:
    return _block("segment", segment=segment, within="yes")


def any_of(*rules: Part) -> Raw:
    return {"type": "any_of", "value": rules}


def none_of(*rules: Part) -> Raw:
    return {"type": "none_of", "value": rules}


# Texts -------------------------------------------------------------------------------------------


def say(key: str, *, hold_hours: Amount | None = 48) -> Raw:
    """Send a text. ``hold_hours``: how long it may be put off."""
    return _block("send", copy=Words(key), hold_amount=hold_hours, hold_unit="hours")


def ask(
    key: str,
    *options: Raw,
    save_as: str = "",
    again: str = "",
    other: Steps = (),
    amount: Amount = 24,
    unit: str = "hours",
    silence: Steps = (),
) -> Raw:
    """Ask a question with a few answers."""
    return _block(
        "ask_choice",
        copy=Words(key),
        options=options,
        save_as=save_as,
        again=Words(again),
        other=other,
        amount=amount,
        unit=unit,
        silence=silence,
    )


def option(words: str, *steps: Part, value: str = "", tag: str = "", reply: str = "") -> Raw:
    return _item(words=words, value=value, tag=tag, reply=Words(reply), steps=steps)


def ask_number(
    key: str,
    *ranges: Raw,
    lowest: int,
    highest: int,
    save_as: str = "",
    score_as: str = "",
    again: str = "",
    other: Steps = (),
    amount: Amount = 3,
    unit: str = "days",
    silence: Steps = (),
) -> Raw:
    """Ask for a whole number."""
    return _block(
        "ask_number",
        copy=Words(key),
        lowest=lowest,
        highest=highest,
        ranges=ranges,
        save_as=save_as,
        score_as=score_as,
        again=Words(again),
        other=other,
        amount=amount,
        unit=unit,
        silence=silence,
    )


def span(low: int, high: int, *steps: Part, value: str = "", tag: str = "", reply: str = "") -> Raw:
    return _item(low=low, high=high, value=value, tag=tag, reply=Words(reply), steps=steps)


def ask_text(
    key: str,
    *steps: Part,
    save_as: str,
    reply: str = "",
    amount: Amount = 2,
    unit: str = "days",
    silence: Steps = (),
) -> Raw:
    """Ask for an answer in the person's own words; ``steps`` follow the answer."""
    return _block(
        "ask_text",
        copy=Words(key),
        save_as=save_as,
        reply=Words(reply),
        steps=steps,
        amount=amount,
        unit=unit,
        silence=silence,
    )


# Waits -------------------------------------------------------------------------------------------


def wait(amount: Amount, unit: str) -> Raw:
    return _block("wait", amount=amount, unit=unit)


def wait_before(source: str, amount: Amount, unit: str, *, if_past: str) -> Raw:
    return _block(
        "wait_until_date",
        source=source,
        custom="",
        direction="before",
        amount=amount,
        unit=unit,
        time=None,
        if_past=if_past,
    )


def wait_after_plan(amount: Amount, unit: str, *, if_past: str) -> Raw:
    """Wait until so long after the planned time: not after this person's turn came, which may be later."""
    return _block(
        "wait_until_date",
        source="trigger",
        custom="at",
        direction="after",
        amount=amount,
        unit=unit,
        time=None,
        if_past=if_past,
    )


def wait_for(
    *events: str,
    amount: Amount,
    unit: str,
    since: str = "entry",
    same_subject: bool = False,
    then: Steps = (),
    timed_out: Steps = (),
) -> Raw:
    return _block(
        "wait_for_event",
        events=list(events),
        amount=amount,
        unit=unit,
        since=since,
        same_subject=same_subject,
        happened=then,
        timed_out=timed_out,
    )


def wait_for_reply(amount: Amount, unit: str, *, replied: Steps = (), silence: Steps = ()) -> Raw:
    return _block("wait_for_reply", amount=amount, unit=unit, replied=replied, silence=silence)


# Ways --------------------------------------------------------------------------------------------


def if_else(rules: Steps, yes: Steps, no: Steps = ()) -> Raw:
    return _block("if_else", condition=rules, yes=yes, no=no)


def switch(*ways: Raw, otherwise: Steps = ()) -> Raw:
    return _block("switch", ways=ways, otherwise=otherwise)


def way(label: Label, rules: Steps, *steps: Part) -> Raw:
    return _item(label=label, condition=rules, steps=steps)


# Doings ------------------------------------------------------------------------------------------


def tag(name: str, action: str = "add") -> Raw:
    return _block("tag", action=action, tag=name)


def discount(name: str, prefix: str, *, valid_days: Amount = 14) -> Raw:
    """A code of ``[[percent]]`` percent for this person alone. When there is none to be had, copy falls back."""
    return _block(
        "discount",
        name=name,
        kind="percent",
        amount="[[percent]]",
        minimum=None,
        valid_days=valid_days,
        prefix=prefix,
        failed=(),
    )


def notify(subject: str, body: str) -> Raw:
    """Write to whom the setting "staff" names, or else to the owner of the flow."""
    return _block("notify", to="[[staff]]", subject=Local(subject), body=Local(body))


def hand_over(note: Label) -> Raw:
    return _block("hand_over", note=note)


def goal(name: Label, *, leave: bool = False) -> Raw:
    return _block("goal", name=name, leave=leave)


def agree() -> Raw:
    return _block("agree")


def leave(reason: Label) -> Raw:
    return _block("exit", reason=reason)
