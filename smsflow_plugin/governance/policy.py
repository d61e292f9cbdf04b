"""What rules hold: built in, for the whole site, for a store, for a flow; and which of them decided on what. Pure.

A lower level may be tighter than the one above it. It may be looser only in the settings which
the level above names in ``may_loosen``. The law stands beside all levels and cannot be loosened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from smsflow_plugin.audience import opt_in_rules
from smsflow_plugin.governance.hours import Hours, Window, every_day
from smsflow_plugin.governance.law.row import LawRow

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

#: The windows that a cap can count in.
WINDOWS: Mapping[str, timedelta] = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 30 * DAY}

#: Where carts have a rule of their own; where any marketing must be confirmed, carts need no more.
CART_COUNTRIES = opt_in_rules.countries(opt_in_rules.CART) - opt_in_rules.countries("")

#: As far back as any cap looks.
LONGEST = max(WINDOWS.values())


class Level(StrEnum):
    """Where a setting comes from."""

    BUILT_IN = "built_in"
    SITE = "site"
    STORE = "store"
    FLOW = "flow"


class Scope(StrEnum):
    """What a cap counts: all marketing texts to a person, or those of one class, one stage, one flow."""

    ALL = "all"
    PRIORITY = "priority"
    STAGE = "stage"
    FLOW = "flow"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``limit`` texts to one person in any ``window``. ``of`` is the class, the stage or the flow's id."""

    limit: int
    window: str
    scope: str = Scope.ALL
    of: str = ""

    @property
    def length(self) -> timedelta:
        return WINDOWS[self.window]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.scope, self.of, self.window

    def counts(self, flow: int, priority: str, stage: str) -> bool:
        """Return whether a text of that flow, class and stage counts, and so is held up by it, too."""
        match self.scope:
            case Scope.ALL:
                return True
            case Scope.PRIORITY:
                return priority == self.of
            case Scope.STAGE:
                return stage == self.of
            case _:
                return str(flow) == self.of


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """The rules that hold for a store's texts, or for those of one flow. ``version`` names them in the ledger."""

    week: tuple[Window | None, ...] = every_day(time(9), time(20))
    holidays_off: bool = False
    strict: bool = True
    stricter_law: tuple[LawRow, ...] = ()
    quiet_service: bool = False
    caps: tuple[Cap, ...] = (Cap(2, "day"), Cap(5, "week"))
    minimum_gap: int = 60
    look_ahead: int = 24 * 60
    when_blocked: str = "hold"
    recent_buyer_hours: int = 0
    skip_open_cases: bool = True
    exclusive_flows: frozenset[int] = frozenset()
    cart_countries: frozenset[str] = CART_COUNTRIES
    cart_confirmed: bool = True
    double_opt_in_countries: frozenset[str] = opt_in_rules.countries("")
    blocked_countries: frozenset[str] = frozenset()
    discounts: int | None = None
    discount_days: int = 30
    #: Percent of the order that must be left after the discount; and what the store earns of an order.
    margin_floor: Decimal | None = None
    gross_margin: Decimal | None = None
    escalate_unredeemed: bool = True
    budget_day: Decimal | None = None
    budget_month: Decimal | None = None
    price_ceiling: Decimal | None = None
    breaker_opt_outs: Decimal | None = Decimal(3)
    breaker_failures: Decimal | None = Decimal(25)
    breaker_volume: Decimal | None = Decimal(5)
    breaker_spend: Decimal | None = None
    breaker_least: int = 50
    texts_per_second: Decimal | None = None
    #: So many percent of the people get no marketing in a quarter, to compare with.
    holdout: int = 0
    version: int = 0

    @property
    def hours(self) -> Hours:
        return _hours(self.week, self.holidays_off, self.strict, True, self.stricter_law)

    @property
    def service_hours(self) -> Hours:
        """The store's own hours alone: no law is about news of a person's own order."""
        return _hours(self.week, self.holidays_off, self.strict, False, ())


@lru_cache(maxsize=1024)
def _hours(week: Any, holidays_off: bool, strict: bool, law: bool, stricter: Any) -> Hours:
    return Hours(week, holidays_off, strict, law, stricter)


def _narrower(above: Any, below: Any) -> Any:
    """Return the week in which both are open, day by day; windows past midnight are cut as they stand."""
    return tuple(_common(a, b) for a, b in zip(above, below, strict=True))


def _common(a: Window | None, b: Window | None) -> Window | None:
    if a is None or b is None:
        return None
    if a == b:
        return a
    spans = [_minutes(a), _minutes(b)]
    opens, closes = max(span[0] for span in spans), min(span[1] for span in spans)
    return (_wall(opens), _wall(closes)) if opens < closes else None


def _minutes(window: Window) -> tuple[float, float]:
    opens, closes = (at.hour * 60 + at.minute + at.second / 60 + at.microsecond / 6e7 for at in window)
    return opens, closes if closes > opens else closes + 24 * 60


def _wall(minutes: float) -> time:
    microseconds = round(minutes * 6e7) % (24 * 3600 * 10**6)
    seconds, rest = divmod(microseconds, 10**6)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, rest)


