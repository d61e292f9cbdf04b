"""Notes the days of which the figures change as people come into flows, move between versions, and go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.stores.changes import note


def note_runs(run_ids: Collection[int]) -> None:
    """Note when these runs began and when they ended, as it stands now. Two statements, none without runs."""
    if not run_ids:
        return
    rows = Enrollment.objects.filter(pk__in=run_ids)
    columns = ("store_id", "store__timezone", "entered_at", "finished_at")
    found = list(rows.values_list(*columns))
    moments = [(store_id, at) for store_id, _zone, *moments in found for at in moments if at is not None]
    note(moments, {store_id: zone for store_id, zone, *_moments in found})


def note_people(contact_ids: Collection[int], now: datetime) -> None:
    """Note that something has just happened to these people's runs. Two statements, none without people."""
    if not contact_ids:
        return
    zones = dict(
        Contact.objects.filter(pk__in=contact_ids).order_by().values_list("store_id", "store__timezone").distinct()
    )
    note([(store_id, now) for store_id in zones], zones)
