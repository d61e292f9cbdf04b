"""Experiments in a flow's form: variants, the holdout, and what is said about several of them."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.admin_panels.flows.copy_hints import flow_hints
from smsflow_plugin.admin_panels.flows.words_labels import words_label
from smsflow_plugin.flows.changes import Change, changed_settings, changes
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.portable import export_flow, import_flow
from smsflow_plugin.flows.program import Exit, GoTo, Jump, Program, Send, Split, Trigger, Variant
from smsflow_plugin.flows.texts import words_of
from smsflow_plugin.flows.trying import meeting
from smsflow_plugin.models import Store
from tests.flows.people import send as form_send
from tests.flows.steps import flow, instructions, items, program, refused, said
from tests.words.people import copy, make_flow, send

MANY = "The shares of all variants together must leave something for the text."


def variant(weight: Any, text: str, *translations: tuple[str, str], fallback: str = "") -> dict[str, Any]:
    others = items(*({"language": code, "text": words, "fallback": ""} for code, words in translations))
    return {"weight": weight, "text": text, "fallback": fallback, "translations": others}


def tried(*variants: dict[str, Any]) -> dict[str, Any]:
    return form_send("Hello.", variants=items(*variants))


def test_variants_of_the_form_are_variants_of_the_program() -> None:
    first, second = variant(30, "Hi.", ("da", "Hej."), fallback="Hey."), variant(20, "Good day.")
    [text] = instructions(tried(first, second))
    assert text == Send(
        "s1",
        {"": "Hello."},
        variants=(Variant("B", 30, {"": "Hi.", "da": "Hej."}, {"": "Hey."}), Variant("C", 20, {"": "Good day."})),
    )
    assert text.weights == (50, 30, 20)


@pytest.mark.parametrize(
    ("variants", "problem"),
    [
        ([variant(0, "Hi.")], (("variants", 0, "weight"), "Give a number of at least 1.")),
        ([variant(None, "Hi.")], (("variants", 0, "weight"), "Give a number of at least 1.")),
        ([variant(100, "Hi.")], (("variants", 0, "weight"), MANY)),
        ([variant(60, "Hi."), variant(40, "Hey.")], (("variants", 1, "weight"), MANY)),
        ([variant(50, "")], (("variants", 0, "text"), "Write the text.")),
    ],
)
def test_what_is_wrong_with_a_variant_stands_beside_it(variants: list[dict[str, Any]], problem: Any) -> None:
    [(path, message)] = said(refused(tried(*variants)))
    assert (path[-len(problem[0]) :], message) == problem


def test_copy_of_a_variant_is_checked_as_all_copy() -> None:
    [(path, message)] = said(refused(tried(variant(50, "Hi {{ nobody.knows }}"))))
    assert path[-3:] == ("variants", 0, "text")
    assert "nobody.knows" in message


def test_a_holdout_is_at_most_half_of_the_people() -> None:
    assert program(form_send(), holdout=50).holdout == 50
    assert program(form_send()).holdout == program(form_send(), holdout=0).holdout == 0
    [problem] = refused(form_send(), holdout=51)
    assert (problem.path, problem.message) == (("holdout",), "Give a number from 0 to 50.")


def test_other_variants_are_other_words_and_a_holdout_another_setting() -> None:
    old, new = program(form_send("Hello.")), program(tried(variant(50, "Hi.")), holdout=10)
    [change] = changes(old, new)
    assert change.changes == {Change.COPY}
    assert changed_settings(old, new) == ("holdout",)


def test_words_of_variants_are_words_of_the_flow() -> None:
    raw = flow(tried(variant(50, "Hi.", ("da", "Hej.")))).steps.get_prep_value()
    found = {words_label(words): words.text for words in words_of(raw) if words.text}
    assert found == {"Text": "Hello.", "Variant “B” · Text": "Hi.", "Variant “B” · Danish · Text": "Hej."}


@pytest.mark.django_db
def test_an_experiment_is_taken_to_another_store_with_its_flow(store: Store) -> None:
    steps = [send("Hello.", "s1")]
    steps[0]["value"]["variants"] = [{"type": "item", "id": "v1", "value": {"weight": 25, **copy("Hi.")}}]
    made = make_flow(store, steps)
    made.holdout = 10
    made.save()
    made.save_revision(clean=False)
    imported = import_flow(export_flow(made), store)
    assert imported.problems == []
    assert imported.flow.holdout == 10
    [text] = compile_flow(imported.flow).instructions
    assert isinstance(text, Send)
    assert text.variants == (Variant("B", 25, {"": "Hi."}),)


# One thing at a time ------------------------------------------------------------------------------

TRY = (Variant("B", 50, {"": "Hi"}),)


def try_text(step: str) -> Send:
    return Send(step, {"": "Hello"}, variants=TRY)


def crossing(*steps: Any) -> list[tuple[str, str]]:
    return meeting(Program((Trigger("opted_in"),), steps, holdout=20))


def test_two_experiments_on_one_way_meet() -> None:
    assert crossing(try_text("a"), Send("b", {"": "x"}), try_text("c")) == [("a", "c")]
    assert crossing(try_text("a"), Send("b", {"": "x"})) == []


def test_experiments_on_ways_of_which_each_person_goes_one_do_not_meet_one_another() -> None:
    apart = (Split("s", (50, 50), (1, 3)), try_text("a"), Jump("s", 4), try_text("b"))
    assert crossing(*apart) == [("s", "a"), ("s", "b")]


def test_nobody_meets_what_stands_behind_the_end() -> None:
    assert crossing(try_text("a"), Exit("e"), try_text("b")) == []
    assert crossing(try_text("a"), GoTo("g", 3), try_text("b")) == []
    assert crossing(try_text("a"), GoTo("g", 3, leave=False), try_text("b")) == [("a", "b")]


@pytest.mark.django_db
def test_who_publishes_two_experiments_is_told(store: Store) -> None:
    steps = [send("Hello, dear friend of the mountains.", "s1"), send("Hello again, dear friend of ours.", "s2")]
    for each in steps:
        each["value"]["variants"] = [
            {"type": "item", "id": f"v-{each['id']}", "value": {"weight": 50, **copy("Hi, dear friend of ours.")}}
        ]
    found = [hint for hint in flow_hints(make_flow(store, steps)) if hint.hint.code == "experiments"]
    assert [(hint.step, hint.where) for hint in found] == [("s2", "Step 2, Send a text")]
    assert "Change one thing at a time" in found[0].hint.message
    del steps[1]["value"]["variants"]
    assert [hint for hint in flow_hints(make_flow(store, steps)) if hint.hint.code == "experiments"] == []
