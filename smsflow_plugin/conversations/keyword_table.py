"""The words that a store's people may text, whoever has them: its own lines, and flows that name a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.audience.replies import fold
from smsflow_plugin.conversations.models import Keyword
from smsflow_plugin.conversations.routing import KeywordLine
from smsflow_plugin.flows.models import Flow

_TEXT = "message_received"


@dataclass(frozen=True, slots=True)
class FlowWords:
    """The words that start a live flow. ``any_text``: it takes what nothing else has taken, too."""

    flow: Flow
    words: tuple[str, ...]
    any_text: bool = False


def flow_words(store_ids: Iterable[int]) -> list[FlowWords]:
    """Return the live flows of these stores that a text starts, by name. One query."""
    rows = (
        Flow.objects.filter(store__in=list(store_ids), live=True, current_version__isnull=False)
        .select_related("store", "current_version")
        .only("name", "store__name", "live", "paused_at", "closed_at", "current_version__program")
        .order_by("name", "pk")
    )
    found = []
    for flow in rows:
        triggers = list(_text_triggers(flow.current_version.program))  # type: ignore[union-attr]
        words = sorted({str(word) for trigger in triggers for word in trigger.get("words") or ()})
        any_text = any(not trigger.get("words") for trigger in triggers)
        if triggers:
            found.append(FlowWords(flow, tuple(words), any_text))
    return found


def _text_triggers(program: Any) -> Iterable[dict[str, Any]]:
    """Yield the options of what waits for a text. A program that nobody can read has none."""
    for trigger in (program.get("triggers") if isinstance(program, dict) else None) or ():
        if isinstance(trigger, dict) and trigger.get("kind") == _TEXT:
            yield trigger.get("options") or {}


def lines_of(store_id: int) -> list[Keyword]:
    """Return the store's lines that count, in their order."""
    return list(Keyword.objects.filter(store=store_id, active=True).order_by("position", "pk"))


def as_line(keyword: Keyword) -> KeywordLine:
    """Return a line as routing takes it."""
    words = keyword.words if isinstance(keyword.words, list) else []
    folded = tuple(fold(str(word)) for word in words)
    return KeywordLine(keyword.pk, folded, keyword.match, keyword.flow_id, bool(keyword.reply), keyword.tell_staff)


@dataclass(frozen=True, slots=True)
class Taken:
    """A word that stands elsewhere already: in another line, or in a live flow."""

    word: str
    line: Keyword | None = None
    flow: Flow | None = None


def taken_words(store_id: int, words: Iterable[str], match: str, *, without: int | None = None) -> list[Taken]:
    """Return those of ``words`` that the store compares in the same way already, with who has them. Two queries.

    A flow's words are compared as whole texts. Lines that are switched off count: somebody may switch them on.
    """
    wanted = {fold(word): word for word in words}
    found = []
    for line in Keyword.objects.filter(store=store_id, match=match).exclude(pk=without):
        own = {fold(str(word)) for word in line.words} if isinstance(line.words, list) else set()
        found += [Taken(wanted[word], line=line) for word in wanted if word in own]
    if match == Keyword.Match.WHOLE:
        for flow in flow_words([store_id]):
            own = {fold(word) for word in flow.words}
            found += [Taken(wanted[word], flow=flow.flow) for word in wanted if word in own]
    return found
