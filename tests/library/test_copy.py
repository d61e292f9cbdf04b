"""Every text of every template in every language: what it may print, what it costs, what the law wants in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smsflow_plugin.audience.replies import Verdict, read_reply
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.context import example_context
from smsflow_plugin.flows.library import TEMPLATES, FlowTemplate
from smsflow_plugin.flows.library.copies import BadCopy, parse_copy
from smsflow_plugin.flows.library.definitions import LANGUAGES, NEEDS, PURPOSES, trigger_kind
from smsflow_plugin.flows.program import Program, Send
from smsflow_plugin.messaging.copy import MissingValue, compose
from smsflow_plugin.messaging.parts import count_parts
from tests.library.driver import a_flow, a_store

PLACEHOLDER = re.compile(r"\{\{\s*([\w.\[\]]+)|(\[\[[\w/-]+\]\])")
CODES = ("welcome", "cart", "thanks", "loyal", "back", "birthday", "stay")
#: Texts that the law makes longer than one part, by template.
TWO_PARTS = {"welcome", "lead_nurture", "double_opt_in", "keyword_lead"}
EVERY_TEMPLATE = pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
pytestmark = pytest.mark.django_db


def program(template: FlowTemplate, country: str = "DK") -> Program:
    """The program with everything in it that settings may leave out."""
    return compile_flow(a_flow(template, country, _generous(template)))


def _generous(template: FlowTemplate) -> dict[str, Any]:
    return {
        setting.name: {"percent": 10, "word": "jacket"}[setting.kind]
        for setting in template.settings
        if setting.kind in ("percent", "word") and setting.name != "place"
    }


def sends(template: FlowTemplate, country: str = "DK") -> list[Send]:
    return [step for step in program(template, country).instructions if isinstance(step, Send)]


def context(template: FlowTemplate, *, filled: bool) -> dict[str, Any]:
    store = a_store("DK")
    kinds = [trigger.kind for trigger in program(template).triggers]
    data = example_context(kinds, {"name": store.name, "brand": store.brand}, filled=filled)
    data["codes"] = dict.fromkeys(CODES, "HELLO-7Q2KX9") if filled else {}
    data["answers"] = {}
    if filled and "appointment" in data:
        data["appointment"] = {**data["appointment"], "place": "Main Street 5"}
    return data


def spoken(template: FlowTemplate, *, filled: bool) -> Iterator[tuple[str, str, Any]]:
    """Yield (language, copy, composed) for every text and every fallback."""
    data = context(template, filled=filled)
    for send in sends(template):
        for language in LANGUAGES:
            for texts in filter(None, (send.texts, send.fallback)):
                try:
                    composed = compose(
                        texts, send.fallback, language, data, brand="Sierra Gear",
                        message_class=template.message_class, add_opt_out=True, main_language="da",
                    )  # fmt: skip
                except MissingValue:
                    # an appointment without a time is none; there is nothing to say without it
                    assert template.key == "event_reminder", texts
                    continue
                yield language, texts.get(language, texts[""]), composed


@EVERY_TEMPLATE
@pytest.mark.parametrize("filled", [True, False], ids=["all known", "all missing"])
def test_every_text_renders_in_the_gsm_alphabet_in_at_most_two_parts(template: FlowTemplate, filled: bool) -> None:
    seen = 0
    for language, copy, composed in spoken(template, filled=filled):
        seen += 1
        assert composed.parts.encoding == "GSM-7", (language, copy, composed.parts.forced_by)
        assert composed.parts.parts <= (2 if template.key in TWO_PARTS else 1), (
            language,
            composed.parts,
            composed.text,
        )
        assert composed.text.startswith("Sierra Gear"), composed.text
        assert not set("{}[]") & set(composed.text), composed.text
    assert seen >= len(LANGUAGES)


@EVERY_TEMPLATE
def test_every_text_says_how_to_opt_out_where_it_must(template: FlowTemplate) -> None:
    for _language, _copy, composed in spoken(template, filled=True):
        if template.message_class != "service":
            assert "STOP" in composed.text


@EVERY_TEMPLATE
def test_all_languages_print_the_same_values(template: FlowTemplate) -> None:
    for key, copy in template.copy.items():
        for texts in filter(None, (copy.texts, copy.fallback)):
            names = {language: set(PLACEHOLDER.findall(text)) for language, text in texts.items()}
            assert len({frozenset(found) for found in names.values()}) == 1, (key, names)


@EVERY_TEMPLATE
def test_a_fallback_needs_less_than_its_text(template: FlowTemplate) -> None:
    for key, copy in template.copy.items():
        if copy.fallback:
            assert set(PLACEHOLDER.findall(copy.fallback["en"])) != set(PLACEHOLDER.findall(copy.texts["en"])), key


@EVERY_TEMPLATE
def test_every_text_of_the_file_is_used(template: FlowTemplate) -> None:
    used: set[str] = set()
    for country in ("US", "DK"):
        for settings in ({}, _generous(template), {s.name: 0 for s in template.settings if s.kind == "percent"}):
            flow = a_flow(template, country, settings)
            used |= set(re.findall(r'"text": "(.*?)", "fallback"', _json(flow.steps.raw_data)))
            used |= set(re.findall(r'"(?:subject|body)": "(.*?)"', _json(flow.steps.raw_data)))
    texts = " ".join(used)
    for key, copy in template.copy.items():
        words = max(re.split(r"\{\{.*?\}\}|\[\[.*?\]\]", copy.texts["da"]), key=len).strip()
        assert _json(words)[1:-1] in texts, key


def _json(value: Any) -> str:
    return json.dumps(list(value) if not isinstance(value, str) else value, ensure_ascii=False)


@EVERY_TEMPLATE
def test_no_answer_that_a_text_asks_for_means_opting_out(template: FlowTemplate) -> None:
    for step in program(template).instructions:
        for choice in getattr(step, "choices", ()):
            for word in choice.words:
                for language in LANGUAGES:
                    assert read_reply(word, language).verdict not in (
                        Verdict.OPT_OUT,
                        Verdict.HELP,
                        Verdict.DOUBTFUL,
                    ), word


@pytest.mark.parametrize("key", ["welcome", "lead_nurture", "double_opt_in", "keyword_lead"])
def test_the_first_marketing_text_discloses_what_us_law_wants(key: str) -> None:
    first = sends(TEMPLATES[key], "US")[0]
    english = first.texts[""].casefold()
    assert all(words in english for words in ("msg freq", "data rates may apply", "help for help"))
    spanish = first.texts["es"].casefold()
    assert all(words in spanish for words in ("frecuencia", "pueden aplicarse tarifas", "ayuda para ayuda"))


@EVERY_TEMPLATE
def test_a_text_to_staff_is_in_the_language_of_the_store(template: FlowTemplate) -> None:
    for instruction in program(template, "DE").instructions:
        if instruction.op == "notify":
            assert instruction.subject in {copy.texts["de"] for copy in template.copy.values()}


def test_the_length_of_most_texts_leaves_room_for_a_real_link() -> None:
    """Nine of ten texts stay one part with a link of 30 characters where the example has 27."""
    lengths = [
        count_parts(composed.text.replace("https://sierra-gear.example", "https://sierra-gear.example/abc")).parts
        for template in TEMPLATES.values()
        if template.key not in TWO_PARTS
        for _language, _copy, composed in spoken(template, filled=True)
    ]
    assert lengths.count(1) / len(lengths) > 0.9


@EVERY_TEMPLATE
def test_a_template_is_complete(template: FlowTemplate) -> None:
    assert template.purpose in PURPOSES
    assert set(template.needs) <= NEEDS.keys()
    assert re.fullmatch(r"T\d+", template.id)
    for label in (template.name, template.description, template.worth):
        assert str(label).strip()
    assert not re.search(r"\d", str(template.worth)), "no invented numbers"
    assert len(template.settings) <= 4


def test_there_are_twenty_six_templates() -> None:
    assert {template.id for template in TEMPLATES.values()} == {f"T{number}" for number in range(1, 27)}
    assert len(TEMPLATES) == 26


def test_the_docs_list_every_template_as_it_is() -> None:
    lines = (Path(__file__).resolve().parents[2] / "docs" / "templates.md").read_text(encoding="utf-8").splitlines()
    rows = {cells[1]: cells for line in lines if len(cells := [cell.strip() for cell in line.split("|")]) == 9}
    for template in TEMPLATES.values():
        row = rows[template.id]
        kinds = dict.fromkeys(f"`{trigger_kind(trigger)}`" for trigger in template.triggers)
        assert (row[2], row[3], row[6], row[7]) == (
            template.name,
            ", ".join(kinds),
            template.message_class,
            f"`{template.goal}`",
        )


ALL = "\n".join(f'{language} = "Hi"' for language in LANGUAGES)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('[hello]\nen = "Hi"', "exactly these languages"),
        (f"[hello]\n{ALL}\nsv = 'Hej'", "exactly these languages"),
        (f"[hello]\n{ALL}".replace('da = "Hi"', 'da = " "'), "must be a text"),
        (f"[hello]\n{ALL}".replace('da = "Hi"', "da = 3"), "must be a text"),
        (f"[hello]\n{ALL}\n[hello.fallback]\nen = 'Hi'", "exactly these languages"),
        (f"[hello]\n{ALL}\nfallback = 'nothing'", "names no text"),
        ("hello = 3", "not a table"),
        ("[hello", "hello"),
    ],
)
def test_a_file_of_texts_that_is_not_right_is_refused(source: str, problem: str) -> None:
    with pytest.raises(BadCopy, match=problem if problem != "hello" else "sample"):
        parse_copy(source, "sample")


def test_a_fallback_can_be_the_name_of_another_text() -> None:
    copy = parse_copy(f"[hello]\n{ALL}\nfallback = 'bye'\n[bye]\n{ALL}", "sample")["hello"]
    assert dict(copy.fallback) == dict.fromkeys(LANGUAGES, "Hi")
