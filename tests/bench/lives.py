"""What happens to people in a made-up year, by chance. Nothing is written here."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from smsflow_plugin.engine.trials import HELD
from smsflow_plugin.models import Contact
from tests.bench.people import Order, Person, Run, Text
from tests.bench.setting import COPY, COPY_DAYS, DAY, DAYS, HELD_PERCENT, HOLDOUT, HOLDOUT_DAYS, HOUR, Setting


class Lives:
    """:param texts: about how many each person gets."""

    def __init__(self, year: Setting, texts: int) -> None:
        self.year, self.chance, self.letters = year, year.chance, max(texts - 5, 1)

    def person(self, contact: Contact) -> Person:
        chance = self.chance
        joined = self.year.moment(0, 120) if chance.random() < 0.85 else self.year.moment(120, DAYS - 5)
        person = Person(contact, joined, said=[("granted", joined)])
        if chance.random() < 0.1:
            person.said.append(("granted", joined + DAY))  # which changes nothing
        self.welcome(person)
        self.trials(person)
        for _ in range(round(self.letters * chance.uniform(0.6, 1.4) / 1.4)):
            self.letter(person)
        if chance.random() < 0.2:
            self.order(person, self.year.moment(0, DAYS))  # as anybody may who never clicks
        if chance.random() < 0.15:
            self.odd_texts(person)
        self.leave(person)
        return person

    def welcome(self, person: Person) -> None:
        later = person.joined + 2 * DAY
        self.enter(person, "Welcome", [("s1", "", person.joined), ("s3", "", later)])

    def trials(self, person: Person) -> None:
        """Show the experiments to people who are there by then. Nothing else makes them order in these days."""
        for name, days, rates in ((self.year.copy, COPY_DAYS, COPY), (self.year.holdout, HOLDOUT_DAYS, HOLDOUT)):
            at = self.year.moment(*days)
            if person.joined + 12 * DAY > at:
                continue
            first, last = rates
            shares = (
                {first: HELD_PERCENT, last: 100 - HELD_PERCENT} if name == self.year.holdout else {first: 50, last: 50}
            )
            arm = self.chance.choices(list(shares), list(shares.values()))[0]
            person.shown.append((name, arm, at))
            flow, variant = ("Trial", arm) if name == self.year.copy else ("Winback", "")
            self.enter(person, flow, [] if arm == HELD else [("s1", variant, at)], at)
            if self.chance.random() < rates[arm]:
                self.order(person, self.soon(at), forced=True)
                if self.chance.random() < 0.1:
                    self.order(person, self.soon(at), forced=True)
            elif self.chance.random() < 0.1:
                # placed before, paid for afterwards: the text has not brought it
                self.order(person, at - HOUR, paid_at=at + HOUR, forced=True)

    def soon(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.chance.randrange(60, int(self.year.window.total_seconds())))

    def letter(self, person: Person) -> None:
        at = self.year.moment(0, DAYS)
        if at < person.joined:
            return
        steps = [("s1", "", at)]
        if self.chance.random() < 0.4:
            steps.append(("s3", "", at + DAY))
        self.enter(person, "Letters", steps)

    def enter(
        self, person: Person, flow: str, steps: list[tuple[str, str, datetime]], entered: datetime | None = None
    ) -> None:
        entered = entered or steps[0][2]
        version = self.year.versions[flow][entered >= self.year.at(DAYS // 2)]
        ended: datetime | None = (steps[-1][2] if steps else entered) + timedelta(minutes=1)
        status = "finished" if self.chance.random() < 0.9 else self.chance.choice(("exited", "failed"))
        if ended is None or ended >= self.year.end or self.chance.random() < 0.02:
            status, ended = "waiting", None
        run = Run(person.contact, flow, version, self.year.name("r"), entered, ended, status)
        person.runs.append(run)
        for step, variant, at in steps:
            if at < self.year.end:
                text = Text(person.contact, at, flow, step, variant, key=f"{run.key}:{step}")
                text.about = (version.flow.pk, version.pk, step, variant)
                self.send(person, text)

    def odd_texts(self, person: Person) -> None:
        """Texts of no flow: what staff wrote, and what an admin sent to try a flow, which counts nowhere."""
        at = self.year.moment(0, DAYS)
        staff = Text(person.contact, at, kind="service", purpose="staff", key=self.year.name("t"), about=(0, 0, "", ""))
        self.send(person, staff)
        test = Text(person.contact, at, "Welcome", "s1", purpose="test_run", key=self.year.name("t"))
        test.accepted_at = test.finished_at = at
        test.about = (self.year.truth.flows["Welcome"].pk, self.year.versions["Welcome"][0].pk, "s1", "")
        person.texts.append(test)

    def send(self, person: Person, text: Text) -> None:
        """Let a text go, or not, and the person do something about it."""
        chance = self.chance
        text.parts = chance.choice((1, 1, 1, 2, 3))
        text.state, taken = chance.choices(
            (("delivered", True), ("failed", True), ("failed", False), ("expired", True), ("accepted", True),
             ("cancelled", False), ("queued", False)),
            (920, 30, 10, 10, 20, 5, 5),
        )[0]  # fmt: skip
        if taken:
            text.accepted_at = text.at + timedelta(seconds=chance.randrange(1, 90))
        if text.state not in ("queued", "accepted"):
            text.finished_at = (text.accepted_at or text.at) + timedelta(seconds=chance.randrange(1, 600))
        person.texts.append(text)
        if text.state != "delivered":
            return
        assert text.accepted_at is not None
        if chance.random() < 0.15:
            self.click(person, text, text.accepted_at + timedelta(seconds=chance.randrange(5, 2 * 86400)))
        if chance.random() < 0.03:
            at = text.accepted_at + timedelta(seconds=chance.randrange(30, 70 * 3600))
            text.replied_at = at if at < self.year.end else None

    def click(self, person: Person, text: Text, at: datetime) -> None:
        if at >= self.year.end:
            return
        text.clicks.append(at)
        if self.chance.random() < 0.1:
            again = at + timedelta(seconds=self.chance.randrange(60, 86400))  # another link of the same text
            text.clicks += [again] if again < self.year.end else []
        if self.chance.random() < 0.3:
            # most are in time, some on the last second of it or just behind
            late = self.chance.choice((0, 1)) if self.chance.random() < 0.1 else -self.chance.randrange(1, 4 * 86400)
            self.order(person, at + self.year.window + timedelta(seconds=late))

    def order(self, person: Person, at: datetime, *, forced: bool = False, paid_at: datetime | None = None) -> None:
        """Place an order, unless chance alone decides of this person's orders at that time."""
        shown = [began for _name, _arm, began in person.shown]
        if at >= self.year.end or (not forced and any(began <= at < began + self.year.window for began in shown)):
            return
        chance = self.chance
        total = Decimal(chance.randrange(500, 30000)) / 100
        order = Order(
            self.year.name("o"), at, total, self.year.foreign if chance.random() < 0.03 else self.year.store.currency
        )
        if paid_at or chance.random() < 0.5:
            order.paid_at = paid_at or at + timedelta(seconds=chance.randrange(1, 5 * 3600))
            order.paid = total + Decimal(chance.choice((0, 0, 0, 1000, -250))) / 100
        for _ in range(chance.choices((0, 1, 2), (90, 8, 2))[0]):
            back = at + timedelta(seconds=chance.randrange(86400, 20 * 86400))
            order.refunds.append((back, Decimal(chance.randrange(100, 20000)) / 100))
        if not forced and chance.random() < 0.05:
            order.cancelled_at = at + timedelta(seconds=chance.randrange(60, 10 * 86400))
        person.orders.append(order)

    def leave(self, person: Person) -> None:
        """Let some opt out after a text, and some of these come back. What they would have got later never was."""
        person.texts.sort(key=lambda text: text.at)
        last = [text for text in person.texts if text.state == "delivered" and text.flow and text.purpose == "flow"]
        if not last or self.chance.random() > 0.12:
            return
        text = last[-1]
        assert text.accepted_at is not None
        at = text.accepted_at + timedelta(seconds=self.chance.randrange(30, 80000))
        if at >= self.year.end:
            return
        person.gone = text.opted_out_at = at
        person.said += [("revoked", at), ("revoked", at + HOUR)]
        if self.chance.random() < 0.2 and at + 30 * DAY < self.year.end:
            person.said.append(("granted", at + 30 * DAY))
