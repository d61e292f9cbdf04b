"""What an editor would say about all texts of a flow, for the page on which it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.admin_panels.flows.copy_situation import of_flow, raw
from smsflow_plugin.admin_panels.flows.copy_values import typical_context
from smsflow_plugin.admin_panels.flows.copy_views import expand
from smsflow_plugin.admin_panels.flows.words_labels import step_heading, words_label
from smsflow_plugin.flows.compiler import CannotCompile, compile_flow
from smsflow_plugin.flows.outline import outline, walk
from smsflow_plugin.flows.program import Discount, Program
from smsflow_plugin.flows.texts import words_of
from smsflow_plugin.flows.trying import meeting, mixes_units, promised
from smsflow_plugin.messaging.copy import CopyError, MissingValue, compose
from smsflow_plugin.messaging.lint import Hint, lint
from smsflow_plugin.messaging.parts import Parts
from smsflow_plugin.messaging.short_links import example_shortener
from smsflow_plugin.messaging.shortening import shortening
from smsflow_plugin.models import Flow


@dataclass(frozen=True, slots=True)
class TextHint:
    """A hint and the text it is about: ``step`` is the block's id, ``where`` names the place for people."""

    step: str
    where: str
    hint: Hint


def flow_hints(flow: Flow) -> list[TextHint]:
    """Return the hints about every text of ``flow`` as it stands. They never keep it from being published."""
    situation = of_flow(flow)
    context = typical_context(situation.store, situation.kinds, situation.gathered)
    shorten = shortening(example_shortener(flow.store))
    found = []
    for words in words_of(raw(flow.steps)):
        if words.is_mail or not words.text.strip():
            continue
        language = words.language or flow.store.language
        text, _missing = expand(words.text, situation.store, language)
        hints = lint(
            words.text,
            language,
            marketing=situation.marketing and words.required,
            parts=_parts(flow, text, language, context, shorten),
        )
        where = f"{step_heading(words)} · {words_label(words)}"
        found += [TextHint(words.step, where, hint) for hint in hints]
    return found + _experiment_hints(flow)


def _experiment_hints(flow: Flow) -> list[TextHint]:
    """Say where one person may come to two experiments, and where a text promises one offer of several."""
    try:
        program = compile_flow(flow)
    except CannotCompile:
        return []
    message = _(
        "One person may come to two steps that try something. Change one thing at a time: what one of them does "
        "shows in the figures of the other."
    )
    hint = Hint("experiments", message)
    headings = {
        step.id: _("Step %(number)s, %(kind)s") % {"number": step.number, "kind": step.label}
        for step in walk(outline(flow.steps))
    }
    seconds = dict.fromkeys(second for _first, second in meeting(program))
    return [TextHint(step, headings.get(step, ""), hint) for step in seconds] + _offer_hints(flow, program)


def _offer_hints(flow: Flow, program: Program) -> list[TextHint]:
    """Say which texts promise one offer of a discount that tries several: some people get another code."""
    return [
        TextHint(words.step, f"{step_heading(words)} · {words_label(words)}", Hint("offers", said))
        for discount in program.instructions
        if isinstance(discount, Discount) and discount.variants
        for words in words_of(raw(flow.steps))
        if (said := _wrong_promise(words.text, discount))
    ]


def _wrong_promise(text: str, discount: Discount) -> str:
    """Return what is wrong with what ``text`` says of a discount, "" if nothing is."""
    values = {"kind": f"offer_kinds.{discount.name}", "offer": f"{{{{ offers.{discount.name} }}}}"}
    if amount := promised(text, discount):
        if len({kind for kind, _amount in discount.offers}) > 1:
            sentence = _("Not everybody is offered “%(amount)s”. Let the text ask for “%(kind)s”.")
        else:
            sentence = _("People are offered different amounts. Write “%(instead)s” here, and not “%(amount)s”.")
        instead = f"{values['offer']} %" if discount.kind == "percent" else values["offer"]
        return sentence % {**values, "amount": amount, "instead": instead}
    if mixes_units(text, discount):
        sentence = _(
            "Some are offered percent and others money. Let the text ask for “%(kind)s”, and then say “%(offer)s”."
        )
        return sentence % values
    return ""


def _parts(flow: Flow, text: str, language: str, context: dict[str, object], shorten: Any) -> Parts | None:
    try:
        return compose(
            {"": text},
            {},
            language,
            context,
            brand=flow.store.brand,
            message_class=flow.message_class,
            add_opt_out=True,
            main_language=language,
            shorten=shorten,
        ).parts
    except (CopyError, MissingValue):
        return None
