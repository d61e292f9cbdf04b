"""The diagram has every step once, in its place: nothing overlaps, and lines lead from box to box."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from smsflow_plugin.flows.layout import LETTERS, MAX_LINES, Box, Step, Way, every_step, is_closed, lay_out, wrapped

START = Step("", "start", "Starts when")

#: Trees are large: finding out which part of one matters would take minutes.
quick = settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

words = st.text("abcdef ghijk\n", max_size=120)
leaf = st.builds(Step, id=st.just(""), kind=st.just("send"), title=words, summary=words, ends=st.booleans())


def branching(children: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    way = st.builds(Way, name=words, steps=st.lists(children, max_size=3).map(tuple))
    return st.builds(
        Step,
        id=st.just(""),
        kind=st.just("branch"),
        title=words,
        foot=st.sampled_from(["", "3 here now"]),
        ways=st.lists(way, min_size=2, max_size=4).map(tuple),
    )


trees = st.lists(st.recursive(leaf, branching, max_leaves=12), max_size=4).map(tuple)


def numbered(steps: tuple[Step, ...], prefix: str = "s") -> tuple[Step, ...]:
    """Return the same steps with ids of their own."""
    return tuple(
        replace(
            step,
            id=f"{prefix}{n}",
            ways=tuple(Way(way.name, numbered(way.steps, f"{prefix}{n}-{m}-")) for m, way in enumerate(step.ways)),
        )
        for n, step in enumerate(steps)
    )


def reached(steps: tuple[Step, ...]) -> list[str]:
    """Return the ids of the steps that somebody can get to."""
    ids: list[str] = []
    for step in steps:
        ids.append(step.id)
        if step.ends:
            break
        for way in step.ways:
            ids += reached(way.steps)
        if step.closed:
            break
    return ids


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@quick
@given(trees)
def test_every_step_that_can_be_reached_has_one_box_inside_the_drawing_and_no_two_overlap(
    steps: tuple[Step, ...],
) -> None:
    steps = numbered(steps)
    drawing = lay_out(START, steps)
    assert sorted(box.step.id for box in drawing.boxes if box.step.id) == sorted(reached(steps))
    for box in drawing.boxes:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= drawing.width and box.y + box.height <= drawing.height
    for place, box in enumerate(drawing.boxes):
        assert not any(overlap(box, other) for other in drawing.boxes[place + 1 :])
    assert (drawing.end is None) == is_closed(steps)


@quick
@given(trees)
def test_what_comes_later_stands_lower(steps: tuple[Step, ...]) -> None:
    steps = numbered(steps)
    tops = {box.step.id: box.y for box in lay_out(START, steps).boxes}
    for one, following in zip(steps, steps[1:], strict=False):
        if following.id in tops:
            assert tops[following.id] > tops[one.id]
            assert all(
                tops[following.id] > tops[inner.id]
                for way in one.ways
                for inner in every_step(way.steps)
                if inner.id in tops
            )


@given(words, st.integers(5, 40), st.integers(1, 5))
def test_wrapped_lines_fit_and_lose_nothing_that_they_do_not_say_they_lose(text: str, letters: int, lines: int) -> None:
    done = wrapped(text, letters, lines)
    assert len(done) <= lines
    assert all(len(line) <= letters for line in done)
    if not done or not done[-1].endswith("…"):
        assert "".join(done).replace(" ", "") == "".join(text.split())


def test_long_words_and_wide_letters_are_broken() -> None:
    assert wrapped("x" * 60) == ("x" * LETTERS, "x" * LETTERS, "x" * (60 - 2 * LETTERS))
    assert all(len(line) <= LETTERS // 2 + 1 for line in wrapped("漢" * 40))
    assert len(wrapped("word " * 100)) == MAX_LINES


def test_forty_steps_three_deep_are_laid_out() -> None:
    def deep(level: int, name: str) -> tuple[Step, ...]:
        own = tuple(Step(f"{name}{n}", "send", "Send", "Hello " * 10) for n in range(3))
        if not level:
            return own
        ways = tuple(Way(str(n), deep(level - 1, f"{name}{n}-")) for n in range(3 if level == 3 else 2))
        return (*own, Step(f"{name}b", "branch", "If", ways=ways))

    steps = deep(3, "s")
    drawing = lay_out(START, steps)
    assert len(drawing.boxes) == len(list(every_step(steps))) + 1 > 40
    assert drawing.end is not None
