"""Copy is written by strangers: what is wrong with it, and what it cannot do to the machine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.messaging.copy import CopyError, MissingValue, render
from smsflow_plugin.messaging.liquid import check_copy
from smsflow_plugin.messaging.liquid_environment import MAX_OUTPUT, MAX_SOURCE, compile_copy
from smsflow_plugin.messaging.parts import count_parts

SAMPLE = {
    "contact": {"first_name": None, "orders_count": 3, "tags": ["vip"]},
    "store": {"name": "Sierra Gear", "url": "https://sierra-gear.example"},
    **KINDS["order_created"].sample,
    **KINDS["parcel_sent"].sample,
}


class Thing:
    """What has attributes and methods, as no value of copy should."""

    secret = "s3cret"

    def tell(self) -> str:
        return self.secret


DATA: dict[str, Any] = {
    "big": list(range(1000)),
    "forty": list(range(40)),
    "long": "a" * 1500,
    "x": "x",
    "a": "a",
    "b": "b",
    "thing": Thing(),
    "nested": {"deep": {"deeper": "down"}},
}

ATTACKS = [
    "{{ (1..10000000) | join: '' }}",
    "{% for i in (1..100000000) %}x{% endfor %}",
    "{% for i in big %}x{% endfor %}",
    "{% for i in forty %}{% for j in forty %}x{% endfor %}{% endfor %}",
    "{% assign s = 'aaaaaaaaaa' %}" + "{% assign s = s | replace: 'a', 'aaaaaaaaaa' %}" * 9 + "{{ s }}",
    "{% assign s = 'a' %}{% for i in forty %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
    "{% assign n = 9 %}{% for i in forty %}{% assign n = n | times: n %}{% endfor %}{{ n }}",
    "{{ long | split: '' | join: long }}",
    "{% for i in forty %}{% assign y = long" + " | upcase" * 180 + " %}{% endfor %}",
    "{% for i in forty %}" + "{{ long | replace: 'a', 'b' }}" * 50 + "{% endfor %}",
    "{{ 1 | divided_by: 0 }}",
    "{{ 'inf' | ceil }}",
    "{{ 'nan' | round }}",
    "{{ '1e400' | times: 2 | floor }}",
    "{{ 7 | round: -1000000000 }}",
    "{{ 1.5 | round: 1000000000 }}",
    "{{ 'x' | slice: -99999999999999999999, 99999999999999999999 }}",
    "{{ 'x' | truncate: 99999999999999999999999 }}",
    "{{ '1e999999999' | money: 'USD' }}",
    "{{ 5 | money: 'AAAA' }}",
    "{{ '2026-01-01' | date: '%1000000d' }}",
    "{{ '2026-01-01' | date: '" + "%Y" * 300 + "' }}",
    "{{ " + "a[" * 900 + "0" + "]" * 900 + " }}",
    "{{ " + "(" * 900,
    "{{" * 1000,
    "{%" * 1000,
    "{% if a %}" * 150,
    "{% if a %}" * 8 + "{% endif %}" * 8,
    "{{ " + "9" * 1900 + " | times: 2 }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ thing.secret }}",
    "{{ thing.tell }}",
    "{{ thing['secret'] }}",
    "{{ thing }}",
    "{{ nested }}",
    "{{ big }}",
    "{{ long }}{{ long }}",
    "{% include 'x' %}",
    "{% render 'x' %}",
    "{% capture y %}{% endcapture %}",
    "{% tablerow i in big %}{% endtablerow %}",
    "{% increment y %}",
    "{% liquid echo x %}",
    "{{ x | base64_encode }}",
    "{{ big | map: 'a' }}",
    "{% break %}",
    "a" * (MAX_SOURCE + 1),
]


@pytest.mark.parametrize("source", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_ends_in_a_sentence(source: str) -> None:
    with pytest.raises((CopyError, MissingValue)) as refused:
        render(source, DATA)
    assert "s3cret" not in str(refused.value)
    assert str(refused.value)


SNIPPETS = st.sampled_from(
    ["{{", "}}", "{%", "%}", " if ", " endif ", " for ", " endfor ", " in ", " assign ", "=", " | ", "append: "]
    + ["split: ''", "join: long", "times: ", "long", "big", "x", "'", "[", "]", ".", "(1..9)", "99999999999", "-", "\n"]
    + ["default: 'd'", "{{ x }}", "{% if x %}", "{% endif %}", "{% for i in forty %}", "{% endfor %}", "{{ i }}"]
    + ["\ud800", "’", "\x00"]
)


@settings(deadline=None, max_examples=400)
@given(st.lists(SNIPPETS, max_size=25).map("".join) | st.text(max_size=60))
def test_any_source_gives_a_bounded_text_or_a_sentence(source: str) -> None:
    try:
        rendered = render(source, DATA)
    except (CopyError, MissingValue):
        return
    assert len(rendered.text) <= MAX_OUTPUT * 3  # an ellipsis becomes three dots
    assert all(0 <= start <= end <= len(rendered.text) for start, end in rendered.slots)
    rendered.text.encode()


def test_compiled_copy_is_kept() -> None:
    assert compile_copy("Hi {{ x }} once") is compile_copy("Hi {{ x }} once")


@pytest.mark.parametrize(
    "source",
    [
        "Hi!",
        "Hi {{ contact.first_name | default: 'there' }}",
        "{% if parcel.tracking_url %}Track it: {{ parcel.tracking_url }}{% endif %}",
        "{% if parcel.tracking_url == blank %}Soon{% else %}{{ parcel.tracking_url }}{% endif %}",
        "{% if contact.orders_count > 2 and contact.first_name %}{{ contact.first_name }}{% endif %}",
        "{% unless parcel.tracking_url == blank %}{{ parcel.tracking_url }}{% endunless %}",
        "{% for line in order.lines %}{{ line.title }} {{ forloop.index }}{% endfor %}",
        "{% assign name = order.name | upcase %}{{ name }}",
        "{{ order.lines[0].title }} {{ order.lines.first.title }} {{ order.lines.size }}",
        "{{ order.discount_codes[0] | default: 'none' }}",
        "{% case contact.first_name %}{% when 'Ada' %}Hello{% endcase %}",
        "{{ order.total | money: order.currency }}",
        "{% comment %} {{ anything }} {% endcomment %}Hi",
        "{% if parcel.tracking_url %}{{ parcel.tracking_url }}{% else %}https://a.example/{% endif %}",
        "https://a.example/?next=https://b.example/ https://c.example/{{ order.name }}",
        "{{ order.name }}https://a.example/",
        "https://a.example/ https://b.example/",
        '<a href="https://a.example/"><img src="https://b.example/"></a>',
    ],
)
def test_good_copy_has_no_problems(source: str) -> None:
    assert check_copy(source, SAMPLE) == []


@pytest.mark.parametrize(
    ("source", "line", "column", "word"),
    [
        ("Hi {{ order.nme }}", 1, 7, "order.nme"),
        ("Hi\n  {{ ordr.name }}", 2, 6, "ordr.name"),
        ("Hi {{ contact.first_name }}", 1, 7, "default"),
        ("{{ store.name | append: contact.first_name }}", 1, 25, "contact.first_name"),
        ("{% if contact.frst_name %}Hi{% endif %}", 1, 7, "contact.frst_name"),
        ("{% for line in order.lines %}{{ line.tittle }}{% endfor %}", 1, 33, "line.tittle"),
        ("{% for line in parcel.tracking_url %}x{% endfor %}", 1, 16, "parcel.tracking_url"),
        ("one\ntwo {{ order.name | shout }}", 2, 21, "shout"),
        ("{% include 'x' %}", 1, 4, "include"),
        ("{{ order.name", 1, 1, "}}"),
        ("{% if %}x{% endif %}", 1, 4, "condition"),
        ("{{ (1..3) }}", 1, 4, "range"),
        ("a\nhttps://a.example/x/https://b.example/y/", 2, 21, "blank"),
        ("Hi {{ store.url }}http://b.example/y/.", 1, 19, "blank"),
        ("{{ store.url }}{{ store.url }}", 1, 16, "blank"),
        ("https://a.example/{{ store.url | upcase }}", 1, 19, "blank"),
    ],
)
def test_a_problem_is_named_where_it_stands(source: str, line: int, column: int, word: str) -> None:
    (problem,) = check_copy(source, SAMPLE)
    assert (problem.line, problem.column) == (line, column)
    assert word in problem.message
    assert problem.message.endswith((".", "}}."))


def test_all_problems_come_in_the_order_of_the_text() -> None:
    problems = check_copy("{{ a }}\n{{ contact.first_name }} {{ b }}", SAMPLE)
    assert [(problem.line, problem.column) for problem in problems] == [(1, 4), (2, 4), (2, 29)]


def test_what_the_check_accepts_can_be_sent_to_somebody_about_whom_little_is_known() -> None:
    source = "{% if parcel.tracking_url %}{{ parcel.tracking_url }}{% else %}Order {{ order.name }}{% endif %}"
    assert check_copy(source, SAMPLE) == []
    assert render(source, SAMPLE).text == "Order #1001"


@pytest.mark.parametrize(
    ("source", "message", "line", "column"),
    [
        ("{{ a", "This is not closed. Write }} behind the name.", 1, 1),
        ("Hi\n{{ a | }}", "The name of a filter is missing behind “|”.", 2, 1),
        ("x {% if a %}y", "“{% endif %}” is missing at the end.", 1, 3),
        ("{% if %}x{% endif %}", "A condition is missing here.", 1, 4),
        ("a{% endif %}", "“{% endif %}” belongs to nothing here.", 1, 5),
        ("{% foo %}", "“{% foo %}” cannot be used in a text.", 1, 4),
        ("{{ 'a }}", "This quotation mark is not closed.", 1, 4),
        ("{{ a | default: ‘x’ }}", "Write straight quotation marks (') instead of ‘.", 1, 17),
        ("{{ a | default 'x' }}", "This was not expected here: a “|” or a colon may be missing in front of it.", 1, 16),
        ("ok {{ }}", "A name is missing here.", 1, 4),
        ("{{ a.b. }}", "This name is not complete.", 1, 1),
        ("{% if a = b %}{% endif %}", "Write two equals signs (==) to compare.", 1, 9),
        ("{% comment %}x", "“{% endcomment %}” is missing at the end.", 1, 4),
        ("{%", "This tag is not closed. Write %} at its end.", 1, 1),
    ],
)
def test_what_is_wrong_is_said_in_our_own_words_and_where(source: str, message: str, line: int, column: int) -> None:
    (problem,) = check_copy(source, {"a": "x", "b": "y"})
    assert (problem.message, problem.line, problem.column) == (message, line, column)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ 'x' | date }}", "“date” needs a date such as 2026-03-04."),
        ("{{ 'x' | money }}", "“money” needs an amount such as 129.00."),
        ("{{ 1 | divided_by: 0 }}", "A number cannot be divided by 0."),
        ("{{ 'a' | slice }}", "The filter “slice” needs a value behind a colon."),
        ("{{ 'a' | truncate: 'x' }}", "“truncate” cannot work with this value."),
    ],
)
def test_a_filter_that_cannot_work_says_why_in_our_own_words(source: str, message: str) -> None:
    with pytest.raises(CopyError) as refusal:
        render(source, {})
    assert refusal.value.message == message


@pytest.mark.parametrize("language", ["en", "da", "de", "es", "fr", "en-GB", "de-CH", "fr-CA"])
@pytest.mark.parametrize("currency", ["USD", "EUR", "DKK", "GBP", "CHF", "SEK"])
@pytest.mark.parametrize("amount", ["1299.5", "0", "-12.00", 1234567])
def test_money_never_flips_the_encoding_and_has_plain_spaces(language: str, currency: str, amount: object) -> None:
    text = render("{{ a | money }}", {"a": amount, "store": {"currency": currency}}, language=language).text
    assert count_parts(text).encoding == "GSM-7"
    assert not {character for character in text if character.isspace()} - {" "}


@pytest.mark.parametrize(
    ("language", "dollars", "kroner"),
    [
        ("en", "$1,299.50", "DKK 1,299.50"),
        ("da", "1.299,50 US$", "1.299,50 kr."),
        ("de", "1.299,50 $", "1.299,50 DKK"),
        ("es", "1.299,50 US$", "1.299,50 DKK"),
        ("fr", "1 299,50 $US", "1 299,50 DKK"),
    ],
)
def test_money_is_written_as_the_language_writes_it(language: str, dollars: str, kroner: str) -> None:
    for currency, written in (("USD", dollars), ("DKK", kroner)):
        context = {"a": "1299.5", "store": {"currency": currency}}
        assert render("{{ a | money }}", context, language=language).text == written


@pytest.mark.parametrize("language", ["en", "da", "de", "es", "fr"])
def test_dates_are_plain_in_every_language(language: str) -> None:
    text = render("{{ a | date: '%d.%m.%Y %H:%M' }}", {"a": "2026-03-04T09:05:00+01:00"}, language=language).text
    assert text == "04.03.2026 09:05"
