"""A year of a store that never was, always the same one for a seed, whose truth is known.

People join, get texts, click, answer, order, send back and opt out, by chance. Two experiments run: two wordings of a
text, and a holdout of a flow; how much they truly change is set here. All facts are written as the pumps would have
written them; what they come to is added up beside it, in ``Truth``. Only orders are not credited here: the project
does that (``attribution.recompute``), and the truth has its own idea of it.
"""

from __future__ import annotations

import random
import uuid
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from smsflow_plugin import bulk, clock
from smsflow_plugin.attribution.recompute import recompute
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import Consent
from smsflow_plugin.audience.ledger import CONTACT_COLUMNS, Statement
from smsflow_plugin.engine import offers
from smsflow_plugin.engine.trials import HELD, SENT, copy_experiment
from smsflow_plugin.flows.program import Program, Send, Trigger, Variant
from smsflow_plugin.measurement.figures import Period
from smsflow_plugin.models import Click, Contact, Enrollment, Event, Exposure, Flow, FlowVersion, Link, Message, Store
from tests.bench.truth import Trial, Truth
from tests.flows.people import send, wait
from tests.flows.steps import flow as form_of

DAYS = 365
CHUNK = 500
PRICE = Decimal("0.00790")

#: Which share orders within the window after the text, by arm. None of them cancels.
COPY = {"A": 0.40, "B": 0.62}
HOLDOUT = {HELD: 0.30, SENT: 0.55}
HELD_PERCENT = 20
#: On which days of the year they run.
COPY_DAYS, HOLDOUT_DAYS = (200, 230), (250, 330)

WORDS = Send("s1", {"": "Hello"}, variants=(Variant("B", 50, {"": "Hi"}),))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass
class Text:
    contact: Contact
    at: datetime
    flow: str = ""
    step: str = ""
    variant: str = ""
    kind: str = "marketing"
    purpose: str = "flow"
    key: str = ""
    pk: int = 0
    run: int | None = None
    state: str = "delivered"
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    clicks: list[datetime] = field(default_factory=list)
    replied_at: datetime | None = None
    opted_out_at: datetime | None = None
    parts: int = 1
    about: tuple[Any, ...] = ()


@dataclass
class Order:
    name: str
    at: datetime
    total: Decimal
    currency: str
    paid_at: datetime | None = None
    paid: Decimal | None = None
    refunds: list[tuple[datetime, Decimal]] = field(default_factory=list)
    cancelled_at: datetime | None = None

    @property
    def left(self) -> Decimal:
        total = self.total if self.paid is None else self.paid
        return max(total - sum((amount for _at, amount in self.refunds), Decimal(0)), Decimal(0))


@dataclass
class Run:
    contact: Contact
    flow: str
    version: FlowVersion
    key: str
    entered_at: datetime
    finished_at: datetime | None
    status: str


@dataclass
class Person:
    contact: Contact
    joined: datetime
    texts: list[Text] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    #: (experiment, arm, at)
    shown: list[tuple[str, str, datetime]] = field(default_factory=list)
    #: (action, at)
    said: list[tuple[str, datetime]] = field(default_factory=list)
    gone: datetime | None = None


def make_year(store: Store, contacts: int, seed: int, texts: int = 10) -> Truth:
    """Fill ``store``, which is empty, with a year that ends yesterday on its clock, and credit its orders.

    :param seed: no two years in one database may have the same.
    :param texts: about how many each person gets.
    """
    truth = _Year(store, seed, texts).fill(contacts)
    recompute(store, offers.gifts)
    return truth


