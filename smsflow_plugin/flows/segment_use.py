"""Which flows, and which other segments, are built on a segment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from smsflow_plugin.flows.models import Flow, Segment

#: The fields of a flow in which a segment can be chosen.
_FIELDS = ("audience", "steps", "triggers")


def flows_with_segment(segment: Segment) -> list[Flow]:
    """Return the flows that choose ``segment``, in what runs or in their newest draft."""
    flows = Flow.objects.filter(store_id=segment.store_id).select_related("latest_revision").order_by("name")
    return [flow for flow in flows if segment.pk in set(_chosen_by(flow))]


def segments_with_segment(segment: Segment) -> list[Segment]:
    """Return the other segments that choose ``segment``."""
    others = Segment.objects.filter(store_id=segment.store_id).exclude(pk=segment.pk)
    return [other for other in others if segment.pk in set(_chosen(other.rules.raw_data))]


def _chosen_by(flow: Flow) -> Iterator[int]:
    for name in _FIELDS:
        yield from _chosen(getattr(flow, name).raw_data)
        if flow.latest_revision:
            yield from _chosen(flow.latest_revision.content.get(name))


def _chosen(raw: Any) -> Iterator[int]:
    """Yield the ids of the segments in the raw data of a stream, however deep."""
    if isinstance(raw, str) and raw[:1] in "[{":
        try:
            raw = json.loads(raw)
        except ValueError:
            return
    if isinstance(raw, dict):
        value = raw.get("value")
        if raw.get("type") == "segment" and isinstance(value, dict) and value.get("segment"):
            yield value["segment"]
        for inside in raw.values():
            yield from _chosen(inside)
    elif not isinstance(raw, str | bytes) and hasattr(raw, "__iter__"):
        for inside in raw:
            yield from _chosen(inside)
