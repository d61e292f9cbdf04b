"""Charts by day: SVG that pygal draws on the server, made fit for a page of the admin.

Pygal brings its own style sheet, script and tooltips inside of each drawing. All three are taken out: colours come from
``dashboards.css``, so that they follow the admin's theme, no content security policy has anything to object to, and
what a day came to is told by the browser's own tooltip. The numbers stand in a table below, for those who see no chart.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.safestring import SafeString
from pygal import Line, PluginImportFixer, StackedBar  # type: ignore[import-untyped]
from pygal.etree import etree  # type: ignore[import-untyped]
from pygal.style import Style  # type: ignore[import-untyped]

WIDTH, HEIGHT = 520, 230

#: What the name of a mark takes.
MARK_WIDTH = 80

#: Lines across, and days named below.
TICKS, NAMED = 4, 5

# It finds pygal's maps, which nobody needs here; but every import asks it, in a way that Python gave up.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, PluginImportFixer)]

#: What pygal measures its margins with: the larger letters of a phone. What is really used stands in the style sheet.
_STYLE = Style(label_font_size=16, major_label_font_size=16, font_family="sans-serif")

Words = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Series:
    """``values`` has one value for each day. ``look`` is a name for the style sheet: now, before, good or bad."""

    label: str
    values: Sequence[float]
    look: str = "now"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart by day. ``words`` says a value, ``axis`` says it shortly. ``marks`` stand at their day, as a line."""

    name: str
    title: str
    days: Sequence[date]
    series: Sequence[Series]
    words: Words
    axis: Words
    marks: Mapping[date, str]

    def lines(self) -> SafeString:
        """Draw a line for each series, the first of them filled."""
        chart = self._prepared(Line, dots_size=2, show_dots=len(self.days) < 2)
        self._scale(chart, 0, max((max(one.values, default=0) for one in self.series), default=0))
        for one in reversed(self.series):
            chart.add(one.label, list(one.values), fill=one is self.series[0])
        return self._drawn(chart)

    def bars(self) -> SafeString:
        """Draw bars that stand on each other, those of negative values below the axis."""
        chart = self._prepared(StackedBar)
        columns = list(zip(*(one.values for one in self.series), strict=True))
        highest = max((sum(value for value in column if value > 0) for column in columns), default=0)
        lowest = min((sum(value for value in column if value < 0) for column in columns), default=0)
        self._scale(chart, lowest, highest)
        for one in reversed(self.series):
            chart.add(one.label, list(one.values))
        return self._drawn(chart)

    def _prepared(self, kind: type[Any], **options: Any) -> Any:
        chart = kind(
            width=WIDTH,
            height=HEIGHT,
            style=_STYLE,
            css=[],
            js=[],
            disable_xml_declaration=True,
            show_legend=False,
            show_minor_x_labels=False,
            truncate_label=-1,
            margin=6,
            margin_right=14,
            spacing=6,
            print_values=False,
            classes=("smsflow-chart__drawing",),
            **options,
        )
        chart.x_labels = [date_format(day, "j M Y") for day in self.days]
        # the year is in the tooltip: below the chart there is room for the day
        chart.x_labels_major = [chart.x_labels[place] for place in named_days(len(self.days))]
        return chart

    def _scale(self, chart: Any, lowest: float, highest: float) -> None:
        steps = ticks(lowest, highest)
        chart.y_labels = [{"value": step, "label": self.axis(step)} for step in steps]
        chart.range = (steps[0], steps[-1])

    def _drawn(self, chart: Any) -> SafeString:
        chart.add_xml_filter(lambda root: self._finished(root, chart))
        # everything that pygal has put into it is escaped by its XML writer
        return SafeString(chart.render(is_unicode=True))

    def _finished(self, root: Any, chart: Any) -> Any:
        for parent in list(root.iter()):
            for child in list(parent):
                if not isinstance(child.tag, str) or child.tag in ("defs", "desc", "title") or _overlays(child):
                    parent.remove(child)
            parent.attrib.pop("style", None)
        root.attrib.pop("id", None)
        root.set("role", "img")
        root.set("aria-labelledby", f"chart-{self.name}-title")
        title = etree.Element("title", {"id": f"chart-{self.name}-title"})
        title.text = self.title
        root.insert(0, title)
        for node in root.iter("g"):
            names = node.get("class", "").split()
            number = next((name[6:] for name in names if name.startswith("serie-")), None)
            if number is not None:
                look = self.series[len(self.series) - 1 - int(number)].look
                node.set("class", f"{node.get('class')} smsflow-chart__{look}")
        for text in root.iter("text"):
            if text.text in chart.x_labels:
                day = self.days[chart.x_labels.index(text.text)]
                text.text = date_format(day, "j M")
        plot = next(node for node in root.iter("g") if "plot" in node.get("class", "").split())
        plot.extend(self._bands(chart))
        return root

    def _bands(self, chart: Any) -> Iterator[Any]:
        """Yield what tells about a day, as high as the chart; and the marks."""
        height, breadth = chart.view.height, chart.view.width / max(len(self.days), 1)
        middles = [chart.view.x(at) for at in chart._x_pos]
        for place, (day, middle) in enumerate(zip(self.days, middles, strict=False)):
            if day in self.marks:
                yield from _mark(middle, chart.view.width, height, self.marks[day])
            band = etree.Element(
                "rect",
                {
                    "class": "smsflow-chart__day",
                    "x": f"{middle - breadth / 2:.2f}",
                    "y": "0",
                    "width": f"{breadth:.2f}",
                    "height": f"{height:.2f}",
                },
            )
            tooltip = etree.SubElement(band, "title")
            tooltip.text = "\n".join(
                (
                    date_format(day, "D j M Y"),
                    *(f"{one.label}: {self.words(one.values[place])}" for one in self.series),
                    *([self.marks[day]] if day in self.marks else []),
                )
            )
            yield band


def _overlays(node: Any) -> bool:
    """Return whether something is there for pygal's own tooltips only."""
    names = node.get("class", "").split()
    return "plot" in names and len(names) > 1


def _mark(middle: float, width: float, height: float, words: str) -> Iterator[Any]:
    yield etree.Element(
        "line",
        {
            "class": "smsflow-chart__mark",
            "x1": f"{middle:.2f}",
            "x2": f"{middle:.2f}",
            "y1": "0",
            "y2": f"{height:.2f}",
        },
    )
    # near the end there is room for its name on the other side only
    late = middle > width - MARK_WIDTH
    side, look = (
        (-4, "smsflow-chart__mark-name smsflow-chart__mark-name--late") if late else (4, "smsflow-chart__mark-name")
    )
    text = etree.Element("text", {"class": look, "x": f"{middle + side:.2f}", "y": "10"})
    text.text = words
    yield text


def ticks(lowest: float, highest: float, most: int = TICKS) -> list[float]:
    """Return round numbers from at or below ``lowest`` to at or above ``highest``, 0 among them."""
    lowest, highest = min(lowest, 0), max(highest, 0)
    if lowest == highest:
        return [0, 1]
    # texts and people are whole, and below a unit of money nothing is worth a line
    rough = max((highest - lowest) / most, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough)
    first, last = math.floor(lowest / step), math.ceil(highest / step)
    return [_plain(step * number) for number in range(first, last + 1)]


def _plain(value: float) -> float:
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def named_days(count: int, most: int = NAMED) -> list[int]:
    """Return the places of the days that are named below a chart, the first one among them."""
    if count <= most:
        return list(range(count))
    step = math.ceil((count - 1) / (most - 1))
    return list(range(0, count, step))