class _Year:
    def __init__(self, store: Store, seed: int, texts: int) -> None:
        self.store, self.chance, self.letters = store, random.Random(seed), max(texts - 5, 1)
        self.prefix = f"{store.pk}-{seed}"
        self.truth = Truth(store, _year_before(store))
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
        return clocked.replace(tzinfo=self.truth.zone).astimezone(clock.now().tzinfo)

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

    # What happens ------------------------------------------------------------------------------------

    def fill(self, contacts: int) -> Truth:
        for first in range(0, contacts, CHUNK):
            people = [self.person(contact) for contact in self.contacts(first, min(CHUNK, contacts - first))]
            with transaction.atomic():
                self.write(people)
            for person in people:
                self.add_up(person)
        return self.truth

    def contacts(self, first: int, count: int) -> Iterable[Contact]:
        names = {uuid.UUID(int=self.chance.getrandbits(128)): f"+1{2_010_000_000 + first + n}" for n in range(count)}
        rows = [(self.store.pk, key, phone, "Ada", "US") for key, phone in names.items()]
        made = bulk.insert(Contact, ("store_id", "uuid", "phone", "first_name", "country"), rows)
        assert made == count, "These people are there already: another year of this seed has made them."
        return list(Contact.objects.filter(store=self.store, uuid__in=names).order_by("phone"))

    def person(self, contact: Contact) -> Person:
        chance = self.chance
        joined = self.moment(0, 120) if chance.random() < 0.85 else self.moment(120, DAYS - 5)
        person = Person(contact, joined, said=[("granted", joined)])
        if chance.random() < 0.1:
            person.said.append(("granted", joined + DAY))  # which changes nothing
        self.welcome(person)
        self.trials(person)
        for _ in range(round(self.letters * chance.uniform(0.6, 1.4) / 1.4)):
            self.letter(person)
        if chance.random() < 0.2:
            self.order(person, self.moment(0, DAYS))  # as anybody may who never clicks
        if chance.random() < 0.15:
            self.odd_texts(person)
        self.leave(person)
        return person

    def welcome(self, person: Person) -> None:
        later = person.joined + 2 * DAY
        self.enter(person, "Welcome", [("s1", "", person.joined), ("s3", "", later)])

    def trials(self, person: Person) -> None:
        """Show the experiments to people who are there by then. Nothing else makes them order in these days."""
        for name, days, rates in ((self.copy, COPY_DAYS, COPY), (self.holdout, HOLDOUT_DAYS, HOLDOUT)):
            at = self.moment(*days)
            if person.joined + 12 * DAY > at:
                continue
            first, last = rates
            shares = {first: HELD_PERCENT, last: 100 - HELD_PERCENT} if name == self.holdout else {first: 50, last: 50}
            arm = self.chance.choices(list(shares), list(shares.values()))[0]
            person.shown.append((name, arm, at))
            flow, variant = ("Trial", arm) if name == self.copy else ("Winback", "")
            self.enter(person, flow, [] if arm == HELD else [("s1", variant, at)], at)
            if self.chance.random() < rates[arm]:
                self.order(person, self.soon(at), forced=True)
                if self.chance.random() < 0.1:
                    self.order(person, self.soon(at), forced=True)
            elif self.chance.random() < 0.1:
                # placed before, paid for afterwards: the text has not brought it
                self.order(person, at - HOUR, paid_at=at + HOUR, forced=True)

    def soon(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.chance.randrange(60, int(self.window.total_seconds())))

    def letter(self, person: Person) -> None:
        at = self.moment(0, DAYS)
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
        version = self.versions[flow][entered >= self.at(DAYS // 2)]
        ended: datetime | None = (steps[-1][2] if steps else entered) + timedelta(minutes=1)
        status = "finished" if self.chance.random() < 0.9 else self.chance.choice(("exited", "failed"))
        if ended is None or ended >= self.end or self.chance.random() < 0.02:
            status, ended = "waiting", None
        run = Run(person.contact, flow, version, self.name("r"), entered, ended, status)
        person.runs.append(run)
        for step, variant, at in steps:
            if at < self.end:
                text = Text(person.contact, at, flow, step, variant, key=f"{run.key}:{step}")
                text.about = (version.flow.pk, version.pk, step, variant)
                self.send(person, text)

    def name(self, sort: str) -> str:
        self.number += 1
        return f"{self.prefix}-{sort}{self.number}"

    def odd_texts(self, person: Person) -> None:
        """Texts of no flow: what staff wrote, and what an admin sent to try a flow, which counts nowhere."""
        at = self.moment(0, DAYS)
        staff = Text(person.contact, at, kind="service", purpose="staff", key=self.name("t"), about=(0, 0, "", ""))
        self.send(person, staff)
        test = Text(person.contact, at, "Welcome", "s1", purpose="test_run", key=self.name("t"))
        test.accepted_at = test.finished_at = at
        test.about = (self.truth.flows["Welcome"].pk, self.versions["Welcome"][0].pk, "s1", "")
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
            text.replied_at = at if at < self.end else None

    def click(self, person: Person, text: Text, at: datetime) -> None:
        if at >= self.end:
            return
        text.clicks.append(at)
        if self.chance.random() < 0.1:
            again = at + timedelta(seconds=self.chance.randrange(60, 86400))  # another link of the same text
            text.clicks += [again] if again < self.end else []
        if self.chance.random() < 0.3:
            # most are in time, some on the last second of it or just behind
            late = self.chance.choice((0, 1)) if self.chance.random() < 0.1 else -self.chance.randrange(1, 4 * 86400)
            self.order(person, at + self.window + timedelta(seconds=late))

    def order(self, person: Person, at: datetime, *, forced: bool = False, paid_at: datetime | None = None) -> None:
        """Place an order, unless chance alone decides of this person's orders at that time."""
        shown = [began for _name, _arm, began in person.shown]
        if at >= self.end or (not forced and any(began <= at < began + self.window for began in shown)):
            return
        chance = self.chance
        total = Decimal(chance.randrange(500, 30000)) / 100
        order = Order(self.name("o"), at, total, self.foreign if chance.random() < 0.03 else self.store.currency)
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
        if at >= self.end:
            return
        person.gone = text.opted_out_at = at
        person.said += [("revoked", at), ("revoked", at + HOUR)]
        if self.chance.random() < 0.2 and at + 30 * DAY < self.end:
            person.said.append(("granted", at + 30 * DAY))

    # What is written ---------------------------------------------------------------------------------

    def write(self, people: list[Person]) -> None:
        self.write_consent(people)
        self.write_runs([run for person in people for run in person.runs])
        texts = [text for person in people for text in person.texts]
        self.write_texts(texts)
        self.write_events(people, texts)
        self.write_robots([text for text in texts if text.clicks])
        rows = [
            (self.store.pk, name, arm, person.contact.pk, *self.place(name), at)
            for person in people
            for name, arm, at in person.shown
        ]
        bulk.insert(Exposure, ("store_id", "experiment", "arm", "contact_id", "flow_id", "step", "at"), rows)

    def place(self, experiment: str) -> tuple[int, str]:
        flows = self.truth.flows
        return (flows["Trial"].pk, "s1") if experiment == self.copy else (flows["Winback"].pk, "")

    def write_consent(self, people: list[Person]) -> None:
        statements = [
            Statement(person.contact, Consent(action, "marketing", "shopify_customer", at, self.name("c")))
            for person in people
            for action, at in person.said
        ]
        for statement in statements:
            ledger.take_over(statement, statement.consent.effective_at)
        ledger.append(statements, clock.now())
        rows = [(one.contact.pk, *(getattr(one.contact, name) for name in CONTACT_COLUMNS)) for one in people]
        bulk.update(Contact, CONTACT_COLUMNS, rows)

    def write_runs(self, runs: list[Run]) -> None:
        columns = ("store_id", "flow_id", "version_id", "contact_id", "entry_key", "status", "entered_at",
                   "finished_at")  # fmt: skip
        rows = [
            (self.store.pk, run.version.flow.pk, run.version.pk, run.contact.pk, run.key, run.status, run.entered_at,
             run.finished_at)
            for run in runs
        ]  # fmt: skip
        bulk.insert(Enrollment, columns, rows)

    def write_texts(self, texts: list[Text]) -> None:
        columns = (
            "store_id", "contact_id", "flow_id", "version_id", "step", "variant", "key", "purpose", "message_class",
            "sender", "to", "body", "parts", "cost", "state", "queued_at", "accepted_at", "finished_at", "clicked_at",
            "replied_at", "opted_out_at",
        )  # fmt: skip
        rows = [
            (self.store.pk, text.contact.pk, text.about[0] or None, text.about[1] or None, text.step, text.variant,
             text.key, text.purpose, text.kind, self.store.sender, text.contact.phone, "Hello", text.parts,
             text.parts * PRICE, text.state, text.at, text.accepted_at, text.finished_at,
             min(text.clicks, default=None), text.replied_at, text.opted_out_at)
            for text in texts
        ]  # fmt: skip
        ids = {key: pk for pk, key in bulk.insert(Message, columns, rows, returning=("id", "key"))}
        for text in texts:
            text.pk = ids[text.key]

    def write_events(self, people: list[Person], texts: list[Text]) -> None:
        rows: list[tuple[Any, ...]] = []

        def event(contact: Contact, kind: str, at: datetime, subject: str = "", **data: Any) -> None:
            rows.append((self.store.pk, contact.pk, kind, self.name("e"), subject, at, data))

        for text in texts:
            for at in text.clicks:
                event(text.contact, "link_clicked", at, message=text.pk, url="https://shop.example")
            if text.replied_at:
                event(text.contact, "message_received", text.replied_at, text="Thanks")
            if text.opted_out_at:
                event(text.contact, "message_received", text.opted_out_at, text="STOP")
                event(text.contact, "opted_out", text.opted_out_at)
        for person in people:
            for one in person.orders:
                money = {"currency": one.currency}
                event(person.contact, "order_created", one.at, one.name, order={**money, "total": str(one.total)})
                if one.paid_at:
                    event(person.contact, "order_paid", one.paid_at, one.name, order={**money, "total": str(one.paid)})
                for at, amount in one.refunds:
                    event(person.contact, "order_refunded", at, one.name, order={**money, "refunded": str(amount)})
                if one.cancelled_at:
                    event(person.contact, "order_cancelled", one.cancelled_at, one.name)
        bulk.insert(Event, ("store_id", "contact_id", "kind", "key", "subject", "occurred_at", "data"), rows)

    def write_robots(self, texts: list[Text]) -> None:
        """Every third clicked link was looked at by the message app, too. That is no click of anybody."""
        looked = {f"{text.pk:x}": text for text in texts if text.pk % 3 == 0}
        rows = [
            (self.store.pk, code, "https://shop.example", text.contact.pk, text.pk) for code, text in looked.items()
        ]
        found = bulk.insert(Link, ("store_id", "code", "target", "contact_id", "message_id"), rows,
                            returning=("id", "code"))  # fmt: skip
        clicks = []
        for link, code in found:
            first = min(looked[code].clicks)
            clicks += [(self.store.pk, link, first, "human"), (self.store.pk, link, first, "preview")]
            self.truth.note(first, robots=1)
        bulk.insert(Click, ("store_id", "link_id", "at", "kind"), clicks)

    # What it comes to --------------------------------------------------------------------------------

    def add_up(self, person: Person) -> None:
        truth = self.truth
        self.truth.texts += len(person.texts)
        for run in person.runs:
            key = (run.version.flow.pk, run.version.pk, "", "")
            truth.add(key, run.entered_at, entered=1)
            if run.finished_at:
                truth.add(key, run.finished_at, **{"finished" if run.status == "finished" else "left": 1})
        for text in person.texts:
            if text.purpose != "test_run":
                self.add_text(text)
            for at in (text.replied_at, text.opted_out_at):
                if at:
                    truth.note(at, received=1)
        agreed = False
        for action, at in sorted(person.said, key=lambda said: said[1]):
            if agreed != (action == "granted"):
                agreed = not agreed
                truth.note(at, **{"opted_in" if agreed else "opted_out": 1})
        for order in person.orders:
            if not order.cancelled_at:
                self.add_order(person, order)
        for name, arm, at in person.shown:
            self.add_exposure(person, name, arm, at)

    def add_text(self, text: Text) -> None:
        amounts: dict[str, Any] = {"queued": 1}
        if text.accepted_at:
            amounts |= {"sent": 1, "parts": text.parts, "cost": text.parts * PRICE}
            amounts["pending"] = int(text.state == "accepted")
        if text.state in ("delivered", "failed", "expired"):
            amounts[text.state] = 1
        if text.clicks:
            assert text.accepted_at is not None
            amounts |= {"clicked": 1, "click_seconds": int((min(text.clicks) - text.accepted_at).total_seconds())}
        amounts |= {"replied": int(bool(text.replied_at)), "opted_out": int(bool(text.opted_out_at))}
        self.truth.add(text.about, text.at, **amounts)

    def add_order(self, person: Person, order: Order) -> None:
        left = order.left if order.currency == self.store.currency else Decimal(0)
        self.truth.note(order.at, orders=1, revenue=left)
        clicks = sorted((at, text.pk, text) for text in person.texts for at in text.clicks)
        place = bisect_right(clicks, order.at - timedelta(microseconds=1), key=lambda click: click[0])
        if place and order.at - clicks[place - 1][0] <= self.window:
            text = clicks[place - 1][2]
            self.truth.add(text.about, text.at, orders=1, revenue=left)
            self.truth.add(text.about, order.at, ordered=1, earned=left)

    def add_exposure(self, person: Person, name: str, arm: str, at: datetime) -> None:
        until = at + self.window
        orders = sum(at <= order.at < until and not order.cancelled_at for order in person.orders)
        flow = "Trial" if name == self.copy else "Winback"
        clicked = any(
            text.flow == flow and text.clicks and at <= min(text.clicks) < until
            for text in person.texts
            if name != self.copy or text.step == "s1"
        )
        opted_out = person.gone is not None and at <= person.gone < until
        self.truth.trials[name].arms[arm].update(
            exposed=1, converted=int(orders > 0), orders=orders, clicked=int(clicked), opted_out=int(opted_out)
        )


def _year_before(store: Store) -> Period:
    today: date = clock.now().astimezone(Truth(store, Period(date.min, date.min)).zone).date()
    return Period(today - timedelta(days=DAYS), today - timedelta(days=1))
