"""Segments that a store can take over as they are, and change afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.models import Segment
from smsflow_plugin.stores.models import Store


@dataclass(frozen=True, slots=True)
class ReadySegment:
    """A segment before it belongs to a store. ``rules`` are raw blocks of the form."""

    name: str | Promise
    description: str | Promise
    rules: Sequence[Mapping[str, Any]]


READY: Mapping[str, ReadySegment] = {
    "engaged": ReadySegment(
        _("Engaged in the last 90 days"),
        _("Clicked a link, answered or ordered in the last 90 days. They want to hear from you."),
        ({"type": "engaged", "value": {"within": "yes", "days": 90}},),
    ),
    "lapsing": ReadySegment(
        _("Lapsing"),
        _("Customers who have not ordered for half as long again as they usually wait. Win them back."),
        ({"type": "overdue", "value": {"within": "yes", "percent": 150, "days": 180}},),
    ),
    "vip": ReadySegment(
        _("VIP"),
        _("The best ten per cent of your customers by what they have spent."),
        ({"type": "vip", "value": {"within": "yes", "by": "best", "amount": 10}},),
    ),
}


def take_over(key: str, store: Store) -> Segment:
    """Make the ready segment ``key`` one of the store's own, unless it has one of this name. Returns the segment.

    :raises KeyError: if there is no such segment.
    """
    ready = READY[key]
    name = str(ready.name)
    segment, _made = Segment.objects.get_or_create(
        store=store,
        name=name,
        defaults={"description": str(ready.description), "rules": [dict(rule) for rule in ready.rules]},
    )
    return segment
