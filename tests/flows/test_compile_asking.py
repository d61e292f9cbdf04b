"""Questions: a text, the answers to it, and a way for each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smsflow_plugin.flows.program import (
    Agree,
    Choice,
    Email,
    Jump,
    Listen,
    Program,
    Send,
    Tag,
    binding_targets,
)
from tests.flows.people import leave, send
from tests.flows.steps import Lookups, instructions, items, program, refused, said, step

YES: dict[str, Any] = {"words": "A, yes", "value": "", "tag": "", "reply": {"text": ""}, "steps": []}
NO: dict[str, Any] = {**YES, "words": "B, no"}
LENGTH = {"amount": 2, "unit": "days"}
RESERVED = "“%s” always means opting in or out, or help."
BAD_NAME = "A name starts with a letter and has only letters, digits and underscores."


def choice(*options: dict[str, Any], **values: Any) -> dict[str, Any]:
    return step("ask_choice", **{"text": "A or B?", "options": items(*options or (YES, NO)), **LENGTH, **values})


def number(*ranges: dict[str, Any], **values: Any) -> dict[str, Any]:
    given = {"text": "0 to 10?", "lowest": 0, "highest": 10, "ranges": items(*ranges), **LENGTH, **values}
    return step("ask_number", **given)


def test_a_question_is_a_text_and_a_wait_for_its_answer() -> None:
    question, listen, bye = instructions(choice(save_as="taste"), send("Bye."))
    assert question == Send("s1", {"": "A or B?"})
    choices = (Choice(2, ("a", "yes"), value="A"), Choice(2, ("b", "no"), value="B"))
    assert listen == Listen("s1", choices, 2, "days", "taste", None, 2, part="1")
    assert bye.step == "s2"


def test_each_answer_has_a_reply_a_tag_and_steps_of_its_own() -> None:
    yes = {**YES, "reply": {"text": "Good!"}, "tag": "likes", "steps": [{**send("More."), "id": "m"}]}
    silence = [{**send("Hello?"), "id": "h"}]
    _question, listen, *ways = instructions(choice(yes, NO, silence=silence), send("Bye."))
    assert [type(i).__name__ for i in ways] == ["Send", "Tag", "Send", "Jump", "Send", "Send"]
    assert ways[0] == Send("s1", {"": "Good!"}, reply=True, part="reply:i0")
    assert ways[1] == Tag("s1", "likes", part="tag:i0")
    assert ways[3] == Jump("s1", 7, part="end:i0")
    assert isinstance(listen, Listen)
    assert [one.target for one in listen.choices] == [2, 7]
    assert listen.on_timeout == 6


def test_a_question_that_is_not_understood_is_asked_once_more() -> None:
    other = [{**send("Call us."), "id": "c"}]
    question, first, again, second, call, bye = instructions(
        choice(again={"text": "A or B, please."}, other=other), send("Bye.")
    )
    assert (first.part, again.part, second.part) == ("1", "again", "2")
    assert isinstance(first, Listen) and isinstance(second, Listen) and isinstance(again, Send)
    assert (first.on_other, again.reply, second.on_other) == (2, True, 4)
    assert (first.choices, first.on_timeout) == (second.choices, second.on_timeout)
    assert (question.step, call.step, bye.step) == ("s1", "c", "s2")


def test_without_words_for_nonsense_it_keeps_listening() -> None:
    listen = instructions(choice(), send())[1]
    assert isinstance(listen, Listen) and listen.on_other is None


def test_numbers_go_by_their_range_and_those_without_one_go_on() -> None:
    low = {**YES, "low": 0, "high": 6, "steps": [{**send("Sorry."), "id": "x"}]}
    _question, listen, sorry, bye = instructions(number(low), send("Bye."))
    assert isinstance(listen, Listen)
    assert listen.choices == (Choice(2, low=0, high=6), Choice(3, low=0, high=10))
    assert (sorry.step, bye.step) == ("x", "s2")


def test_ranges_that_hold_every_number_leave_none_over() -> None:
    low, high = {**YES, "low": None, "high": 6}, {**YES, "low": 7, "high": None}
    listen = instructions(number(low, high), send())[1]
    assert isinstance(listen, Listen)
    assert [(one.low, one.high) for one in listen.choices] == [(0, 6), (7, 10)]


def yes_no(yes: dict[str, Any] | None = None, no: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    kept = {"value": "", "tag": "", "points": None, "reply": {"text": ""}, "steps": []}
    ways = {"yes": {**kept, **(yes or {})}, "no": {**kept, **(no or {})}}
    return step("ask_yes_no", **{"text": "Yes or no?", **ways, **LENGTH, **values})


def test_a_yes_and_a_no_have_ways_of_their_own_and_no_words() -> None:
    more, sorry = [{**send("More."), "id": "m"}], [{**send("Sorry."), "id": "n"}]
    ask = yes_no(
        {"steps": more, "tag": "likes", "reply": {"text": "Good!"}}, {"steps": sorry, "value": "never"}, save_as="likes"
    )
    question, listen, good, tag, yes, _jump, no, bye = instructions(ask, send("Bye."))
    assert question == Send("s1", {"": "Yes or no?"})
    assert isinstance(listen, Listen)
    assert listen.choices == (Choice(2, value="yes", means="yes"), Choice(6, value="never", means="no"))
    assert (listen.save_as, listen.on_timeout) == ("likes", 7)
    assert (good, tag) == (
        Send("s1", {"": "Good!"}, reply=True, part="reply:yes"),
        Tag("s1", "likes", part="tag:yes"),
    )
    assert (yes.step, no.step, bye.step) == ("m", "n", "s2")


def test_what_is_wrong_inside_of_a_yes_is_said_at_its_field() -> None:
    problems = refused(yes_no({"reply": {"text": "{{ nope }}"}}, {"steps": [send("{{ nope }}")]}))
    assert [problem.path for problem in problems] == [
        ("steps", 0, "yes", "reply", "text"),
        ("steps", 0, "no", "steps", 0, "text"),
    ]


def test_a_yes_agrees_where_the_step_follows_it() -> None:
    agree = {**step("agree"), "id": "y"}
    assert binding_targets(program(yes_no({"steps": [agree]}))) & {2, 3} == {2}


def test_points_are_kept_only_where_a_score_is() -> None:
    yes, no = {**YES, "points": 3}, {**NO, "points": None}
    for kept, points in (("", (None, None)), ("score", (3, None))):
        listen = instructions(choice(yes, no, score_as=kept), send())[1]
        assert isinstance(listen, Listen)
        assert (listen.score_as, tuple(each.points for each in listen.choices)) == (kept, points)
    assert program(choice(yes, no, score_as="score"), send("{{ answers.score | default: '?' }}"))


def test_the_number_that_is_given_is_its_own_score() -> None:
    low = {**YES, "low": 0, "high": 6, "value": "unhappy"}
    listen = instructions(number(low, score_as="nps"), send())[1]
    assert isinstance(listen, Listen) and listen.score_as == "nps"
    assert [(each.value, each.points) for each in listen.choices] == [("unhappy", None), ("", None)]


def test_a_question_without_scores_is_written_and_hashed_as_before() -> None:
    plain = program(choice(save_as="taste"), send())
    assert not {"score_as", "means", "points"} & set(json.dumps(plain.to_json()).replace('"', " ").split())
    assert Program.from_json(plain.to_json()) == plain
    scored = program(yes_no({"points": 2}, score_as="score"), send())
    assert Program.from_json(scored.to_json()) == scored
    assert scored.content_hash != program(yes_no({"points": 3}, score_as="score"), send()).content_hash


def test_any_text_is_an_answer_to_an_open_question() -> None:
    ask = step("ask_text", text="Why?", save_as="why", reply={"text": "Thanks."}, steps=[], silence=[], **LENGTH)
    _question, listen, thanks, _last = instructions(ask, send("You said {{ answers.why | default: 'nothing' }}."))
    assert isinstance(listen, Listen) and listen.choices == (Choice(2),)
    assert thanks == Send("s1", {"": "Thanks."}, reply=True, part="reply:answer")


def test_a_wait_for_a_reply_takes_whatever_is_written() -> None:
    replied = [{**send("Thanks."), "id": "t"}]
    first, listen, thanks = instructions(send(), step("wait_for_reply", replied=replied, silence=[], **LENGTH))
    assert listen == Listen("s2", (Choice(2),), 2, "days", on_timeout=3)
    assert (first.step, thanks.step) == ("s1", "t")


def test_an_answer_is_known_to_copy_after_its_question_only() -> None:
    ask = choice({**YES, "reply": {"text": "{{ answers.taste | default: 'That' }} it is."}}, NO, save_as="taste")
    assert program(ask)
    problems = refused(send("{{ answers.taste | default: '' }}"), ask)
    assert said(problems) == [(("steps", 0, "text"), "There is no “answers.taste” here.")]
    # the person may also have kept silent
    assert "may be missing" in refused(ask, send("{{ answers.taste }}"))[0].message


def test_a_name_of_one_way_is_not_known_on_the_other() -> None:
    code = {**step("discount", name="ten", kind="percent", amount="10", valid_days=7), "id": "d"}
    spent = {**send("{{ codes.ten | default: '' }}"), "id": "x"}
    assert refused(choice({**YES, "steps": [code]}, {**NO, "steps": [spent]}))[0].path == (
        "steps", 0, "options", 1, "steps", 0, "text",
    )  # fmt: skip
    assert program(choice({**YES, "steps": [code]}, NO), send("{{ codes.ten | default: 'no code' }}"))


@pytest.mark.parametrize(
    ("ask", "path", "message"),
    [
        (choice(text=""), ("text",), "Write the text."),
        (step("ask_choice", text="?", options=[], **LENGTH), ("options",), "Add at least one answer."),
        (choice({**YES, "words": " , "}), ("options", 0, "words"), "Say what people may write."),
        (choice(YES, {**NO, "words": "Yes!"}), ("options", 1, "words"), "“Yes!” stands here twice."),
        (choice({**YES, "words": "👍"}), ("options", 0, "words"), "“👍” has no letters and no digits."),
        (choice({**YES, "words": "A, STOP"}), ("options", 0, "words"), RESERVED % "STOP"),
        (choice({**YES, "words": "Hjælp"}), ("options", 0, "words"), RESERVED % "Hjælp"),
        (choice({**YES, "reply": {"text": "{{ nope }}"}}), ("options", 0, "reply", "text"), "There is no “nope” here."),
        (choice(again={"text": "{{ nope }}"}), ("again", "text"), "There is no “nope” here."),
        (choice(save_as="my taste"), ("save_as",), BAD_NAME),
        (choice(score_as="my score"), ("score_as",), BAD_NAME),
        (choice(score_as="score"), ("score_as",), "Give at least one answer its points."),
        (
            number(save_as="nps", score_as="nps"),
            ("score_as",),
            "The answer is kept under this name already.",
        ),
        (choice(amount=0), ("amount",), "Give a time after which the flow goes on."),
        (choice(unit="moons"), ("unit",), "Choose a unit."),
        (number(lowest=None), ("lowest",), "Give a number."),
        (number(lowest=5, highest=1), ("highest",), "The highest number must not be less than the lowest."),
        (number({**YES, "low": 6, "high": 2}), ("ranges", 0, "high"), "The end must not be less than the beginning."),
        (
            number({**YES, "low": 0, "high": 11}),
            ("ranges", 0, "low"),
            "This range reaches beyond the lowest or the highest number.",
        ),
        (
            number({**YES, "low": 0, "high": 6}, {**YES, "low": 6, "high": 8}),
            ("ranges", 1, "low"),
            "This range overlaps with another one.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_question_is_said_at_its_field(ask: Any, path: Any, message: str) -> None:
    assert said(refused(ask)) == [(("steps", 0, *path), message)]


def test_agreement_needs_an_answer() -> None:
    agree = {**step("agree"), "id": "y"}
    assert Agree("y") in instructions(choice({**YES, "steps": [agree]}, NO))
    for steps in ([step("agree"), send()], [choice(), agree], [choice(silence=[agree])]):
        assert any("without an answer there is no agreement" in problem.message for problem in refused(*steps))


def test_nothing_can_follow_when_every_answer_ends_the_flow() -> None:
    end = [{**leave(), "id": "e"}]
    ask = choice({**YES, "steps": end}, {**NO, "steps": [{**leave(), "id": "f"}]}, silence=[{**leave(), "id": "g"}])
    assert said(refused(ask, send())) == [(("steps", 1), "Nobody gets here: the flow ends before this step.")]


def test_snippets_are_taken_in_in_the_language_of_the_text() -> None:
    lookups = Lookups(sign={"": "Your {{ store.brand | default: 'shop' }}.", "da": "Din butik."})
    danish = items({"language": "da", "text": "Hej. {% render 'sign' %}", "fallback": ""})
    german = items({"language": "de", "text": 'Hallo. {%- render "sign" -%}', "fallback": ""})
    (text,) = instructions(send("Hi. {% render 'sign' %}", translations=[*danish, *german]), lookups=lookups)
    assert isinstance(text, Send)
    assert text.texts == {
        "": "Hi. Your {{ store.brand | default: 'shop' }}.",
        "da": "Hej. Din butik.",
        "de": "Hallo. Your {{ store.brand | default: 'shop' }}.",
    }


def test_an_unknown_snippet_and_a_snippet_in_a_snippet_are_refused() -> None:
    assert said(refused(send("{% render 'gone' %}"))) == [
        (("steps", 0, "text"), "There is no snippet “gone”."),
    ]
    nested = Lookups(one={"": "{% render 'two' %}"}, two={"": "!"})
    assert refused(send("{% render 'one' %}"), lookups=nested)[0].path == ("steps", 0, "text")


def test_an_email_has_a_subject_and_a_text_in_each_language() -> None:
    danish = items({"language": "da", "subject": "Hej", "body": "Tak."})
    assert instructions(step("email", subject="Hi", body="Thanks.", translations=danish)) == (
        Email("s1", {"": "Hi", "da": "Hej"}, {"": "Thanks.", "da": "Tak."}),
    )
    assert said(refused(step("email", subject="", body="{{ contact.email }}"))) == [
        (("steps", 0, "subject"), "Write the subject."),
        (
            ("steps", 0, "body"),
            "“contact.email” may be missing. Add words for that: {{ contact.email | default: 'words' }}.",
        ),
    ]


def _replies(*steps: dict[str, Any]) -> dict[str, bool]:
    """Which of the texts of the steps answer what was just written, by their step and words."""
    return {i.texts[""]: i.reply for i in instructions(*steps) if isinstance(i, Send)}


def test_the_first_text_after_an_answer_answers_it_and_the_next_one_does_not() -> None:
    first, second = {**send("First."), "id": "f"}, {**send("Second."), "id": "g"}
    found = _replies(choice({**YES, "steps": [first, second]}, NO), send("Bye."))
    assert found == {"A or B?": False, "First.": True, "Second.": False, "Bye.": False}


def test_a_question_may_answer_an_answer_also_behind_a_choice_of_ways() -> None:
    rules = [{"type": "tag", "value": {"tag": "vip"}, "id": "r"}]
    deeper = {**choice(YES, NO), "id": "d"}
    branch = {**step("if_else", condition=rules, yes=[deeper], no=[{**send("No."), "id": "n"}]), "id": "b"}
    found = _replies(choice({**YES, "steps": [branch]}, NO, text="First?"), send("Bye."))
    assert found == {"First?": False, "A or B?": True, "No.": True, "Bye.": False}


def test_after_a_wait_or_without_an_answer_a_text_is_no_answer() -> None:
    late = [{**step("wait", amount=1, unit="days"), "id": "w"}, {**send("Late."), "id": "l"}]
    found = _replies(choice({**YES, "steps": late}, NO, silence=[{**send("Hello?"), "id": "h"}]), send("Bye."))
    assert not any(found.values())
