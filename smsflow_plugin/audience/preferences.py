"""What people choose for themselves: which texts, and how many. Pure."""

from __future__ import annotations

from typing import Any


def preferences_of(chosen: Any) -> tuple[frozenset[str], int | None]:
    """Return the stages that a person refuses, and how many texts a week they want; None: as many as there are."""
    if not chosen or not isinstance(chosen, dict):
        return frozenset(), None
    per_week = chosen.get("per_week")
    return frozenset(chosen.get("refused") or ()), per_week if isinstance(per_week, int) else None
