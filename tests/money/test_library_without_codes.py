"""Every template that gives a discount has words for those who get none, in every language."""

from __future__ import annotations

from functools import cache

import pytest

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.context import copy_context
from smsflow_plugin.flows.library import TEMPLATES
from smsflow_plugin.flows.program import Discount, Program, Send
from smsflow_plugin.messaging.copy import compose
from tests.library.driver import PLACES, a_flow

LANGUAGES = sorted({language for language, _zone, _currency in PLACES.values()})
WITH_CODES = sorted(key for key, template in TEMPLATES.items() if "discounts" in template.needs)


@cache
def compiled(key: str, country: str) -> Program:
    template = TEMPLATES[key]
    percent = {"percent": 10} if any(setting.name == "percent" for setting in template.settings) else {}
    return compile_flow(a_flow(template, country, percent))


def offers(program: Program) -> list[Send]:
    """Return the texts that speak of a code."""
    sends = [i for i in program.instructions if isinstance(i, Send)]
    return [send for send in sends if any("codes." in text for text in send.texts.values())]


def test_these_templates_give_discounts() -> None:
    assert {"welcome", "abandoned_cart", "birthday", "win_back", "loyalty", "reviews"} <= set(WITH_CODES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("country", PLACES)
@pytest.mark.parametrize("key", WITH_CODES)
def test_without_a_code_the_text_goes_and_promises_none(key: str, country: str, language: str) -> None:
    program = compiled(key, country)
    main_language = PLACES[country][0]
    sends = offers(program)
    # the law of carts in the USA leaves no second text, and so no discount
    assert bool(sends) is ((key, country) != ("abandoned_cart", "US"))
    for send in sends:
        trigger = dict(KINDS[program.triggers[0].kind].sample)
        context = copy_context({"first_name": "Ada"}, {"brand": "Sierra Gear", "url": "https://s.example"}, trigger)
        composed = compose(
            send.texts,
            send.fallback,
            language,
            context,
            brand="Sierra Gear",
            message_class=program.message_class,
            add_opt_out=True,
            main_language=main_language,
        )
        assert composed.used_fallback
        assert "%" not in composed.text
        with_code = copy_context(
            {"first_name": "Ada"}, {"brand": "Sierra Gear", "url": "https://s.example"}, trigger,
            {"codes": dict.fromkeys(("offer", *_names(program)), "CODE-1")},
        )  # fmt: skip
        assert "CODE-1" in compose(
            send.texts, send.fallback, language, with_code, brand="Sierra Gear",
            message_class=program.message_class, add_opt_out=True, main_language=main_language,
        ).text  # fmt: skip


def _names(program: Program) -> list[str]:
    return [i.name for i in program.instructions if isinstance(i, Discount)]
