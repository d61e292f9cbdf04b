"""Texts have a price: it is written down, held against the rules, and given back when they do not go."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin import clock
from smsflow_plugin.engine import advance as pump_module
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.flows.program import Send
from smsflow_plugin.messaging.actions import SendTestText
from smsflow_plugin.messaging.outbox import cancel_queued
from smsflow_plugin.messaging.spending import give_back, recount
from smsflow_plugin.models import Contact, Decision, Message, Policy, SpendDay, Store
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact
from tests.money.shop import allow

pytestmark = pytest.mark.django_db

TODAY = date(2026, 3, 4)


def send(store: Store, people: int, text: str = "Hello", start: int = 100, **flow: Any) -> None:
    """Let so many people come in to a flow of one text."""
    make_flow(store, Send("s", {"": text}), **flow)
    come(store, people, start)


def come(store: Store, people: int, start: int) -> None:
    for n in range(start, start + people):
        happened(store, "opted_in", phone=f"+1202555{n:04d}", consent="granted")
    pump()


def spent() -> tuple[Decimal, Decimal, int, int, int]:
    row = SpendDay.objects.get(day=TODAY)
    return row.marketing, row.total, row.texts, row.parts, row.unpriced


def test_what_a_text_costs_is_known_when_it_is_queued(store: Store) -> None:
    allow(prices={"US": "0.0083", "": "0.05"})
    send(store, 2, "x" * 150)
    assert set(Message.objects.values_list("cost", "country", "parts", "spent")) == {
        (Decimal("0.01660"), "US", 2, True)
    }
    assert spent() == (Decimal("0.0332"), Decimal("0.0332"), 2, 4, 0)


def test_prices_come_from_the_store_then_the_site_then_the_setting(store: Store, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PART_PRICE": {"USD": "0.3"}}
    allow()
    send(store, 1)
    Policy.objects.create(prices={"US": "0.2"})
    come(store, 1, 200)
    Policy.objects.filter(store=store).update(prices={"US": "0.1"})
    come(store, 1, 300)
    assert [message.cost for message in Message.objects.order_by("pk")] == [
        Decimal("0.3"), Decimal("0.2"), Decimal("0.1"),
    ]  # fmt: skip


def test_without_a_price_the_cost_is_unknown_and_counted_as_that(store: Store) -> None:
    allow(budget_day="0.01")
    send(store, 3)
    assert list(Message.objects.values_list("cost", flat=True)) == [None] * 3
    assert spent() == (0, 0, 3, 3, 3)


def test_a_text_above_the_ceiling_is_not_sent(store: Store) -> None:
    allow(prices={"": "0.01"}, price_ceiling="0.015")
    send(store, 1, "x" * 150)
    assert not Message.objects.exists()
    decision = Decision.objects.get()
    assert (decision.verdict, decision.reason) == ("skip", "price")
    assert decision.notes == [{"rule": "price", "cost": "0.02", "ceiling": "0.015", "parts": 2, "country": "US"}]


def test_news_of_an_order_goes_whatever_it_costs(store: Store) -> None:
    allow(prices={"": "9"}, price_ceiling="0.01", budget_day="0.01")
    send(store, 2, message_class="service")
    assert spent() == (0, 18, 2, 2, 0)


def test_what_the_budget_does_not_pay_waits_until_the_next_day(store: Store, still: TestClock) -> None:
    allow(prices={"": "0.01"}, budget_day="0.02")
    send(store, 3)
    assert Message.objects.count() == 2
    decision = Decision.objects.get(verdict="defer")
    # midnight in New York is closed; then it opens
    assert (decision.reason, decision.until) == ("quiet_hours", datetime(2026, 3, 5, 14, tzinfo=UTC))
    assert {"rule": "budget", "until": "2026-03-05T00:00:00-05:00"} in decision.notes
    come(store, 1, 300)
    assert Message.objects.count() == 2
    still.move(days=1)
    pump()
    assert Message.objects.count() == 4
    assert spent()[0] == Decimal("0.02")
    assert SpendDay.objects.get(day=TODAY + timedelta(days=1)).marketing == Decimal("0.02")


def test_the_month_has_a_budget_of_its_own(store: Store) -> None:
    allow(prices={"": "0.01"}, budget_day="9", budget_month="0.05")
    SpendDay.objects.create(store=store, day=date(2026, 3, 1), marketing="0.04")
    SpendDay.objects.create(store=store, day=date(2026, 2, 28), marketing="7")
    send(store, 2)
    assert Message.objects.count() == 1
    until = Decision.objects.get(verdict="defer").until
    assert until == datetime(2026, 4, 1, 13, tzinfo=UTC)


def test_a_text_that_costs_more_than_a_whole_day_is_not_put_off_for_ever(store: Store) -> None:
    allow(prices={"": "0.02"}, budget_day="0.03")
    send(store, 1, "x" * 150)
    decision = Decision.objects.get()
    assert (decision.verdict, decision.reason) == ("skip", "budget")
    assert decision.notes == [{"rule": "budget", "cost": "0.04", "budget": "0.03"}]


def test_a_run_that_fails_half_way_gives_its_money_back_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(prices={"": "0.01"}, budget_day="0.01")
    real = pump_module.interpret
    failed: list[int] = []

    def interpret(*args: Any, **options: Any) -> Any:
        outcome = real(*args, **options)
        if not failed:
            failed.append(1)
            raise RuntimeError("Broken.")
        return outcome

    monkeypatch.setattr(pump_module, "interpret", interpret)
    send(store, 2)
    assert Message.objects.count() == 1
    assert spent()[0] == Decimal("0.01")


def test_texts_that_do_not_go_give_their_money_back_and_those_that_went_do_not(store: Store) -> None:
    allow(prices={"": "0.01"})
    send(store, 4)
    one, two, three, _four = Message.objects.order_by("pk")
    cancel_queued([one.contact_id], "opted_out")
    Message.objects.filter(pk=two.pk).update(state="failed", reason="rejected")
    Message.objects.filter(pk=three.pk).update(state="expired", accepted_at=clock.now())
    assert (give_back(), give_back()) == (2, 0)
    assert spent() == (Decimal("0.02"), Decimal("0.02"), 2, 2, 0)
    assert set(Message.objects.filter(pk__in=[one.pk, two.pk]).values_list("spent", flat=True)) == {False}


def test_money_given_back_today_belongs_to_the_day_on_which_it_was_spent(store: Store, still: TestClock) -> None:
    allow(prices={"": "0.01"})
    send(store, 1)
    still.move(days=1)
    Message.objects.update(state="cancelled")
    give_back()
    assert spent()[0] == 0


def test_the_nightly_count_makes_the_days_from_the_texts(store: Store, danish_store: Store, still: TestClock) -> None:
    allow(prices={"": "0.01"})
    send(store, 2)
    texted(danish_store, "HELP", phone="+4520123456")
    pump()
    still.move(hours=12)  # the 5th in Copenhagen, still the 4th in New York
    Message.objects.filter(pk=Message.objects.filter(store=store)[0].pk).update(state="cancelled")
    SpendDay.objects.filter(store=store).update(marketing=7, texts=99)
    SpendDay.objects.filter(store=danish_store).delete()
    recount(clock.now())
    assert SpendDay.objects.get(store=store).marketing == Decimal("0.01")
    assert SpendDay.objects.get(store=store).texts == 1
    assert SpendDay.objects.get(store=danish_store).total == Decimal("0.01")
    assert give_back() == 0
    recount(clock.now())
    assert SpendDay.objects.get(store=store).marketing == Decimal("0.01")


def test_answers_to_keywords_are_counted_once(store: Store) -> None:
    allow(prices={"": "0.02"})
    make_contact(store, phone="+12025550101")
    texted(store, "HELP")
    texted(store, "HELP")
    pump()
    assert Message.objects.get().cost == Decimal("0.02")
    assert spent() == (0, Decimal("0.02"), 1, 1, 0)


def test_test_texts_are_counted(store: Store) -> None:
    allow(prices={"DK": "0.05"})
    SendTestText(store, to="+4520123456", body="Hi").execute(skip_permission_checks=True)
    assert (Message.objects.get().cost, Message.objects.get().country) == (Decimal("0.05"), "DK")
    assert spent()[1] == Decimal("0.05")


def test_the_statements_for_money_do_not_grow_with_the_people(store: Store) -> None:
    allow(prices={"": "0.01"}, budget_day="1")
    make_flow(store, Send("s", {"": "Hello"}))

    def count(people: int, start: int) -> int:
        for n in range(start, start + people):
            happened(store, "opted_in", phone=f"+1202555{n:04d}", consent="granted")
        while ingest():
            pass
        with CaptureQueriesContext(connection) as queries:
            advance()
        return len(queries)

    count(1, 100)
    assert count(3, 200) == count(20, 300)
    assert Contact.objects.count() == Message.objects.count() == 24
