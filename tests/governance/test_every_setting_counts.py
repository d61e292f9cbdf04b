"""No setting of the panel is for show: each, stored and read as it is in life, changes what is decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from smsflow_plugin.audience.places import Place
from smsflow_plugin.engine.trials import is_held
from smsflow_plugin.governance.breakers import Baseline, Count, Figures, judge
from smsflow_plugin.governance.decide import decide
from smsflow_plugin.governance.effective import StoreRules, rules_of
from smsflow_plugin.governance.incentives import Given, Wanted, decide_discount
from smsflow_plugin.governance.policy import SETTINGS
from smsflow_plugin.governance.rules import Intent, MessageClass, Planned, Recipient, Sent
from smsflow_plugin.governance.spend import price_problem
from smsflow_plugin.messaging.pacing import rates_of
from smsflow_plugin.messaging.spending import priced
from smsflow_plugin.models import OptInForm, Policy, SpendDay, Store
from smsflow_plugin.signup.numbers import Number
from smsflow_plugin.signup.submitting import must_confirm
from tests.conftest import NOON, TestClock

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = NOON + 10 * HOUR  # 21:00 in New York
NEW_YORK, TOKYO = Place("America/New_York", "US", "NY"), Place("Asia/Tokyo", "JP")
ADA = Recipient(True, "granted", "unknown", (Place("Europe/Copenhagen", "DK"),))
PROMO = Intent(MessageClass.MARKETING, flow=2, priority="promo", rank=2500, stage="news", reached_at=NOON)
NIGHTS = [["00:00", "23:59"]] * 7
CLOSED = [None] * 7

Answer = Callable[[Store, StoreRules], Any]


@dataclass(frozen=True)
class Flip:
    """A setting's two values; ``answer`` must be different for them. ``beside``: other columns of both."""

    before: Any
    after: Any
    answer: Answer
    beside: dict[str, Any] | None = None


def verdict(intent: Intent = PROMO, person: Recipient = ADA, at: Any = NOON) -> Answer:
    def answer(store: Store, own: StoreRules) -> Any:
        decision = decide(intent, own.rules, person, at, own.situation)
        return decision.verdict, decision.reason, decision.until

    return answer


def breaker(figures: Figures, usual: Baseline | None = None) -> Answer:
    return lambda store, own: judge(figures, usual or Baseline(), own.rules)


def discount(amount: int, *had: Given, **values: Any) -> Answer:
    want = Wanted("percent", Decimal(amount), **values)
    return lambda store, own: decide_discount(want, list(had), own.rules, NOON).allowed


def confirms(country: str) -> Answer:
    def answer(store: Store, own: StoreRules) -> bool:
        number = Number("+4520123456", country, 45)
        return must_confirm(OptInForm(store=store, level="single"), number)

    return answer


def too_dear(store: Store, own: StoreRules) -> Any:
    return price_problem(own.rules, Decimal("0.10"), "US", 1)


def given(days_ago: float, amount: int = 10, *, redeemed: bool = False) -> Given:
    at = NOON - days_ago * DAY
    return Given("percent", Decimal(amount), at, at + DAY / 2, code="OLD", redeemed=redeemed)


CART = replace(PROMO, priority="lifecycle", stage="cart", cart="c", cart_at=NOON - HOUR)
SERVICE = Intent(MessageClass.SERVICE, flow=3, priority="service", rank=1)
TIRED = replace(ADA, sends=(Sent(NOON - 2 * HOUR),))
CAP = [{"limit": 1, "window": "day"}]
AHEAD = replace(ADA, planned=(Planned(NOON + 3 * HOUR, 1, 9),))
BUYER = replace(ADA, last_order_at=NOON - HOUR)
LATE = replace(PROMO, reached_at=NOON - 23 * HOUR)
DANE = ADA

