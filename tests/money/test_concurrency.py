"""Several workers at once on PostgreSQL: no budget overspent, nobody given more discounts than the rules allow."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from smsflow_plugin.engine import paying
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.performing import perform
from smsflow_plugin.flows.program import Send
from smsflow_plugin.messaging.spending import give_back, recount
from smsflow_plugin.models import Decision, Delivery, Incentive, Message, SpendDay, Store
from tests.conftest import NOON
from tests.engine.helpers import happened, make_flow
from tests.engine.test_concurrency import together
from tests.factories import make_contact
from tests.money.shop import allow, offering

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="DATABASE_URL names no PostgreSQL"
    ),
]


def come(store: Store, people: int) -> None:
    for n in range(100, 100 + people):
        make_contact(store, phone=f"+1202555{n:04d}")
        happened(store, "opted_in", phone=f"+1202555{n:04d}")
    while ingest():
        pass


@pytest.mark.parametrize("size", [1, 7])
def test_workers_never_spend_more_than_the_budget_and_all_of_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    allow(prices={"": "0.01"}, budget_day="0.25")
    make_flow(store, Send("s", {"": "Hello"}))
    come(store, 60)
    redone: list[bool] = []
    real = paying.pay

    def pay(*args: object, **options: bool) -> bool:
        enough = real(*args, **options)  # type: ignore[arg-type]
        redone.append(not enough)
        return enough

    monkeypatch.setattr(paying, "pay", pay)

    def work() -> None:
        while advance(size):
            pass

    together(work, workers=6)
    assert Message.objects.count() == 25
    assert SpendDay.objects.get().marketing == Message.objects.aggregate(all=Sum("cost"))["all"] == Decimal("0.25")
    assert Decision.objects.filter(verdict="defer").count() == 35
    assert sum(redone) <= 6, "only those who meet at the end decide anew"


def test_counting_giving_back_and_sending_at_once_lose_no_cent(store: Store) -> None:
    allow(prices={"": "0.01"}, budget_day="9")
    make_flow(store, Send("s", {"": "Hello"}))
    make_flow(store, Send("s", {"": "News"}), message_class="service", name="Service")
    come(store, 80)

    def work() -> None:
        while advance(5):
            half = Message.objects.filter(state="queued").order_by("pk").values_list("pk", flat=True)[:2]
            Message.objects.filter(pk__in=list(half)).update(state="cancelled")
            give_back(3)
            recount(NOON)

    together(work)
    while give_back():
        pass
    kept = Message.objects.exclude(state="cancelled")
    row = SpendDay.objects.get()
    assert (row.texts, row.total) == (kept.count(), kept.aggregate(all=Sum("cost"))["all"])
    assert row.marketing == kept.filter(message_class="marketing").aggregate(all=Sum("cost"))["all"]


def test_nobody_gets_two_discounts_from_two_workers(store: Store) -> None:
    allow(discounts=1)
    for name, amount in (("A", "10"), ("B", "15"), ("C", "20")):
        offering(store, name, amount)
    for n in range(100, 130):
        make_contact(store, phone=f"+1202555{n:04d}")
        happened(store, "opted_in", phone=f"+1202555{n:04d}")

    def work() -> None:
        busy = 1
        while busy or Delivery.objects.filter(state="pending").exists():
            busy = ingest(4) + advance(4) + perform(3)

    together(work)
    while perform() + advance():
        pass
    given = Incentive.objects.filter(state="given")
    assert given.count() == 30
    assert not given.values("contact").annotate(n=Count("pk")).filter(n__gt=1).exists()
    assert (
        Incentive.objects.filter(state="refused").count() == Decision.objects.filter(reason="incentive").count() == 60
    )
    assert Message.objects.count() == 90
