"""Before a test begins: how many people it takes to see a difference, and how long that is at a flow's pace.

What is told is the least that it takes: that many would do for one look at the end. Looking every day, which is what
the page of experiments allows, takes somewhat more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin import clock
from smsflow_plugin.attribution.orders import CREATED
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.program import Program
from smsflow_plugin.measurement.experiments import Design, Kind, designs_of
from smsflow_plugin.measurement.judging import BARS, Bars
from smsflow_plugin.measurement.statistics import sample_size
from smsflow_plugin.messaging.models import Message

#: The differences that are told, in points.
LIFTS = (1, 2)
#: So many days of the flow are looked at, and so many people must have come to it for a rate to be known.
DAYS = 28
ENOUGH = 100
#: Where nothing is known of a flow.
USUAL_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Pace:
    """What a flow came to of late: the share of its people who ordered, and how many there are a day.

    ``people`` is how many that is by, in so many ``days``; of too few the rate is ``USUAL_RATE``.
    """

    people: int
    ordered: int
    days: int = DAYS

    @property
    def is_known(self) -> bool:
        return self.people >= ENOUGH and 0 < self.ordered < self.people

    @property
    def rate(self) -> float:
        return self.ordered / self.people if self.is_known else USUAL_RATE

    @property
    def a_day(self) -> float:
        return self.people / self.days


@dataclass(frozen=True, slots=True)
class Size:
    """What it takes to see a difference of so many ``points``: people in all arms, and days (None: nobody knows)."""

    points: int
    people: int
    days: int | None


def sizes(pace: Pace, shares: Sequence[float], bars: Bars = BARS) -> Iterator[Size]:
    """Yield what each difference takes. The smallest arm must be large enough, and all others are compared with one."""
    confidence = 1 - (1 - bars.confidence) / max(1, len(shares) - 1)
    smallest = min(shares) / sum(shares)
    for points in LIFTS:
        lift = points / 100
        if pace.rate + lift > 1:
            continue
        each = sample_size(pace.rate, lift, confidence=confidence)
        # nothing is said before so many have ordered
        people = math.ceil(max(each / smallest, bars.conversions / pace.rate))
        days = max(bars.days, math.ceil(people / pace.a_day)) if pace.people >= ENOUGH else None
        yield Size(points, people, days)


def pace_of(flow: Flow) -> Pace:
    """Return what a flow came to in four weeks whose windows are over. Two queries, of the texts of those weeks."""
    window = timedelta(days=flow.store.attribution_days)
    end = clock.now() - window
    texts = Message.objects.filter(
        store_id=flow.store_id,
        flow_id=flow.pk,
        queued_at__gte=end - timedelta(days=DAYS),
        queued_at__lt=end,
        purpose="flow",
        contact__isnull=False,
    ).order_by()
    bought = Event.objects.filter(
        contact_id=OuterRef("contact_id"),
        kind=CREATED,
        occurred_at__gte=OuterRef("queued_at"),
        occurred_at__lt=OuterRef("queued_at") + window,
    )
    people = texts.values("contact_id").distinct().count()
    ordered = texts.filter(Exists(bought)).values("contact_id").distinct().count() if people else 0
    # a flow that is younger than that has come to them in fewer days
    began = flow.first_published_at
    days = max(1, math.ceil((end - began) / timedelta(days=1))) if began else DAYS
    return Pace(people, ordered, min(days, DAYS))


def new_tests(flow: Flow, program: Program) -> list[Design]:
    """Return the tests that begin when ``program`` is published: holdouts are none, for nobody waits for their end."""
    running: set[str] = set()
    if flow.live and flow.current_version is not None:
        running = {name for name, _design in designs_of(flow.pk, flow.current_version.compiled)}
    return [
        design
        for name, design in designs_of(flow.pk, program)
        if design.kind is not Kind.HOLDOUT and name not in running
    ]


def how_long(flow: Flow, program: Program) -> list[list[str]]:
    """Return sentences for each test that begins when ``program`` is published. No query where none does."""
    designs = new_tests(flow, program)
    if not designs:
        return []
    pace = pace_of(flow)
    return [[_basis(pace), *(_sentence(size) for size in sizes(pace, list(each.weights.values())))] for each in designs]


def _basis(pace: Pace) -> str:
    rate = _("%(number)s %%") % {"number": number_format(round(pace.rate * 100, 1), 1)}
    if not pace.is_known:
        return _("Too little is known of this flow yet, so these are for %(rate)s of the people ordering.") % {
            "rate": rate
        }
    return _("Of the people of this flow %(rate)s order, and about %(people)s come to it a day.") % {
        "rate": rate,
        "people": number_format(max(1, round(pace.a_day))),
    }


def _sentence(size: Size) -> str:
    points = ngettext("%(points)d point", "%(points)d points", size.points) % {"points": size.points}
    values = {"points": points, "people": number_format(size.people)}
    if size.days is None:
        return _("A difference of %(points)s takes at least %(people)s people.") % values
    days = ngettext("%(days)s day", "%(days)s days", size.days) % {"days": number_format(size.days)}
    if size.days > BARS.longest:
        most = ngettext("%(days)d day", "%(days)d days", BARS.longest) % {"days": BARS.longest}
        return _(
            "A difference of %(points)s takes at least %(people)s people, about %(days)s: a test lasts %(most)s at"
            " most, so it will hardly be seen."
        ) % {**values, "days": days, "most": most}
    return _("A difference of %(points)s takes at least %(people)s people, about %(days)s.") % {**values, "days": days}
