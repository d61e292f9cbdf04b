"""What comes back to us only because we wrote it somewhere: nothing has happened, so nothing may follow from it.

Adapters register what knows their echoes when their app is ready, see ``audience.outward``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smsflow_plugin.events.facts import PersonFact

#: Takes (store id, fact) pairs, and returns the facts in their order, without what is an echo.
Filter = Callable[[Sequence[tuple[int, PersonFact]]], Sequence[PersonFact]]

_filters: list[Filter] = []


def register(echo_filter: Filter) -> None:
    _filters.append(echo_filter)


def without(facts: Sequence[tuple[int, PersonFact]]) -> Sequence[PersonFact]:
    """Return the facts without echoes. Part of the transaction that writes them."""
    kept = [fact for _store, fact in facts]
    for echo_filter in _filters:
        kept = list(echo_filter([(store_id, fact) for (store_id, _old), fact in zip(facts, kept, strict=True)]))
    return kept
