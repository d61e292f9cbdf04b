"""The words of a flow are found wherever they stand, and put back without touching anything else."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.flows.texts import copies_of, with_words, words_of
from tests.words.people import STEPS, ask, send


def test_every_text_is_found_in_order_and_nothing_of_the_staff() -> None:
    assert [(words.key, words.language, words.text[:12]) for words in words_of(STEPS)] == [
        ("s-1/text", "", "Hi {{ contac"),
        ("s-1/fallback", "", "10% off toda"),
        ("s-1/translations/t-da/text", "da", "Hej"),
        ("s-1/translations/t-da/fallback", "da", ""),
        ("a-1/text", "", "Which size? "),
        ("a-1/fallback", "", ""),
        ("a-1/translations/t-da/text", "da", "Hvilken stør"),
        ("a-1/translations/t-da/fallback", "da", ""),
        ("a-1/options/o-1/reply/text", "", "Thanks."),
        ("a-1/options/o-1/reply/fallback", "", ""),
        ("s-2/text", "", "Deep down: 5"),
        ("s-2/fallback", "", ""),
        ("a-1/again/text", "", "Please answe"),
        ("a-1/again/fallback", "", ""),
        ("m-1/subject", "", "Hello"),
        ("m-1/body", "", "A longer tex"),
    ]


def test_a_step_inside_of_an_answer_knows_where_it_stands() -> None:
    assert next(words.number for words in words_of(STEPS) if words.key == "s-2/text") == "3.options.A, yes.steps.1"


def test_only_main_texts_are_needed() -> None:
    needed = {words.key for words in words_of(STEPS) if words.required}
    assert {"s-1/text", "a-1/text", "m-1/subject", "m-1/body", "s-1/translations/t-da/text"} <= needed
    assert not needed & {"s-1/fallback", "a-1/again/text", "a-1/options/o-1/reply/text"}


def test_a_changed_text_changes_nothing_else() -> None:
    before = copy.deepcopy(STEPS)
    after = with_words(STEPS, {"s-2/text": "New.", "nobody/text": "x", "n-1/body": "Hijacked"})
    assert before == STEPS
    changed: Any = copy.deepcopy(STEPS)
    changed[2]["value"]["options"][0]["value"]["steps"][0]["value"]["text"] = "New."
    assert after == changed


def test_two_blocks_with_one_id_keep_two_texts() -> None:
    steps = [send("One.", "same"), send("Two.", "same")]
    assert [words.text for words in words_of(with_words(steps, {"same/text~2": "Changed."}))][::2] == [
        "One.",
        "Changed.",
    ]


def test_a_text_with_its_languages_is_one_copy_and_mails_are_none() -> None:
    copies = {found.key: found for found in copies_of(STEPS)}
    assert list(copies) == ["s-1", "a-1", "a-1/options/o-1/reply", "s-2", "a-1/again"]
    assert copies["s-1"].texts == {"": STEPS[0]["value"]["text"], "da": "Hej"}  # type: ignore[index]
    assert copies["s-1"].fallbacks[""] == "10% off today."


trees = st.recursive(
    st.builds(send, st.text(max_size=5), st.sampled_from(["a", "b", "c", ""])),
    lambda inner: st.builds(
        lambda step, steps: ask(step, inside=steps), st.sampled_from("xyz"), st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(trees, max_size=4), st.data())
def test_what_is_changed_is_read_back_and_the_rest_stays(steps: list[Any], data: Any) -> None:
    before = words_of(steps)
    keys = [words.key for words in before]
    assert len(set(keys)) == len(keys)
    changes = {key: f"new {key}" for key in keys if data.draw(st.booleans())}
    after = words_of(with_words(steps, changes))
    assert [words.text for words in after] == [changes.get(words.key, words.text) for words in before]
    assert with_words(with_words(steps, changes), {words.key: words.text for words in before}) == steps
