"""What the preview panel shows of a flow: a diagram, or the texts on a phone. Works for half-filled drafts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.context import example_context
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.outline import OutlineStep, describe_condition, outline, walk
from smsflow_plugin.flows.step_blocks import LANGUAGE_CHOICES
from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, compose

_LANGUAGES = dict(LANGUAGE_CHOICES)
_MODES = {"diagram": gettext_lazy("Diagram"), "phone": gettext_lazy("Phone")}


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text as a person would get it. ``problem`` says why there is none."""

    language: str
    composed: Composed | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the phone: what happens, and the texts if it is one to send."""

    step: OutlineStep
    bubbles: tuple[Bubble, ...] = ()


def preview_context(flow: Flow, mode: str) -> dict[str, Any]:
    """Return the template's context for one mode of the preview."""
    steps = outline(flow.steps)
    context: dict[str, Any] = {
        "flow": flow,
        "language": get_language(),
        "mode": _MODES[mode],
        "store": flow.store if flow.store_id else None,
        "trigger": KINDS[flow.trigger].label if flow.trigger in KINDS else "…",
        "steps": steps,
    }
    if mode == "phone":
        return {**context, "moments": [Moment(step, _bubbles(flow, step)) for step in walk(steps)]}
    return {
        **context,
        "audience": describe_condition(flow.audience) if flow.audience else "",
        "exits": [KINDS[kind].label for kind in flow.exits if kind in KINDS],
        # the boxes lead to their blocks in the form around the frame
        "edit_link": "",
    }


def _bubbles(flow: Flow, step: OutlineStep) -> tuple[Bubble, ...]:
    if step.kind != "send":
        return ()
    value = step.value
    main = flow.store.language if flow.store_id else ""
    copies = [(main, value.get("text"), value.get("fallback"))]
    copies += [(t.get("language"), t.get("text"), t.get("fallback")) for t in value.get("translations") or ()]
    return tuple(
        _bubble(flow, language or "", text or "", fallback or "") for language, text, fallback in copies if text
    )


def _bubble(flow: Flow, language: str, text: str, fallback: str) -> Bubble:
    store = flow.store if flow.store_id else None
    known = {
        "name": store.name if store else "",
        "brand": store.brand if store else "",
        "url": store.website if store else "",
    }
    label = str(_LANGUAGES.get(language, language))
    try:
        composed = compose(
            {"": text},
            {"": fallback},
            language,
            example_context(flow.trigger, known),
            brand=known["brand"],
            message_class=flow.message_class,
            add_opt_out=True,
        )
    except MissingValue as missing:
        return Bubble(label, problem=_("“%(name)s” is not known here.") % {"name": str(missing)})
    except CopyError as error:
        return Bubble(label, problem=str(error))
    return Bubble(label, composed)
