"""Figures by one of their keys, for tests that ask for nothing else."""

from __future__ import annotations

from datetime import date

from smsflow_plugin.measurement.figures import (
    Figures,
    Period,
    days_in,
    flows_in,
    parts_in,
    stores_in,
    summed,
    together,
)

_VERSION, _STEP, _VARIANT = 0, 1, 2


def of_stores(store_ids: list[int], period: Period) -> dict[int, Figures]:
    [found] = together(stores_in(dict.fromkeys(store_ids, period)))
    return {pk: found.get(pk, Figures()) for pk in store_ids}


def by_day(store_id: int, period: Period, flow_id: int | None = None) -> dict[date, Figures]:
    [found] = together(days_in(store_id, period, flow_id))
    return {day: found.get(day, Figures()) for day in period.days()}


def by_flow(store_id: int, period: Period) -> dict[int, Figures]:
    [found] = together(flows_in(store_id, period))
    return found


def by_step(store_id: int, flow_id: int, period: Period) -> dict[str, Figures]:
    [found] = together(parts_in(store_id, flow_id, period))
    return summed(found, _STEP)


def by_version(store_id: int, flow_id: int, period: Period) -> dict[int, Figures]:
    [found] = together(parts_in(store_id, flow_id, period))
    return summed(found, _VERSION)


def by_variant(store_id: int, flow_id: int, step: str, period: Period) -> dict[str, Figures]:
    [found] = together(parts_in(store_id, flow_id, period))
    return summed({key: figures for key, figures in found.items() if key[_STEP] == step}, _VARIANT)
