"""How near each live flow of a store is to its circuit breakers: for the page about governance."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from smsflow_plugin import clock
from smsflow_plugin.engine.figures import baselines_of, figures_of
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.breakers import Baseline, Figures
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.trips import BreakerTrip
from smsflow_plugin.stores.models import Store


@dataclass(frozen=True, slots=True)
class FlowHealth:
    """One live flow: what it did in the last 24 hours, what it uses to do, and what holds it if anything does."""

    flow: Flow
    figures: Figures
    baseline: Baseline
    trip: BreakerTrip | None = None

    @property
    def opt_outs(self) -> float | None:
        """Percent of the texts that made somebody leave; None where nothing was sent."""
        left = self.figures.day.left
        return 100 * self.figures.opt_outs / left if left else None

    @property
    def failures(self) -> float | None:
        left = self.figures.day.left
        return 100 * self.figures.day.failed / left if left else None

    @property
    def texts(self) -> int:
        return self.figures.day.texts

    @property
    def spend(self) -> Decimal | None:
        return self.figures.spend

    @property
    def most_texts(self) -> float | None:
        """The most that it sent on one day; None until enough is known."""
        return self.baseline.busiest if self.baseline.speaks else None


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The limits of a store, its live flows, and what holds it as a whole."""

    rules: PolicyRules
    flows: tuple[FlowHealth, ...]
    trip: BreakerTrip | None = None

    @property
    def open_trips(self) -> tuple[BreakerTrip, ...]:
        own = (health.trip for health in self.flows)
        return tuple(trip for trip in (self.trip, *own) if trip)


def breaker_state(store: Store) -> BreakerState:
    """Return how the store's live flows stand, those that are held first. A fixed number of queries.

    The caller has asked whether the user may see this store.
    """
    now = clock.now()
    flows = list(Flow.objects.filter(store=store, live=True).defer("steps", "audience").order_by("name", "pk"))
    figures = figures_of([store.pk], now).get(store.pk, {})
    baselines = baselines_of([flow.pk for flow in flows], now)
    trips = {
        trip.flow_id: trip
        for trip in BreakerTrip.objects.filter(store=store, state=BreakerTrip.State.OPEN).select_related(
            "store", "flow"
        )
    }
    health = [
        FlowHealth(flow, figures.get(flow.pk, Figures()), baselines.get(flow.pk, Baseline()), trips.get(flow.pk))
        for flow in flows
    ]
    health.sort(key=lambda one: one.trip is None)
    return BreakerState(rules_of([store], keep=False)[store.pk].rules, tuple(health), trips.get(None))
