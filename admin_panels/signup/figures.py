"""What came of a form, by day: how many tried, were asked, confirmed, and were kept away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from smsflow_plugin import clock
from smsflow_plugin.models import OptInAttempt, OptInForm, OptInPause
from smsflow_plugin.signup.guard import LET_IN

DAYS = 14


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    tried: int
    taken: int
    confirmed: int

    @property
    def kept_away(self) -> int:
        return self.tried - self.taken


def by_day(form: OptInForm) -> list[Day]:
    """Return the last days on which somebody tried, newest first. One statement."""
    zone = ZoneInfo(form.store.timezone)
    rows = (
        OptInAttempt.objects.filter(form=form, at__gt=clock.now() - timedelta(days=DAYS))
        .annotate(day=TruncDate("at", tzinfo=zone))
        .values_list("day")
        .annotate(
            tried=Count("pk"),
            taken=Count("pk", filter=Q(outcome__in=sorted(outcome.value for outcome in LET_IN))),
            confirmed=Count("confirmed_at"),
        )
        .order_by("-day")
    )
    return [Day(*row) for row in rows]


def open_pauses(form: OptInForm) -> list[OptInPause]:
    """Return the numbers that are stopped in the form's store."""
    return list(OptInPause.objects.filter(store_id=form.store_id, resumed_at=None).order_by("-paused_at"))
