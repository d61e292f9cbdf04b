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
from smsflow_plugin.flows.pictures import UnfitPicture, picture_address
from smsflow_plugin.flows.program import VARIANTS
from smsflow_plugin.flows.step_blocks import LANGUAGE_CHOICES
from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, compose
from smsflow_plugin.messaging.short_links import example_shortener
from smsflow_plugin.messaging.shortening import Shortener, shortening

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
    #: The address of the picture that goes with the texts.
    picture: str = ""


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
        shortener = example_shortener(context["store"])
        moments = [Moment(step, _bubbles(flow, step, shortener), _picture(step)) for step in walk(steps)]
        return {**context, "moments": moments}
    return {
        **context,
        "audience": describe_condition(flow.audience) if flow.audience else "",
        "exits": [KINDS[kind].label for kind in flow.exits if kind in KINDS],
        # the boxes lead to their blocks in the form around the frame
        "edit_link": "",
    }


def _picture(step: OutlineStep) -> str:
    picture = step.value.get("picture") if step.kind == "send" else None
    if picture is None:
        return ""
    try:
        return picture_address(picture.pk)
    except UnfitPicture:
        return ""  # the form says so


def _bubbles(flow: Flow, step: OutlineStep, shortener: Shortener | None) -> tuple[Bubble, ...]:
    if step.kind != "send":
        return ()
    variants = list(step.value.get("variants") or ())
    names = VARIANTS if variants else ("",)
    found = []
    for name, value in zip(names, [step.value, *variants], strict=False):
        copies = [(flow.store.language if flow.store_id else "", value.get("text"), value.get("fallback"))]
        copies += [(t.get("language"), t.get("text"), t.get("fallback")) for t in value.get("translations") or ()]
        found += [
            _bubble(flow, language or "", text or "", fallback or "", name, shortener)
            for language, text, fallback in copies
            if text
        ]
    return tuple(found)


def _bubble(flow: Flow, language: str, text: str, fallback: str, variant: str, shortener: Shortener | None) -> Bubble:
    store = flow.store if flow.store_id else None
    known = {
        "name": store.name if store else "",
        "brand": store.brand if store else "",
        "url": store.website if store else "",
    }
    label = " · ".join(filter(None, [variant, str(_LANGUAGES.get(language, language))]))
    try:
        composed = compose(
            {"": text},
            {"": fallback},
            language,
            example_context(flow.trigger, known),
            brand=known["brand"],
            message_class=flow.message_class,
            add_opt_out=True,
            shorten=shortening(shortener),
        )
    except MissingValue as missing:
        return Bubble(label, problem=_("“%(name)s” is not known here.") % {"name": str(missing)})
    except CopyError as error:
        return Bubble(label, problem=str(error))
    return Bubble(label, composed)
