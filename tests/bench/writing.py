"""Writes what happened in a made-up year, as the pumps would have written it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import Consent
from smsflow_plugin.audience.ledger import CONTACT_COLUMNS, Statement
from smsflow_plugin.models import Click, Contact, Enrollment, Event, Exposure, Link, Message
from tests.bench.people import Person, Run, Text
from tests.bench.setting import PRICE, SCATTER, Setting


class Writer:
    """Writes people in bulk, a statement for each table; texts get their numbers by it."""

    def __init__(self, year: Setting) -> None:
        self.year = year

    def write(self, people: list[Person]) -> None:
        self.write_consent(people)
        self.write_runs([run for person in people for run in person.runs])
        texts = [text for person in people for text in person.texts]
        self.write_texts(texts)
        self.write_events(people, texts)
        self.write_links(texts)
        rows = [
            (self.year.store.pk, name, arm, person.contact.pk, *self.year.place(name), at)
            for person in people
            for name, arm, at in person.shown
        ]
        bulk.insert(Exposure, ("store_id", "experiment", "arm", "contact_id", "flow_id", "step", "at"), rows)

    def write_consent(self, people: list[Person]) -> None:
        statements = [
            Statement(person.contact, Consent(action, "marketing", "shopify_customer", at, self.year.name("c")))
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
            (self.year.store.pk, run.version.flow.pk, run.version.pk, run.contact.pk, run.key, run.status,
             run.entered_at, run.finished_at)
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
            (self.year.store.pk, text.contact.pk, text.about[0] or None, text.about[1] or None, text.step, text.variant,
             text.key, text.purpose, text.kind, self.year.store.sender, text.contact.phone, "Hello", text.parts,
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
            rows.append((self.year.store.pk, contact.pk, kind, self.year.name("e"), subject, at, data))

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

    def write_links(self, texts: list[Text]) -> None:
        """Write a link for each text of a flow, with a code as scattered as those of real ones. Every third clicked one
        was looked at by the message app, too. That is no click of anybody."""
        with_links = {f"{text.pk * SCATTER % 2**48:012x}": text for text in texts if text.flow}
        rows = [
            (self.year.store.pk, code, "https://shop.example", text.contact.pk, text.pk, min(text.clicks, default=None))
            for code, text in with_links.items()
        ]
        columns = ("store_id", "code", "target", "contact_id", "message_id", "clicked_at")
        clicks = []
        for link, code in bulk.insert(Link, columns, rows, returning=("id", "code")):
            text = with_links[code]
            if text.clicks and text.pk % 3 == 0:
                first = min(text.clicks)
                clicks += [(self.year.store.pk, link, first, "human"), (self.year.store.pk, link, first, "preview")]
                self.year.truth.note(first, robots=1)
        bulk.insert(Click, ("store_id", "link_id", "at", "kind"), clicks)
