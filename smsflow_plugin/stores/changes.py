"""Notes which days of a store have to be counted anew; ``measurement.rollups`` works them off.

It stands in the lowest room, for whatever changes a fact that is counted has to note it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import bulk
from smsflow_plugin.stores.models import Store


class ChangedDay(models.Model):
    """A day of a store of which the figures have to be counted anew.

    Rows are only added, and taken away once they are worked off, so that no worker waits for another. ``day`` is
    on the store's clock: that on which the texts in question were queued, or on which something else happened.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("day to be counted")
        verbose_name_plural = _("days to be counted")
        indexes = [models.Index(fields=["store", "day"], name="smsflow_changed_day")]

    def __str__(self) -> str:
        return f"{self.store_id}: {self.day}"


def note(moments: Iterable[tuple[int, datetime]], zones: Mapping[int, str]) -> None:
    """Note (store, moment) pairs: the figures of those days, on the stores' clocks, are out of date.

    To be called in the transaction that changes the facts. One statement, and one row a day, however many moments;
    none if there are none.

    :param zones: the time zones of these stores, by id.
    """
    note_days(days_among(moments, zones))


def days_among(moments: Iterable[tuple[int, datetime]], zones: Mapping[int, str]) -> set[tuple[int, date]]:
    """Return the days of these moments on the stores' clocks."""
    return {(pk, at.astimezone(clock_of(zones[pk])).date()) for pk, at in moments if pk in zones}


def note_days(days: Collection[tuple[int, date]]) -> None:
    """Note (store, day) pairs, where the day is known already."""
    bulk.insert(ChangedDay, ("store_id", "day"), sorted(days))


def clock_of(zone: str) -> tzinfo:
    """Return the clock of a store; UTC where its zone is one that nobody knows: figures must stop nothing."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def note_of(moments: Iterable[tuple[int, datetime]]) -> None:
    """Note the same where nobody has the stores' zones at hand: two statements."""
    found = list(moments)
    if found:
        zones = Store.objects.filter(pk__in={pk for pk, _at in found}).values_list("pk", "timezone")
        note(found, dict(zones))
