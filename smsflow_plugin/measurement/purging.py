"""What experiments leave to the purge: who took part, once nobody counts it any more. What it came to stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Exists, OuterRef

from smsflow_plugin.attribution.models import Exposure
from smsflow_plugin.engine.purging import Kind, Rows
from smsflow_plugin.measurement.models import ExperimentStanding
from smsflow_plugin.measurement.standings import settled_at
from smsflow_plugin.signup import purging


def _exposures(before: datetime) -> Rows:
    """Those of experiments that have ended so long ago, and were counted when nothing more was to be heard of them."""
    rows = ExperimentStanding.objects.filter(running=False, last__lt=before).select_related("store")
    counted = [row.pk for row in rows if row.counted_at >= settled_at(row.store, row.last)]
    ended = ExperimentStanding.objects.filter(
        pk__in=counted, store_id=OuterRef("store_id"), experiment=OuterRef("experiment")
    )
    # whoever comes to it while it is being purged (an old version was published again) is no part of what was counted
    return Exposure.objects.filter(Exists(ended), at__lt=before)


def _forget_exposures(rows: Rows, now: datetime) -> int:
    """Delete them: a row is nothing but that somebody took part. From the first one on it is never counted again."""
    for store_id, experiment in rows.order_by().values_list("store_id", "experiment").distinct():
        ExperimentStanding.objects.filter(store_id=store_id, experiment=experiment, closed_at=None).update(
            closed_at=now
        )
    return int(rows.delete()[0])


#: Everything that is purged.
KINDS: Mapping[str, Kind] = {**purging.KINDS, "exposures": Kind(_exposures, _forget_exposures)}
