"""Adds up what a made-up year came to, in plain Python and by rules written anew: nothing here asks the project."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.bench.people import Order, Person, Text
from tests.bench.setting import PRICE, Setting


class Adder:
    """Adds what befell each person to the truth of the year. An order is credited to the last click before it."""

    def __init__(self, year: Setting) -> None:
        self.year = year

    def add_up(self, person: Person) -> None:
        """Add everything of this person, who has been written: a text has its number by then."""
        truth = self.year.truth
        truth.texts += len(person.texts)
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
        self.year.truth.add(text.about, text.at, **amounts)

    def add_order(self, person: Person, order: Order) -> None:
        left = order.left if order.currency == self.year.store.currency else Decimal(0)
        self.year.truth.note(order.at, orders=1, revenue=left)
        clicks = sorted((at, text.pk, text) for text in person.texts for at in text.clicks)
        place = bisect_right(clicks, order.at - timedelta(microseconds=1), key=lambda click: click[0])
        if place and order.at - clicks[place - 1][0] <= self.year.window:
            text = clicks[place - 1][2]
            self.year.truth.add(text.about, text.at, orders=1, revenue=left)
            self.year.truth.add(text.about, order.at, ordered=1, earned=left)

    def add_exposure(self, person: Person, name: str, arm: str, at: datetime) -> None:
        """Count somebody who was exposed, and what they did within the window, whatever became of the text."""
        until = at + self.year.window
        orders = sum(at <= order.at < until and not order.cancelled_at for order in person.orders)
        flow = "Trial" if name == self.year.copy else "Winback"
        clicked = any(
            text.flow == flow and text.clicks and at <= min(text.clicks) < until
            for text in person.texts
            if name != self.year.copy or text.step == "s1"
        )
        opted_out = person.gone is not None and at <= person.gone < until
        self.year.truth.trials[name].arms[arm].update(
            exposed=1, converted=int(orders > 0), orders=orders, clicked=int(clicked), opted_out=int(opted_out)
        )