def _fewer(above: Any, below: Any) -> Any:
    """The lower number; None is no limit at all."""
    return below if above is None else above if below is None else min(above, below)


def _more(above: Any, below: Any) -> Any:
    """The higher number; None is no demand at all."""
    return below if above is None else above if below is None else max(above, below)


def _either(above: Any, below: Any) -> Any:
    return above or below


def _union(above: Any, below: Any) -> Any:
    return above | below


def _all_rows(above: Any, below: Any) -> Any:
    return tuple(dict.fromkeys((*above, *below)))


def _lower_caps(above: tuple[Cap, ...], below: tuple[Cap, ...]) -> tuple[Cap, ...]:
    """Every cap of both levels; of two on the same, the lower one."""
    rows = {cap.key: cap for cap in above}
    for cap in below:
        known = rows.get(cap.key)
        rows[cap.key] = cap if known is None or cap.limit < known.limit else known
    return tuple(rows.values())


def _replaced_caps(above: tuple[Cap, ...], below: tuple[Cap, ...]) -> tuple[Cap, ...]:
    """Every cap of both levels; of two on the same, the one below."""
    return tuple({**{cap.key: cap for cap in above}, **{cap.key: cap for cap in below}}.values())


def _firmer(above: str, below: str) -> str:
    order = ("hold", "stale", "drop")
    return max(above, below, key=lambda name: order.index(name) if name in order else 0)


#: How the tighter of two values is found, setting by setting.
TIGHTER: Mapping[str, Callable[[Any, Any], Any]] = {
    "week": _narrower,
    "holidays_off": _either,
    "strict": _either,
    "stricter_law": _all_rows,
    "quiet_service": _either,
    "caps": _lower_caps,
    "minimum_gap": _more,
    "look_ahead": _more,
    "when_blocked": _firmer,
    "recent_buyer_hours": _more,
    "skip_open_cases": _either,
    "exclusive_flows": _union,
    "cart_countries": _union,
    "cart_confirmed": _either,
    "double_opt_in_countries": _union,
    "blocked_countries": _union,
    "discounts": _fewer,
    "discount_days": _more,
    "margin_floor": _more,
    "gross_margin": _fewer,
    "escalate_unredeemed": _either,
    "budget_day": _fewer,
    "budget_month": _fewer,
    "price_ceiling": _fewer,
    "breaker_opt_outs": _fewer,
    "breaker_failures": _fewer,
    "breaker_volume": _fewer,
    "breaker_spend": _fewer,
    "breaker_least": _fewer,
    "texts_per_second": _fewer,
    "holdout": _more,
}
#: What no level may loosen, whatever it says.
NEVER_LOOSER = frozenset({"stricter_law"})
#: Facts about one store rather than limits: what stands lowest holds.
OWN_FACTS = frozenset({"gross_margin", "when_blocked", "holdout"})

SETTINGS = tuple(TIGHTER)


@dataclass(frozen=True, slots=True)
class Layer:
    """The settings of one level: only those that it makes. ``may_loosen``: what the level below may make looser."""

    level: Level
    values: Mapping[str, Any] = field(default_factory=dict)
    may_loosen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Effective:
    """The rules that hold, and for each setting the level that decided on it.

    ``overruled`` names what a level wanted looser than it may.
    """

    rules: PolicyRules
    origin: Mapping[str, Level]
    overruled: Mapping[str, Level] = field(default_factory=dict)


def merge(layers: Iterable[Layer], base: PolicyRules | None = None) -> Effective:
    """Return what holds when each of ``layers``, from the top down, is laid over the one before.

    The first layer may change the built-in rules as it likes; they are a start, not a limit.
    """
    values: dict[str, Any] = {item.name: getattr(base or PolicyRules(), item.name) for item in fields(PolicyRules)}
    origin: dict[str, Level] = dict.fromkeys(SETTINGS, Level.BUILT_IN)
    overruled: dict[str, Level] = {}
    free: frozenset[str] | None = None  # the first level is free in everything
    for layer in layers:
        for name, wanted in layer.values.items():
            is_free = free is None or origin[name] is Level.BUILT_IN or name in free or name in OWN_FACTS
            if is_free and name not in NEVER_LOOSER:
                loosened = name == "caps" and origin[name] is not Level.BUILT_IN
                held = _replaced_caps(values[name], wanted) if loosened else wanted
            else:
                held = TIGHTER[name](values[name], wanted)
                if held != wanted and name != "caps":
                    overruled[name] = layer.level
            if held != values[name] or is_free:
                origin[name] = layer.level
            values[name] = held
        free = layer.may_loosen if free is None else free & layer.may_loosen
    return Effective(PolicyRules(**values), origin, overruled)


def for_flow(rules: PolicyRules, values: Mapping[str, Any]) -> PolicyRules:
    """Return a store's rules with those that one flow adds: they can only be tighter."""
    return replace(rules, **{name: TIGHTER[name](getattr(rules, name), wanted) for name, wanted in values.items()})
