"""What a store wants to be written into its shop. Kept in the connection's settings, under ``WRITES``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: The key in ``Connection.settings``.
WRITES = "writes"


@dataclass(frozen=True, slots=True)
class Wishes:
    """``phones``: a customer without a number in Shopify gets the one that we know; consent needs one there."""

    consent: bool = True
    tags: bool = False
    phones: bool = False


def wishes(settings: Any) -> Wishes:
    """Read a connection's settings; what does not stand there has its default."""
    given = settings.get(WRITES) if isinstance(settings, Mapping) else None
    given = given if isinstance(given, Mapping) else {}
    known = {name: given[name] for name in asdict(Wishes()) if isinstance(given.get(name), bool)}
    return Wishes(**known)


def with_wishes(settings: Mapping[str, Any], wanted: Wishes) -> dict[str, Any]:
    return {**settings, WRITES: asdict(wanted)}
