"""Chance that is the same each time: a person who comes again goes the same way. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def way(key: str, step: str, weights: Sequence[int]) -> int:
    """Return which of the ``weights`` the person ``key`` falls to at ``step``."""
    total = sum(weights)
    digest = hashlib.sha256(f"{step}:{key}".encode()).digest()
    # 64 bits are so many more than any total that the remainder favours nobody
    point = int.from_bytes(digest[:8], "big") % max(total, 1)
    for place, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return place
    return len(weights) - 1
