"""Where the boxes and lines of a flow's diagram stand. Pure: trees in, numbers (in pixels) out.

Time runs downwards. The ways of a branching step stand side by side below it and meet again in
front of the step that follows; a way that ends does not. Nothing is measured in a browser, so
widths of letters are estimated, on the safe side.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

BOX_WIDTH = 212
PADDING = 12
TITLE_HEIGHT = 20
LINE_HEIGHT = 17
FOOT_HEIGHT = 20
#: Between a box and the next one below.
GAP = 30
#: Between two ways.
ASIDE = 20
#: What the name of a way takes.
NAME_HEIGHT = 24
#: How wide a way without steps is.
NARROW = 96
MARGIN = 16
#: What an icon takes of the title's line.
ICON = 20
END_HEIGHT = 30

#: Letters of a line; the widest common ones fit into a box so often.
LETTERS = 27
MAX_LINES = 4
#: A way's name is cut after so many letters.
NAME_LETTERS = 26


@dataclass(frozen=True, slots=True)
class Way:
    """One way out of a step, and what stands on it."""

    name: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One box. ``id`` is that of the form's block; ``ends`` says that nobody gets behind it.

    ``foot`` are live numbers, already in words. ``marks`` are names for the style sheet.
    """

    id: str
    kind: str
    title: str
    summary: str = ""
    icon: str = ""
    foot: str = ""
    ways: tuple[Way, ...] = ()
    ends: bool = False
    marks: tuple[str, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether nobody gets to what stands below."""
        return self.ends or (bool(self.ways) and all(is_closed(way.steps) for way in self.ways))


@dataclass(frozen=True, slots=True)
class Box:
    """A step in its place; (``x``, ``y``) is the upper left corner."""

    step: Step
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]

    @property
    def classes(self) -> str:
        return " ".join((f"sms-box--{self.step.kind}", *(f"sms-box--{mark}" for mark in self.step.marks)))

    @property
    def title_at(self) -> tuple[float, float]:
        return self.x + PADDING + (ICON if self.step.icon else 0), self.y + PADDING + 11

    @property
    def title(self) -> str:
        """Return as much of the title as fits on its line, which is set in bold."""
        return shortened(self.step.title, LETTERS - (5 if self.step.icon else 3))

    @property
    def icon_at(self) -> tuple[float, float]:
        return self.x + PADDING, self.y + PADDING - 1

    @property
    def baselines(self) -> list[tuple[float, float, str]]:
        """Return (x, y, text) of each line below the title."""
        top = self.y + PADDING + TITLE_HEIGHT + 11
        return [(self.x + PADDING, top + LINE_HEIGHT * number, line) for number, line in enumerate(self.lines)]

    @property
    def foot_at(self) -> tuple[float, float]:
        return self.x + PADDING, self.y + self.height - 9


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a way, around its middle."""

    x: float
    y: float
    text: str
    full: str


@dataclass
class Drawing:
    """Everything in its place. ``lines`` are the paths of an SVG; ``end`` is the middle of the word "End"."""

    width: float = 0
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    names: list[Name] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    end: tuple[float, float] | None = None


def is_closed(steps: Sequence[Step]) -> bool:
    """Return whether nobody comes out at the lower end of ``steps``."""
    return any(step.closed for step in steps)


def every_step(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield every step, those on its ways after it."""
    for step in steps:
        yield step
        for way in step.ways:
            yield from every_step(way.steps)


def lay_out(start: Step, steps: Sequence[Step]) -> Drawing:
    """Return the diagram of ``steps`` below the box ``start``."""
    everything = (start, *steps)
    width, _height = _size(everything)
    drawing = Drawing(width=width + 2 * MARGIN)
    middle = drawing.width / 2
    bottom = _place(drawing, everything, middle, MARGIN)
    if bottom is not None:
        drawing.lines.append(_down(middle, bottom, bottom + GAP))
        drawing.end = (middle, bottom + GAP + END_HEIGHT / 2)
        bottom += GAP + END_HEIGHT
    lowest = max(box.y + box.height for box in drawing.boxes)
    drawing.height = max(bottom or 0, lowest) + MARGIN
    return drawing


def wrapped(text: str, letters: int = LETTERS, lines: int = MAX_LINES) -> tuple[str, ...]:
    """Return ``text`` in at most so many lines; the last one ends in "…" if something is left out."""
    done: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            candidate = f"{line} {word}" if line else word
            if _letters(candidate) <= letters:
                line = candidate
                continue
            if line:
                done.append(line)
            while _letters(word) > letters:
                head = _fitting(word, letters)
                done.append(head)
                word = word[len(head) :]
            line = word
        if line:
            done.append(line)
    if len(done) > lines:
        done = [*done[: lines - 1], _fitting(done[lines - 1], letters - 1).rstrip() + "…"]
    return tuple(done)


def shortened(text: str, letters: int) -> str:
    """Return ``text`` on one line, cut with "…" if it is longer."""
    return (wrapped(" ".join(text.split()), letters, 1) or ("",))[0]


def _fitting(text: str, letters: int) -> str:
    kept = 0
    for position, letter in enumerate(text):
        kept += _breadth(letter)
        if kept > letters and position:
            return text[:position]
    return text


def _letters(text: str) -> int:
    return sum(_breadth(letter) for letter in text)


def _breadth(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


# Sizes ---------------------------------------------------------------------------------------


def _lines(step: Step) -> tuple[str, ...]:
    return wrapped(step.summary)


def _box_height(step: Step) -> float:
    foot = FOOT_HEIGHT if step.foot else 0
    return 2 * PADDING + TITLE_HEIGHT - 6 + LINE_HEIGHT * len(_lines(step)) + foot


def _size(steps: Sequence[Step]) -> tuple[float, float]:
    """Return width and height of a list of steps, without a line below."""
    width, height = 0.0, 0.0
    for position, step in enumerate(steps):
        height += _box_height(step) + (GAP if position else 0)
        width = max(width, BOX_WIDTH)
        if step.ways:
            widths, inner = _ways_size(step)
            width = max(width, sum(widths) + ASIDE * (len(widths) - 1))
            height += GAP + NAME_HEIGHT + inner + GAP
    return width, height


def _ways_size(step: Step) -> tuple[list[float], float]:
    sizes = [_size(way.steps) for way in step.ways]
    return [max(width, NARROW) for width, _ in sizes], max(height for _, height in sizes)


# Places --------------------------------------------------------------------------------------


def _place(drawing: Drawing, steps: Sequence[Step], middle: float, top: float) -> float | None:
    """Place ``steps`` around ``middle`` from ``top`` down; return where their line goes on, None if it does not."""
    for position, step in enumerate(steps):
        height = _box_height(step)
        box = Box(step, middle - BOX_WIDTH / 2, top, BOX_WIDTH, height, _lines(step))
        drawing.boxes.append(box)
        bottom = top + height
        if step.ends:
            return None
        if step.ways:
            joined = _place_ways(drawing, step, middle, bottom)
            if joined is None:
                return None
            bottom = joined
        if position == len(steps) - 1:
            return bottom
        drawing.lines.append(_down(middle, bottom, bottom + GAP))
        top = bottom + GAP
    return top


def _place_ways(drawing: Drawing, step: Step, middle: float, top: float) -> float | None:
    widths, inner = _ways_size(step)
    left = middle - (sum(widths) + ASIDE * (len(widths) - 1)) / 2
    fork, names, first = top + GAP / 2, top + GAP, top + GAP + NAME_HEIGHT
    join = first + inner + GAP / 2
    goes_on = False
    for way, width in zip(step.ways, widths, strict=True):
        center = left + width / 2
        left += width + ASIDE
        name = shortened(way.name, int(width / BOX_WIDTH * NAME_LETTERS))
        drawing.names.append(Name(center, names + 13, name, way.name))
        drawing.lines.append(_across(middle, top, center, fork, names))
        bottom = _place(drawing, way.steps, center, first) if way.steps else names + NAME_HEIGHT
        if bottom is not None:
            drawing.lines.append(_across(center, bottom, middle, join, join + GAP / 2))
            goes_on = True
    return join + GAP / 2 if goes_on else None


def _down(x: float, top: float, bottom: float) -> str:
    return f"M{x:g} {top:g}V{bottom:g}"


def _across(x: float, top: float, to: float, level: float, bottom: float) -> str:
    """Return a path down to ``level``, over to ``to`` and further down."""
    if abs(x - to) < 1:
        return _down(x, top, bottom)
    bend = min(8.0, abs(to - x) / 2, level - top, bottom - level)
    side = bend if to > x else -bend
    return (
        f"M{x:g} {top:g}V{level - bend:g}Q{x:g} {level:g} {x + side:g} {level:g}"
        f"H{to - side:g}Q{to:g} {level:g} {to:g} {level + bend:g}V{bottom:g}"
    )
