"""Where a made-up year takes place: its store, its flows with their versions and experiments, its days."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from smsflow_plugin import clock
from smsflow_plugin.engine.trials import HELD, SENT, copy_experiment
from smsflow_plugin.flows.program import Program, Send, Trigger, Variant
from smsflow_plugin.measurement.figures import Period
from smsflow_plugin.models import Flow, FlowVersion, Store
from tests.bench.truth import Trial, Truth
from tests.flows.people import send, wait
from tests.flows.steps import flow as form_of

DAYS = 365
PRICE = Decimal("0.00790")

#: Odd: so no two numbers of texts come to the same code of a link.
SCATTER = 2_654_435_761

#: Which share orders within the window after the text, by arm. None of them cancels.
COPY = {"A": 0.40, "B": 0.62}
HOLDOUT = {HELD: 0.30, SENT: 0.55}
HELD_PERCENT = 20
#: On which days of the year they run.
COPY_DAYS, HOLDOUT_DAYS = (200, 230), (250, 330)

WORDS = Send("s1", {"": "Hello"}, variants=(Variant("B", 50, {"": "Hi"}),))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Setting:
    """A store with its flows and the days of its year, and the one source of chance."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.chance = store, random.Random(seed)
        self.prefix = f"{store.pk}-{seed}"
        self.truth = Truth(store, year_before(store))
        self.end = self.at(DAYS)
        self.window = timedelta(days=store.attribution_days)
        self.foreign = "USD" if store.currency == "EUR" else "EUR"
        self.number = 0
        self.versions = {
            name: self.flow(name, *parts)
            for name, parts in {
                "Welcome": (Send("s1", {"": "Welcome"}), 0),
                "Letters": (Send("s1", {"": "News"}), 0),
                "Trial": (WORDS, 0),
                "Winback": (Send("s1", {"": "We miss you"}), HELD_PERCENT),
            }.items()
        }
        flows = self.truth.flows
        self.copy = copy_experiment(flows["Trial"].pk, WORDS)
        self.holdout = f"flow:{flows['Winback'].pk}@{HELD_PERCENT}"
        self.truth.trials = {
            self.copy: Trial(COPY["B"] - COPY["A"]),
            self.holdout: Trial(HOLDOUT[SENT] - HOLDOUT[HELD]),
        }

    def at(self, day: int, seconds: int = 0) -> datetime:
        """Return a moment by the store's own clock, with its days of 23 and 25 hours."""
        clocked = datetime.combine(self.truth.period.first + timedelta(days=day), time()) + timedelta(seconds=seconds)
        return clocked.replace(tzinfo=self.truth.zone).astimezone(UTC)

    def moment(self, first: int, last: int) -> datetime:
        """Return a moment on one of these days, now and then just beside midnight."""
        seconds = self.chance.choice((0, 1, 86399)) if self.chance.random() < 0.03 else self.chance.randrange(86400)
        return self.at(self.chance.randrange(first, last), seconds)

    def flow(self, name: str, first: Send, holdout: int) -> list[FlowVersion]:
        """Make a flow with two versions, which differ in nothing that is tried."""
        flow = form_of(send(first.texts[""]), wait(), send("Still there?"), store=self.store, name=name)
        flow.live = True
        flow.save()
        versions = []
        for number, words in enumerate(("Still there?", "Are you still there?"), start=1):
            program = Program((Trigger("opted_in"),), (first, Send("s3", {"": words})), holdout=holdout)
            versions.append(
                FlowVersion.objects.create(
                    store=self.store, flow=flow, number=number, content_hash=program.content_hash,
                    program=program.to_json(), published_at=self.at(0 if number == 1 else DAYS // 2),
                )
            )  # fmt: skip
        Flow.objects.filter(pk=flow.pk).update(current_version=versions[-1])
        self.truth.flows[name] = flow
        return versions

    def name(self, sort: str) -> str:
        """Return a key that nothing else of this kind has."""
        self.number += 1
        return f"{self.prefix}-{sort}{self.number}"

    def place(self, experiment: str) -> tuple[int, str]:
        """Return the flow and the step at which an experiment is made."""
        flows = self.truth.flows
        return (flows["Trial"].pk, "s1") if experiment == self.copy else (flows["Winback"].pk, "")


def year_before(store: Store) -> Period:
    """Return the year that ended yesterday on the clock of ``store``."""
    today: date = clock.now().astimezone(Truth(store, Period(date.min, date.min)).zone).date()
    return Period(today - timedelta(days=DAYS), today - timedelta(days=1))