FLIPS: dict[str, Flip] = {
    "week": Flip(None, CLOSED, verdict()),
    "holidays_off": Flip(False, True, verdict(at=NOON + 29 * DAY)),  # Maundy Thursday
    "strict": Flip(True, False, verdict(person=replace(ADA, places=(ADA.places[0], TOKYO)))),
    "stricter_law": Flip(
        [],
        [{"country": "DK", "daily": "20:00-21:00"}],
        verdict(),
    ),
    "quiet_service": Flip(False, True, verdict(SERVICE, at=NIGHT)),
    "caps": Flip([], CAP, verdict(person=TIRED), {"minimum_gap": 0}),
    "minimum_gap": Flip(60, 180, verdict(person=TIRED)),
    "look_ahead": Flip(0, 600, verdict(person=AHEAD), {"caps": CAP}),
    "when_blocked": Flip("hold", "stale", verdict(replace(LATE, rank=1), TIRED), {"caps": CAP}),
    "flow_order": Flip([], [9, 2], lambda store, own: own.rank(2, "promo", 1) < own.rank(9, "promo", 2)),
    "recent_buyer_hours": Flip(0, 48, verdict(person=BUYER)),
    "skip_open_cases": Flip(False, True, verdict(person=replace(ADA, open_case=True))),
    "exclusive_flows": Flip([], [7], verdict(person=replace(ADA, in_flows=frozenset({7})))),
    "cart_countries": Flip([], ["DK"], verdict(CART)),
    "cart_confirmed": Flip(False, True, verdict(CART), {"cart_countries": ["DK"]}),
    "double_opt_in_countries": Flip([], ["DK"], confirms("DK")),
    "blocked_countries": Flip([], ["DK"], verdict()),
    "discounts": Flip(None, 1, discount(10, given(1))),
    "discount_days": Flip(30, 3, discount(10, given(5)), {"discounts": 1}),
    "margin_floor": Flip(None, 30, discount(20), {"gross_margin": 40}),
    "gross_margin": Flip(60, 40, discount(20), {"margin_floor": 30}),
    "escalate_unredeemed": Flip(False, True, discount(20, given(1, redeemed=True)), {"discounts": 5}),
    "budget_day": Flip(None, 1, verdict()),
    "budget_month": Flip(None, 1, verdict()),
    "price_ceiling": Flip(None, Decimal("0.05"), too_dear),
    "prices": Flip({}, {"DK": "0.07"}, lambda store, own: priced(own.prices, "+4520123456", 2).cost),
    "texts_per_second": Flip(None, 5, lambda store, own: rates_of([store.pk])),
    "breaker_opt_outs": Flip(99, 3, breaker(Figures(Count(100, 0, 0), opt_outs=20))),
    "breaker_failures": Flip(99, 20, breaker(Figures(Count(100, 60, 0)))),
    "breaker_volume": Flip(50, 2, breaker(Figures(Count(0, 0, 500)), Baseline.of([(100, 0, 0)] * 28))),
    "breaker_spend": Flip(None, 5, breaker(Figures(Count(1), spend=Decimal(6)))),
    "holdout": Flip(0, 50, lambda store, own: is_held("somebody", "a salt", own.rules.holdout)),
    "breaker_least": Flip(50, 10, breaker(Figures(Count(30, 30, 0)))),
}


def test_every_column_of_the_panel_is_flipped_here() -> None:
    own = {
        "id", "store", "latest_revision", "live", "has_unpublished_changes", "first_published_at", "last_published_at",
        "live_revision", "go_live_at", "expire_at", "expired", "locked", "locked_at", "locked_by",
    }  # fmt: skip
    columns = {field.name for field in Policy._meta.concrete_fields} - own
    assert columns == FLIPS.keys() | {"may_loosen"}, "what stores may loosen: see below"
    assert set(SETTINGS) <= FLIPS.keys()


@pytest.mark.parametrize("name", FLIPS)
def test_a_setting_changes_what_is_decided(danish_store: Store, still: TestClock, name: str) -> None:
    store, flip = danish_store, FLIPS[name]
    SpendDay.objects.create(store=store, day=NOON.date(), marketing=2)
    answers = []
    for value in (flip.before, flip.after):
        Policy.objects.filter(store=store).update(**{**(flip.beside or {}), name: value})
        Policy.objects.get(store=store).full_clean(exclude=["latest_revision", "live_revision"])
        answers.append(flip.answer(store, rules_of([store], keep=False)[store.pk]))
    assert answers[0] != answers[1]


@pytest.mark.parametrize("name", sorted(set(FLIPS) - {"flow_order", "prices", "exclusive_flows"}))
def test_a_setting_of_the_site_counts_for_a_store_that_says_nothing(
    danish_store: Store, still: TestClock, name: str
) -> None:
    store, flip = danish_store, FLIPS[name]
    site = Policy.objects.create(store=None)
    SpendDay.objects.create(store=store, day=NOON.date(), marketing=2)
    answers = []
    for value in (flip.before, flip.after):
        Policy.objects.filter(pk=site.pk).update(**{**(flip.beside or {}), name: value})
        answers.append(flip.answer(store, rules_of([store], keep=False)[store.pk]))
    assert answers[0] != answers[1]


def test_a_store_is_looser_only_where_the_site_lets_it(store: Store, still: TestClock) -> None:
    site = Policy.objects.create(store=None, minimum_gap=120, caps=CAP)
    Policy.objects.filter(store=store).update(minimum_gap=5, caps=[{"limit": 9, "window": "day"}])
    held = rules_of([store], keep=False)[store.pk].rules
    assert (held.minimum_gap, [cap.limit for cap in held.caps if cap.window == "day"]) == (120, [1])
    Policy.objects.filter(pk=site.pk).update(may_loosen=["minimum_gap"])
    held = rules_of([store], keep=False)[store.pk].rules
    assert (held.minimum_gap, [cap.limit for cap in held.caps if cap.window == "day"]) == (5, [1])


def test_a_store_cannot_give_itself_leave(store: Store, still: TestClock) -> None:
    Policy.objects.create(store=None, minimum_gap=120)
    Policy.objects.filter(store=store).update(minimum_gap=5, may_loosen=list(SETTINGS))
    assert rules_of([store], keep=False)[store.pk].rules.minimum_gap == 120
