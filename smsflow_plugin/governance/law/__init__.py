"""What the law of a place says about texts. Pure."""

from __future__ import annotations

from datetime import timedelta


def law_caps(country: str, region: str) -> tuple[int, timedelta] | None:
    """Return how many texts in how long a time the law of a place allows, None if it says nothing."""
    return (3, timedelta(hours=24)) if (country, region) in (("US", "FL"), ("US", "OK")) else None


def law_blocks(country: str) -> str | None:
    """Return why texts in a store's own words cannot go to a country at all, or None."""
    return "registered_templates" if country == "IN" else None
