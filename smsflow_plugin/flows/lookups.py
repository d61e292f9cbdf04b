"""What the compiler has to ask of a store: its segments, its other flows, its snippets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

from smsflow_plugin.flows.models import CopySnippet, Flow, Segment
from smsflow_plugin.flows.pictures import picture_address


class Lookups(Protocol):
    """The questions. What belongs to another store is not there."""

    def segments(self, pk: int) -> Any | None:
        """Return a segment's rules, None if there is no such segment."""

    def flow_exists(self, pk: int) -> bool: ...

    def snippet(self, name: str) -> Mapping[str, str] | None:
        """Return a snippet's texts by language, "" for the main one."""

    def picture(self, pk: int) -> str:
        """Return the public address of an image.

        :raises UnfitPicture: if it cannot go with a text.
        """


class Nothing:
    """Answers for a flow that has no store yet: there is nothing."""

    def segments(self, pk: int) -> Any | None:
        return None

    def flow_exists(self, pk: int) -> bool:
        return False

    def snippet(self, name: str) -> Mapping[str, str] | None:
        return None

    def picture(self, pk: int) -> str:
        return picture_address(pk)  # images belong to no store


class StoreLookups:
    """Asks the database, at most once for each kind of thing however often it is asked."""

    def __init__(self, store_id: int) -> None:
        self.store_id = store_id
        self._pictures: dict[int, str] = {}

    def segments(self, pk: int) -> Any | None:
        segment = self._segments.get(pk)
        return None if segment is None else segment.rules

    def flow_exists(self, pk: int) -> bool:
        return pk in self._flows

    def snippet(self, name: str) -> Mapping[str, str] | None:
        return self._snippets.get(name)

    def picture(self, pk: int) -> str:
        if pk not in self._pictures:
            self._pictures[pk] = picture_address(pk)
        return self._pictures[pk]

    @cached_property
    def _segments(self) -> dict[int, Segment]:
        return {segment.pk: segment for segment in Segment.objects.filter(store=self.store_id)}

    @cached_property
    def _flows(self) -> frozenset[int]:
        return frozenset(Flow.objects.filter(store=self.store_id).values_list("pk", flat=True))

    @cached_property
    def _snippets(self) -> dict[str, Mapping[str, str]]:
        rows = CopySnippet.objects.filter(store=self.store_id).values_list("name", "text", "translations")
        return {name: {**(translations or {}), "": text} for name, text, translations in rows}
