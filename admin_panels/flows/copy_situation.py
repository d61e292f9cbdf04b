"""What a text in the making stands in: the store, what starts the flow, what its steps gather."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.models import Flow, Store

#: What a trigger of the form means for the names: the event on which the run starts.
_KINDS = {
    "custom": "custom",
    "keyword": "message_received",
    "any_text": "message_received",
    "field": "field_changed",
    "segment": "segment_entered",
    "date": "date_due",
    "lapsed": "lapsed",
    "replenishment": "replenishment_due",
    "schedule": "scheduled",
    "manual": "entered_by_hand",
}
_GATHERED = {
    "ask_choice": ("answers", "save_as", "score_as"),
    "ask_yes_no": ("answers", "save_as", "score_as"),
    "ask_number": ("answers", "save_as", "score_as"),
    "ask_text": ("answers", "save_as"),
    "discount": ("codes", "name"),
    "webhook": ("webhooks", "save_as"),
}
#: What answers a text by itself: with the brand, and without the words for opting out.
ANSWER = "answer"
#: More than any form holds.
MAX_TRIGGERS, MAX_GATHERED = 20, 100


@dataclass(frozen=True, slots=True)
class Situation:
    """``kinds`` are event kinds; ``gathered`` names by "answers", "codes", "offers", "offer_kinds" and
    "webhooks".

    ``answer``: it answers a text by itself, outside of any flow.
    """

    store: Store | None
    kinds: tuple[str, ...] = ()
    gathered: Mapping[str, list[str]] = field(default_factory=dict)
    marketing: bool = True
    answer: bool = False


def of_flow(flow: Flow) -> Situation:
    """Return the situation of a flow as it stands in its draft."""
    kinds = [_kind(item["type"], item.get("value") or {}) for item in raw(flow.triggers)]
    gathered = [(item["type"], name) for item in _every_step(raw(flow.steps)) for name in _values(item)]
    return Situation(
        flow.store if flow.store_id else None,
        _known(kinds),
        _by_kind(gathered),
        flow.message_class == Flow.MessageClass.MARKETING,
    )


def of_form(store: Store | None, triggers: Iterable[str], gathered: Iterable[str], message_class: str) -> Situation:
    """Return the situation of a form in the browser, which says "event:cart_updated" and "ask_text:size"."""
    kinds = []
    for trigger in list(triggers)[:MAX_TRIGGERS]:
        name, _colon, detail = trigger.partition(":")
        kinds.append(_kind(name, {"kind": detail, "change": detail}))
    names = [(name, detail) for name, _colon, detail in (text.partition(":") for text in gathered)]
    return Situation(
        store,
        _known(kinds),
        _by_kind(names[:MAX_GATHERED]),
        message_class not in (Flow.MessageClass.SERVICE.value, ANSWER),
        answer=message_class == ANSWER,
    )


def raw(stream: Any) -> list[Any]:
    """Return a StreamField's value as the database keeps it."""
    return list(stream.get_prep_value()) if stream else []


def _kind(name: str, value: Mapping[str, Any]) -> str:
    if name == "event":
        return str(value.get("kind") or "")
    if name == "tag":
        return f"tag_{value.get('change') or 'added'}"
    return _KINDS.get(name, "")


def _known(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kind for kind in kinds if kind in KINDS))


def _values(item: Mapping[str, Any]) -> list[str]:
    _kind, *names = _GATHERED[item["type"]]
    return [str(item["value"].get(name) or "") for name in names]


def _by_kind(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step, name in names:
        name = name.strip()[:60]
        for kind in _kinds_of(step) if name else ():
            if name not in found.setdefault(kind, []):
                found[kind].append(name)
    return found


def _kinds_of(step: str) -> tuple[str, ...]:
    """Return as what a step's name is known: that of a discount as the code, and as what it takes off and how."""
    if step not in _GATHERED:
        return ()
    kind = _GATHERED[step][0]
    return (kind, "offers", "offer_kinds") if kind == "codes" else (kind,)


def _every_step(value: Any) -> Iterable[dict[str, Any]]:
    """Yield every step that gathers something, however deep it stands."""
    if isinstance(value, list):
        for item in value:
            yield from _every_step(item)
    elif isinstance(value, dict):
        if value.get("type") in _GATHERED and isinstance(value.get("value"), dict):
            yield value  # type: ignore[misc]
        for inner in value.values():
            yield from _every_step(inner)
