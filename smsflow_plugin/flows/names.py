"""The names that a text may use, by what starts the flow. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.flows.context import Names, sample_context


@dataclass(frozen=True, slots=True)
class Name:
    """``path`` as Liquid writes it; ``optional`` if some people lack it, so that copy must give a default."""

    path: str
    optional: bool


def names_for(triggers: str | Sequence[str], gathered: Names | None = None) -> list[Name]:
    """Return every name that copy of a flow with these triggers may use. Lists are shown by their first item.

    ``gathered`` is what steps before it remember: {"answers": ["size"], "codes": ["welcome"]}.
    """
    return [Name(path, value is None) for path, value in _walk("", sample_context(triggers, gathered))]


def _walk(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(f"{prefix}.{key}" if prefix else key, inner)
    elif isinstance(value, list):
        if value:
            yield from _walk(f"{prefix}[0]", value[0])
    else:
        yield prefix, value
