"""Which flows use a snippet, in their live form or in their draft."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.flows.models import CopySnippet, Flow
from smsflow_plugin.flows.snippets import names_in
from smsflow_plugin.flows.texts import words_of


@dataclass(frozen=True, slots=True)
class Use:
    """``live`` says that people get texts of this flow with the snippet's words as they were when it was published."""

    flow: Flow
    live: bool


def uses_of(snippets: Iterable[CopySnippet]) -> dict[int, list[Use]]:
    """Return the uses of each snippet by its id, with one query for all of them together."""
    wanted = {(snippet.store_id, snippet.name): snippet.pk for snippet in snippets}
    uses: dict[int, list[Use]] = {pk: [] for pk in wanted.values()}
    flows = Flow.objects.filter(store__in={store for store, _name in wanted}).select_related("latest_revision")
    for flow in flows.order_by("name"):
        live = set(_names(flow.steps.get_prep_value())) if flow.live else set()
        for name in live | set(_names(_draft(flow))):
            if (pk := wanted.get((flow.store_id, name))) is not None:
                uses[pk].append(Use(flow, name in live))
    return uses


def _draft(flow: Flow) -> list[Any]:
    if flow.latest_revision is None:
        return list(flow.steps.get_prep_value())
    steps = flow.latest_revision.content.get("steps") or []
    return list(json.loads(steps) if isinstance(steps, str) else steps)


def _names(steps: list[Any]) -> Iterator[str]:
    for words in words_of(steps):
        yield from names_in(words.text)
