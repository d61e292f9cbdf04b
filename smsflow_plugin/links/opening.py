"""Notes when links were first opened by a person, once that has become an event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from smsflow_plugin import bulk
from smsflow_plugin.links.models import Link


def note(opened: Iterable[tuple[int, str, datetime]]) -> None:
    """Note (store, code, moment) triples: two statements, none without any. An earlier moment is kept."""
    first: dict[tuple[int, str], datetime] = {}
    for store_id, code, at in opened:
        first[store_id, code] = min(at, first.get((store_id, code), at))
    if not first:
        return
    links = Link.objects.filter(code__in={code for _store, code in first}).values_list("pk", "store_id", "code")
    rows = [(pk, first[store_id, code]) for pk, store_id, code in links if (store_id, code) in first]
    bulk.update(Link, ("clicked_at",), sorted(rows), least=("clicked_at",))
