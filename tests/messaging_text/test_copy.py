"""From copy and data to the text that is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, Rendered, compose, render
from smsflow_plugin.messaging.parts import GSM, UCS2, count_parts

ADA: dict[str, Any] = {
    "contact": {"first_name": "Ada", "last_name": "", "tags": ["vip"]},
    "store": {"name": "Sierra Gear", "currency": "USD"},
    "cart": {
        "url": "https://sierra-gear.example/c/1",
        "total": "1299.50",
        "currency": "DKK",
        "lines": [{"title": "Trail Jacket", "quantity": 2}, {"title": "Tent", "quantity": 1}],
    },
    "parcel": {"tracking_url": None},
}


def text(source: str, **extra: Any) -> str:
    return render(source, {**ADA, **extra}).text


def test_copy_is_filled_in_with_what_is_known() -> None:
    assert (
        text("Hi {{ contact.first_name }}, your {{ cart.lines[0].title }} waits.") == "Hi Ada, your Trail Jacket waits."
    )


@pytest.mark.parametrize("path", ["contact.last_name", "parcel.tracking_url", "contact.shoe_size", "nobody.name"])
def test_a_value_that_is_empty_or_unknown_is_missing(path: str) -> None:
    with pytest.raises(MissingValue) as missing:
        text(f"Hi {{{{ {path} }}}}!")
    assert missing.value.path == path
    assert text(f"Hi {{{{ {path} | default: 'there' }}}}!") == "Hi there!"


@pytest.mark.parametrize(
    "source",
    ["{{ contact.last_name | upcase }}", "{{ 'Hi ' | append: contact.last_name }}", "{{ cart.nothing | first }}"],
)
def test_a_filter_does_not_hide_that_a_value_is_missing(source: str) -> None:
    with pytest.raises(MissingValue):
        text(source)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("contact.first_name", True),
        ("contact.last_name", False),
        ("contact.last_name == blank", True),
        ("contact.last_name != blank", False),
        ("contact.last_name != ''", False),
        ("contact.first_name != blank", True),
        ("contact.last_name == nil", True),
        ("contact.shoe_size > 40", False),
        ("contact.tags contains 'vip'", True),
        ("contact.shoe_size contains 'x'", False),
        ("cart.lines.size == 2", True),
    ],
)
def test_conditions_may_ask_for_what_is_missing(condition: str, holds: bool) -> None:
    assert text("{% if " + condition + " %}yes{% else %}no{% endif %}") == ("yes" if holds else "no")


def test_a_loop_goes_through_a_list() -> None:
    assert text("{% for line in cart.lines %}{{ line.quantity }}x {{ line.title }}\n{% endfor %}") == (
        "2x Trail Jacket\n1x Tent"
    )


def test_money_is_written_as_the_person_writes_it_and_stays_in_the_gsm_alphabet() -> None:
    source = "{{ cart.total | money }} {{ cart.total | money: cart.currency }} {{ cart.total | money: 'EUR' }}"
    assert render(source, ADA, language="en").text == "$1,299.50 DKK 1,299.50 €1,299.50"
    danish = render(source, ADA, language="da").text
    assert "1.299,50 kr." in danish
    french = render("{{ cart.total | money: 'EUR' }}", ADA, language="fr-CA").text
    assert french == "1 299,50 €"
    assert count_parts(danish).encoding == GSM
    assert render("{{ cart.total | money: 'INR' }}", ADA, language="en").text == "INR 1,299.50"


@pytest.mark.parametrize("value", ["a lot", "NaN", "1e999999999", "Infinity", [1]])
def test_money_wants_an_amount(value: Any) -> None:
    with pytest.raises(CopyError):
        text("{{ amount | money }}", amount=value)


def test_dates_of_the_data_can_be_written_but_there_is_no_now() -> None:
    assert text("{{ '2026-03-04T16:00:00+00:00' | date: '%d.%m.%Y' }}") == "04.03.2026"
    for source in ("{{ 'now' | date: '%Y' }}", "{{ 'today' | date: '%Y' }}", "{{ 1700000000 | date: '%Y' }}"):
        with pytest.raises(CopyError):
            text(source)
    for source in ("{{ now }}", "{{ today }}"):
        with pytest.raises(MissingValue):
            text(source)


def test_values_are_data_and_never_copy() -> None:
    assert text("Hi {{ name }}", name="{{ store.name }}{% if x %}") == "Hi {{ store.name }}{% if x %}"


def test_values_cannot_bring_control_characters_lines_or_turned_links() -> None:
    assert text("Hi {{ name }}!", name="A\x00d\x07a\r\n\tLove\u202elace\ud800\x1b") == "Hi Ada Lovelace!"


def test_lines_that_the_writer_made_stay() -> None:
    assert text("  One\r\nTwo {{ contact.first_name }}\n\n") == "One\nTwo Ada"


@pytest.mark.parametrize("tagged", [False, True])
def test_nothing_in_a_text_can_look_like_a_parameter_of_the_gateway(tagged: bool) -> None:
    tag = "{% if true %}{% endif %}" if tagged else ""
    for source, name in (
        ("${p0} {{ name }}", "x"),
        ("{{ name }}", "${p0}"),
        ("${{ name }}", "{p0}"),
        ("{{ name }}{p0}", "$"),
    ):
        assert "${" not in text(source + tag, name=name)


def test_typographic_characters_go_only_where_that_makes_the_text_cheaper() -> None:
    assert text("It’s {{ name }}…", name="Ada") == "It's Ada..."
    rendered = render("It’s {{ name }}…", {"name": "Łucja"})
    assert rendered.text == "It’s Łucja…"
    assert count_parts(rendered.text).encoding == UCS2


def test_slots_are_what_came_from_the_data() -> None:
    rendered = render("Hi {{ contact.first_name }}… see {{ cart.url }}", ADA)
    assert [rendered.text[start:end] for start, end in rendered.slots] == ["Ada", "https://sierra-gear.example/c/1"]
    assert rendered.text.startswith("Hi Ada... see ")


def test_neighbours_share_a_slot_and_a_dollar_sign_belongs_to_the_amount() -> None:
    rendered = render("{{ contact.first_name }}{{ store.name }} owes ${{ cart.total }}", ADA)
    assert [rendered.text[start:end] for start, end in rendered.slots] == ["AdaSierra Gear", "$1299.50"]
    joined = render("{{ contact.first_name }}${{ cart.total }}", ADA)
    assert joined == Rendered("Ada$1299.50", ((0, 11),))


def test_copy_with_tags_has_no_slots() -> None:
    assert render("{% if true %}Hi {{ contact.first_name }}{% endif %}", ADA) == Rendered("Hi Ada")


values = st.text(st.sampled_from("aZ é’…ж😀${}\n\x00\u0301"), min_size=1, max_size=8)
literals = st.text(st.sampled_from("ab ’…$!\n"), max_size=6)


def outside(rendered: Rendered) -> list[str]:
    """Return the text around the slots."""
    ends = [0, *(end for _start, end in rendered.slots)]
    starts = [*(start for start, _end in rendered.slots), len(rendered.text)]
    return [rendered.text[end:start] for end, start in zip(ends, starts, strict=True)]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(literals, min_size=2, max_size=4),
    st.lists(values, min_size=3, max_size=3),
    st.lists(values, min_size=3, max_size=3),
)
def test_texts_that_are_equal_outside_of_their_slots_are_one_text_with_other_values(
    around: list[str], one: list[str], other: list[str]
) -> None:
    source = around[0] + "".join(f"{{{{ v{n} | default: '-' }}}}{after}" for n, after in enumerate(around[1:]))
    first = render(source, {f"v{n}": value for n, value in enumerate(one)})
    second = render(source, {f"v{n}": value for n, value in enumerate(other)})
    for rendered in (first, second):
        assert "${" not in rendered.text
        assert list(rendered.slots) == sorted(rendered.slots)
    if outside(first) == outside(second):
        filled = [second.text[start:end] for start, end in second.slots]
        pieces = outside(first)
        assert pieces[0] + "".join(f + p for f, p in zip(filled, pieces[1:], strict=True)) == second.text
    if not rendered_differently(first, second):
        assert outside(first) == outside(second)


def rendered_differently(first: Rendered, second: Rendered) -> bool:
    """Whether one text was made plain and the other was not, or lost its slots."""
    encodings = {count_parts(first.text).encoding, count_parts(second.text).encoding}
    return (
        len(encodings) > 1
        or len(first.slots) != len(second.slots)
        or not first.slots
        or "$ {" in first.text + second.text
    )


def composed(
    texts: dict[str, str], fallback: dict[str, str] | None = None, language: str = "en", **options: Any
) -> Composed:
    defaults: dict[str, Any] = {"brand": "Sierra Gear", "message_class": "marketing", "add_opt_out": True}
    return compose(texts, fallback or {}, language, ADA, **{**defaults, **options})


def test_marketing_says_who_writes_and_how_to_leave() -> None:
    result = composed({"": "Hi {{ contact.first_name }}, hello again."})
    assert result.text == "Sierra Gear: Hi Ada, hello again.\nReply STOP to opt out."
    assert [result.text[start:end] for start, end in result.slots] == ["Ada"]
    assert result.parts == count_parts(result.text)


def test_order_news_say_neither() -> None:
    assert composed({"": "Your order is on its way."}, message_class="service").text == "Your order is on its way."


@pytest.mark.parametrize("start", ["Sierra Gear: hi", "SIERRA GEAR - hi", "{{ store.name }}: hi"])
def test_a_brand_that_is_there_is_not_said_twice(start: str) -> None:
    assert composed({"": start}).text.casefold().count("sierra gear") == 1


@pytest.mark.parametrize(
    "words",
    [
        "Reply STOP to end",
        "Text STOP to quit",
        "STOP to opt out",
        "Svar STOP",
        "Répondez STOP",
        "STOP au 36111",
        "STOP=end",
    ],
)
def test_opt_out_words_that_are_there_are_not_said_twice(words: str) -> None:
    result = composed({"": f"Hi. {words}"})
    assert result.text == f"Sierra Gear: Hi. {words}"


@pytest.mark.parametrize("words", ["NON-STOP SALE", "Stop by today", "We cannot stop", "Pit STOP jackets"])
def test_a_stop_that_is_no_opt_out_does_not_count(words: str) -> None:
    assert composed({"": words}).text.endswith("\nReply STOP to opt out.")


def test_an_opt_out_in_a_value_does_not_count() -> None:
    result = compose(
        {"": "New: {{ title }}"},
        {},
        "en",
        {"title": "Reply STOP to opt out."},
        brand="B",
        message_class="marketing",
        add_opt_out=True,
    )
    assert result.text.endswith("\nReply STOP to opt out.")
    assert result.text.count("STOP") == 2


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en-GB", "Reply STOP to opt out."),
        ("da", "Svar STOP for at afmelde."),
        ("de_AT", "Antworte STOP zum Abmelden."),
        ("es", "Responde STOP para darte de baja."),
        ("fr-CA", "Répondez STOP pour vous désabonner."),
        ("is", "Reply STOP to opt out."),
        ("", "Reply STOP to opt out."),
    ],
)
def test_the_opt_out_words_are_in_the_persons_language(language: str, words: str) -> None:
    result = composed({"": "Hi"}, language=language)
    assert result.text == f"Sierra Gear: Hi\n{words}"
    assert result.parts.encoding == GSM


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en-GB", "British"), ("en-US", "English"), ("en", "English"), ("da", "Any"), ("", "Any")],
)
def test_the_language_is_chosen_exactly_then_by_its_base_then_the_general_one(language: str, expected: str) -> None:
    texts = {"en-GB": "British", "en": "English", "": "Any"}
    assert composed(texts, language=language, message_class="service").text == expected


def test_the_fallback_says_it_without_the_value() -> None:
    texts = {"": "Track it: {{ parcel.tracking_url }}"}
    result = composed(texts, {"": "It is on its way, {{ contact.first_name }}."}, message_class="service")
    assert (result.text, result.used_fallback) == ("It is on its way, Ada.", True)
    with pytest.raises(MissingValue):
        composed(texts, message_class="service")
    with pytest.raises(MissingValue):
        composed(texts, {"": "Also {{ parcel.tracking_url }}"}, message_class="service")


def test_a_flow_without_any_text_in_the_language_says_so() -> None:
    with pytest.raises(CopyError, match="da"):
        composed({"en": "Hi"}, language="da")


def test_the_opt_out_words_are_in_the_language_of_the_text_that_is_sent() -> None:
    texts = {"": "Hej", "en": "Hello"}
    french = compose(texts, {}, "fr", ADA, brand="", message_class="marketing", add_opt_out=True, main_language="da")
    english = compose(
        texts, {}, "en-GB", ADA, brand="", message_class="marketing", add_opt_out=True, main_language="da"
    )
    assert french.text == "Hej\nSvar STOP for at afmelde."
    assert english.text == "Hello\nReply STOP to opt out."


def test_an_empty_value_at_the_end_leaves_no_space_behind() -> None:
    composed = compose(
        {"": "Come back. {{ parcel.tracking_url | default: '' }} "}, {}, "en", ADA,
        brand="", message_class="service", add_opt_out=False,
    )  # fmt: skip
    assert (composed.text, composed.slots) == ("Come back.", ())
