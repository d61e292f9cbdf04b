"""Shopify's scopes: what is implied by what, and what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def held(scopes: Iterable[str]) -> frozenset[str]:
    """Return the scopes with those that they imply: who may write customers may read them."""
    given = {scope.strip() for scope in scopes if scope.strip()}
    return frozenset(given | {f"read_{scope.removeprefix('write_')}" for scope in given if scope.startswith("write_")})


def missing(wanted: Iterable[str], granted: Iterable[str] | None) -> frozenset[str]:
    """Return what of ``wanted`` is not granted; nothing where it is not known what is (None)."""
    return frozenset() if granted is None else frozenset(wanted) - held(granted)


def shortest(scopes: Iterable[str]) -> list[str]:
    """Return the scopes without those that others imply, sorted: Shopify shows the merchant each of them."""
    given = set(scopes)
    return sorted(scope for scope in given if f"write_{scope.removeprefix('read_')}" not in given - {scope})
