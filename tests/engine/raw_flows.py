"""Random flows as the form holds them, in order enough to be published: hypothesis draws them."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from hypothesis import strategies as st

#: What the lookups of these flows know.
OTHER_FLOW = 901
SEGMENT = 77

EVENTS = ["order_created", "order_paid", "link_clicked", "appointment_cancelled"]
AMOUNTS = st.integers(1, 40)
UNITS = st.sampled_from(["minutes", "hours", "days", "weeks", "months"])
TEXTS = st.sampled_from(
    [
        "Hello.",
        "Hello {{ contact.first_name | default: 'there' }}.",
        "See you at {{ appointment.starts_at }}.",
        "Yours: {{ contact.fields.size | default: 'M' }}.",
        "{% if contact.email %}We have {{ contact.email }}.{% endif %} Bye.",
    ]
)
_ids = st.uuids().map(str)


def block(kind: str, /, **values: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A block with an id; some come without one, as scripts make them."""
    ids = st.one_of(_ids, _ids, _ids, st.none())
    return st.builds(lambda value, i: {"type": kind, "value": value, "id": i}, st.fixed_dictionaries(values), ids)


def copies() -> dict[str, Any]:
    translation = st.fixed_dictionaries({"language": st.just("da"), "text": TEXTS, "fallback": st.just("")})
    translations = st.lists(translation.map(item), max_size=1)
    return {"text": TEXTS, "fallback": st.sampled_from(["", "Hello!"]), "translations": translations}


def item(value: Any) -> dict[str, Any]:
    return {"type": "item", "value": value, "id": f"i{crc32(str(value).encode())}"}


def nested_copy() -> st.SearchStrategy[dict[str, Any]]:
    said = copies()
    return st.fixed_dictionaries({**said, "text": st.one_of(st.just(""), TEXTS)})


def rules() -> st.SearchStrategy[list[Any]]:
    return st.lists(
        st.one_of(
            block("tag", tag=st.sampled_from(["vip", "new"])),
            block(
                "happened",
                happened=st.sampled_from(["yes", "no"]),
                event=st.sampled_from(EVENTS),
                period=st.just("entry"),
                amount=st.none(),
            ),
            block(
                "compare", field=st.just("orders_count"), custom=st.just(""), operator=st.just("ge"), value=st.just("2")
            ),
        ),
        min_size=1,
        max_size=2,
    )


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    length = {"amount": AMOUNTS, "unit": UNITS}
    return st.one_of(
        block("send", **copies(), hold_amount=st.one_of(st.none(), st.integers(1, 90)), hold_unit=st.just("hours")),
        block("wait", **length),
        block(
            "wait_until_time",
            time=st.sampled_from(["09:30:00", "02:30:00"]),
            weekdays=st.lists(st.sampled_from("0246"), unique=True),
        ),
        block("wait_best_time", within_hours=st.integers(1, 48)),
        block(
            "wait_until_date",
            source=st.sampled_from(["appointment", "field"]),
            custom=st.just("birthday"),
            direction=st.sampled_from(["before", "on", "after"]),
            **length,
            time=st.sampled_from([None, "10:00:00"]),
            if_past=st.sampled_from(["go_on", "skip_next", "leave"]),
        ),
        block("tag", action=st.sampled_from(["add", "remove"]), tag=st.sampled_from(["vip", "new"])),
        block(
            "set_field",
            name=st.just("size"),
            value=st.sampled_from(["", "L"]),
            source=st.sampled_from(["", "trigger.appointment.title"]),
        ),
        block("hand_over", note=st.just("Please call.")),
        block("notify", to=st.just("a@example.com, b@example.com"), subject=st.just("News"), body=TEXTS),
        block("email", subject=st.just("Hello"), body=TEXTS, translations=st.just([])),
        block("goal", name=st.just("done"), leave=st.just(False)),
        block("go_to", flow=st.just(OTHER_FLOW), leave=st.just(False)),
    )


def endings() -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        block("exit", reason=st.sampled_from(["", "enough"])),
        block("goal", name=st.just("done"), leave=st.just(True)),
        block("go_to", flow=st.just(OTHER_FLOW), leave=st.just(True)),
    )


