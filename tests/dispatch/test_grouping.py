"""Which texts share a gateway call."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.messaging.gateway import OutboundText
from smsflow_plugin.messaging.grouping import MAX_SLOTS, MAX_VALUE, Group, Outgoing, group
from tests.conftest import NOON
from tests.dispatch.scripted import texts_of


def text(pk: int, name: str = "Ada", **values: object) -> Outgoing:
    body = f"Hi {name}, your tea waits."
    defaults = {
        "pk": pk,
        "connection_id": 1,
        "sender": "+12025550100",
        "to": f"+1202555{pk:04d}",
        "body": body,
        "slots": ((3, 3 + len(name)),),
    }
    return Outgoing(**{**defaults, **values})  # type: ignore[arg-type]


def call(made: Group) -> OutboundText:
    return OutboundText("r", made.sender, made.body, made.recipients, made.parameters)


def grouped(*texts: Outgoing, at_most: int = 1000) -> list[Group]:
    return group(texts, lambda connection_id: at_most)


def test_texts_that_differ_only_in_their_slots_share_a_call() -> None:
    (made,) = grouped(text(1, "Ada"), text(2, "Bob"))
    assert made.body == "Hi ${p0}, your tea waits."
    assert made.parameters == {"+12025550001": ("Ada",), "+12025550002": ("Bob",)}
    assert texts_of(call(made)) == {
        "+12025550001": "Hi Ada, your tea waits.",
        "+12025550002": "Hi Bob, your tea waits.",
    }


def test_equal_texts_share_a_call_as_they_stand() -> None:
    (made,) = grouped(text(1), text(2))
    assert (made.body, made.parameters) == ("Hi Ada, your tea waits.", {})


def test_texts_of_other_senders_connections_and_words_go_apart() -> None:
    made = grouped(text(1), text(2, sender="+12025550199"), text(3, connection_id=2), text(4, body="Hello", slots=()))
    assert len(made) == 4


def test_a_number_stands_in_a_call_once() -> None:
    made = grouped(text(1, "Ada", to="+12025550009"), text(2, "Bob", to="+12025550009"), text(3, "Cy"))
    assert [made.recipients for made in made] == [("+12025550009", "+12025550003"), ("+12025550009",)]


def test_a_call_holds_no_more_people_than_the_gateway_takes() -> None:
    assert [len(made.texts) for made in grouped(*(text(i) for i in range(25)), at_most=10)] == [10, 10, 5]


def test_texts_of_a_refused_call_go_in_smaller_ones_and_not_with_others() -> None:
    made = grouped(*(text(i, limit=2) for i in range(4)), text(9), text(10))
    assert sorted(len(made.texts) for made in made) == [2, 2, 2]


def test_values_that_gateways_refuse_make_the_text_literal() -> None:
    long, empty = "x" * (MAX_VALUE + 1), ""
    for name in (long, empty):
        made = grouped(text(1, name), text(2, "Bob"))
        assert [m.parameters for m in made] == [{}, {}]
        assert made[0].body == f"Hi {name}, your tea waits."


def test_a_text_with_a_parameter_mark_of_its_own_is_literal() -> None:
    made = grouped(text(1, body="Hi Ada, ${p0}"), text(2, body="Hi Bob, ${p0}"))
    assert [m.body for m in made] == ["Hi Ada, ${p0}", "Hi Bob, ${p0}"]


def test_too_many_slots_make_the_text_literal() -> None:
    words = "ab " * (MAX_SLOTS + 1)
    slots = tuple((i * 3, i * 3 + 2) for i in range(MAX_SLOTS + 1))
    other = words.replace("ab", "cd")
    assert [m.parameters for m in grouped(text(1, body=words, slots=slots), text(2, body=other, slots=slots))] == [
        {},
        {},
    ]


def test_a_call_expires_with_its_first_text_and_the_others_are_not_far_behind() -> None:
    soon, later = NOON + timedelta(minutes=10), NOON + timedelta(minutes=50)
    tomorrow = NOON + timedelta(days=1)
    made = grouped(text(1, expires_at=later), text(2, expires_at=soon), text(3, expires_at=tomorrow), text(4))
    assert [m.expires_at for m in made] == [soon, tomorrow, None]


words = st.text(max_size=12)


@given(
    people=st.lists(st.tuples(st.integers(0, 5), words, st.sampled_from(["", " It is ${p1}!", " Bye."])), max_size=20),
    at_most=st.integers(1, 5),
)
def test_everybody_reads_exactly_the_text_that_was_written_for_them(
    people: list[tuple[int, str, str]], at_most: int
) -> None:
    texts = [
        text(i, to=f"+1202555{number:04d}", body=f"Hi {name}{tail}", slots=((3, 3 + len(name)),))
        for i, (number, name, tail) in enumerate(people)
    ]
    made = grouped(*texts, at_most=at_most)
    written = Counter((t.to, t.body) for t in texts)
    read = Counter(item for m in made for item in texts_of(call(m)).items())
    assert read == written
    assert all(len(m.recipients) == len(set(m.recipients)) <= at_most for m in made)
    assert sorted(t.pk for m in made for t in m.texts) == list(range(len(texts)))