def answers(steps: Any, words: list[str]) -> st.SearchStrategy[list[Any]]:
    """One answer for each of ``words``; the first goes on, so that what follows can be reached."""
    return st.tuples(
        *(
            st.fixed_dictionaries(
                {
                    "words": st.just(word),
                    "value": st.sampled_from(["", "x"]),
                    "tag": st.sampled_from(["", "answered"]),
                    "points": st.sampled_from([None, 3]),
                    "reply": nested_copy(),
                    "steps": steps if not place else ending_in(steps),
                }
            ).map(item)
            for place, word in enumerate(words)
        )
    ).map(list)


def yes_or_no(steps: Any) -> st.SearchStrategy[dict[str, Any]]:
    """What follows a yes or a no."""
    return st.fixed_dictionaries(
        {
            "value": st.sampled_from(["", "x"]),
            "tag": st.sampled_from(["", "answered"]),
            "points": st.none(),
            "reply": nested_copy(),
            "steps": steps,
        }
    )


def ranges(steps: Any) -> st.SearchStrategy[list[Any]]:
    spans = [(0, 6), (7, 8)]
    return answers(steps, ["", ""]).map(
        lambda found: [
            {**one, "value": {**one["value"], "low": low, "high": high}}
            for one, (low, high) in zip(found, spans, strict=True)
        ]
    )


def ending_in(steps: Any) -> st.SearchStrategy[list[Any]]:
    return st.builds(lambda some, end: [*some, *end], steps, st.lists(endings(), max_size=1))


def branching(steps: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A step whose ways are ``steps``: its first way always goes on."""
    length = {"amount": AMOUNTS, "unit": UNITS}
    full = steps.filter(bool)
    other = ending_in(steps)
    question = {**copies(), "save_as": st.sampled_from(["", "size"]), **length}
    again = {"again": nested_copy(), "other": other, "silence": other}
    way = st.fixed_dictionaries({"label": st.just("w"), "condition": rules(), "steps": full})
    share = st.fixed_dictionaries({"label": st.just("s"), "weight": st.integers(1, 100), "steps": full})
    return st.one_of(
        block("ask_choice", **question, **again, options=answers(steps, ["A, yes", "B, nope", "7"])),
        block("ask_yes_no", **question, **again, yes=yes_or_no(steps), no=yes_or_no(steps), score_as=st.just("")),
        block(
            "ask_number",
            **question,
            **again,
            lowest=st.just(0),
            highest=st.just(10),
            ranges=ranges(steps),
            score_as=st.sampled_from(["", "score"]),
        ),
        block("ask_text", **question, reply=nested_copy(), steps=steps, silence=other),
        block("wait_for_reply", **length, replied=steps, silence=other),
        block(
            "wait_for_event",
            events=st.lists(st.sampled_from(EVENTS), min_size=1, max_size=2, unique=True),
            **length,
            since=st.sampled_from(["entry", "wait"]),
            same_subject=st.just(False),
            happened=steps,
            timed_out=other,
        ),
        block("if_else", condition=rules(), yes=full, no=other),
        block("switch", ways=st.lists(way.map(item), min_size=1, max_size=3), otherwise=other),
        block("split", ways=st.lists(share.map(item), min_size=2, max_size=3)),
        block(
            "discount",
            name=st.just("thanks"),
            kind=st.sampled_from(["percent", "amount", "shipping"]),
            amount=st.just("10.00"),
            minimum=st.sampled_from([None, "50"]),
            valid_days=st.just(7),
            prefix=st.just("ADA-"),
            failed=other,
        ),
        block(
            "webhook",
            url=st.just("https://erp.example.com/hook"),
            body=st.just(""),
            save_as=st.just("erp"),
            failed=other,
        ),
    )


def step_lists(depth: int = 3) -> st.SearchStrategy[list[Any]]:
    """Lists of steps, with ways nested up to ``depth`` deep."""
    if not depth:
        return st.lists(leaves(), max_size=2)
    # deferred, as hypothesis would spell out every way of every level otherwise
    below = st.deferred(lambda: step_lists(depth - 1))
    return st.lists(st.one_of(leaves(), st.deferred(lambda: branching(below))), max_size=3)


#: What follows nothing can be reached behind: a whole flow may end early.
flows = ending_in(step_lists())


class Known:
    """Lookups that know one flow, one segment and one snippet."""

    def segments(self, pk: int) -> Any:
        return [] if pk == SEGMENT else None

    def flow_exists(self, pk: int) -> bool:
        return pk == OTHER_FLOW

    def snippet(self, name: str) -> Any:
        return {"": "Bye!", "da": "Farvel!"} if name == "bye" else None
