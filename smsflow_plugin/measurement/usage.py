"""What a store spends on texts: today and this month, by flow, and against its budgets. For the panel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.governance.effective import StoreRules, rules_of
from smsflow_plugin.governance.spend import ELSEWHERE, NOTHING, STEP, day_of
from smsflow_plugin.messaging.models import Message, SpendDay
from smsflow_plugin.stores.models import Store

#: Flows that are named; the others are one sum.
TOP = 5


@dataclass(frozen=True, slots=True)
class Period:
    """What a day or a month came to. Texts that have no price are counted, and cost nobody knows what."""

    marketing: Decimal = NOTHING
    total: Decimal = NOTHING
    texts: int = 0
    parts: int = 0
    unpriced: int = 0
    budget: Decimal | None = None
    #: Texts whose parts the gateway has counted, too; those of them where it counted others; and the parts of both.
    compared: int = 0
    differing: int = 0
    compared_parts: int = 0
    reported_parts: int = 0

    @property
    def is_known(self) -> bool:
        return not self.unpriced

    @property
    def left(self) -> Decimal | None:
        """What marketing may still spend, None without a budget."""
        return None if self.budget is None else max(self.budget - self.marketing, NOTHING)


@dataclass(frozen=True, slots=True)
class FlowSpend:
    """What one flow's texts came to this month; ``cost`` is None if none of them has a price."""

    flow_id: int | None
    name: str
    cost: Decimal | None
    texts: int
    parts: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class Usage:
    """``part_price``: what a part costs on average this month, None if nobody knows.

    ``difference`` says where the gateway counts other parts than we do, empty if it does not.
    """

    currency: str
    today: Period
    month: Period
    flows: tuple[FlowSpend, ...]
    part_price: Decimal | None
    warnings: tuple[str, ...]
    difference: str = ""


def usage(store: Store, now: datetime) -> Usage:
    """Return what ``store`` has spent. The number of queries does not depend on how much that is."""
    rules = rules_of([store], keep=False)[store.pk]
    day = day_of(now, store.timezone)
    days = {row.day: row for row in SpendDay.objects.filter(store=store, day__gte=day.first_of_month)}
    today = _period([days[day.date]] if day.date in days else [], rules.rules.budget_day)
    month = _period(list(days.values()), rules.rules.budget_month)
    flows, part_price = _by_flow(store, day.first_of_month, now)
    limited = any(
        limit is not None for limit in (rules.rules.budget_day, rules.rules.budget_month, rules.rules.price_ceiling)
    )
    warnings = _warnings(month, bool(rules.prices), limited)
    return Usage(store.currency, today, month, flows, part_price, warnings, difference(month))


def _period(days: list[SpendDay], budget: Decimal | None) -> Period:
    return Period(
        sum((day.marketing for day in days), NOTHING),
        sum((day.total for day in days), NOTHING),
        sum(day.texts for day in days),
        sum(day.parts for day in days),
        sum(day.unpriced for day in days),
        budget,
        sum(day.compared for day in days),
        sum(day.differing for day in days),
        sum(day.compared_parts for day in days),
        sum(day.reported_parts for day in days),
    )


def difference(period: Period) -> str:
    """Say where the gateway has counted other parts than we have; empty if it has not."""
    if not period.differing:
        return ""
    counts = {
        "texts": period.differing,
        "of": period.compared,
        "reported": period.reported_parts,
        "ours": period.compared_parts,
    }
    return (
        ngettext(
            "The gateway counts other parts than we do in %(texts)d text of %(of)d:",
            "The gateway counts other parts than we do in %(texts)d texts of %(of)d:",
            period.differing,
        )
        % counts
        + " "
        + _("%(reported)d parts in all, where we count %(ours)d. Costs here go by our count; the bill may differ.")
        % counts
    )


def differences(now: datetime, days: int = 7) -> list[tuple[str, str]]:
    """Return (store, sentence) of those whose gateway has counted other parts in the last days. One query."""
    rows = (
        SpendDay.objects.filter(day__gte=(now - timedelta(days=days)).date(), differing__gt=0)
        .values("store__name")
        .annotate(
            texts=Sum("compared"), other=Sum("differing"), ours=Sum("compared_parts"), theirs=Sum("reported_parts")
        )
        .order_by("store__name")
    )
    return [
        (
            row["store__name"],
            difference(
                Period(
                    compared=row["texts"],
                    differing=row["other"],
                    compared_parts=row["ours"],
                    reported_parts=row["theirs"],
                )
            ),
        )
        for row in rows
    ]


def _by_flow(store: Store, since: date, now: datetime) -> tuple[tuple[FlowSpend, ...], Decimal | None]:
    start = datetime.combine(since, time(), ZoneInfo(store.timezone))
    texts = Message.objects.filter(store=store, queued_at__gte=start, queued_at__lte=now, spent=True)
    rows = (
        texts.values("flow_id", "flow__name")
        .annotate(
            paid=Sum("cost"),
            texts=Count("pk"),
            all_parts=Sum("parts"),
            unpriced=Count("pk", filter=Q(cost__isnull=True)),
            priced_parts=Sum("parts", filter=Q(cost__isnull=False)),
        )
        .order_by()
    )
    found = sorted(rows, key=lambda row: (-(row["paid"] or NOTHING), -row["texts"], row["flow_id"] or 0))
    flows = tuple(
        FlowSpend(
            row["flow_id"],
            row["flow__name"] or _("Answers, tests and flows that are gone"),
            row["paid"],
            row["texts"],
            row["all_parts"],
            row["unpriced"],
        )
        for row in found[:TOP]
    )
    parts = sum(row["priced_parts"] or 0 for row in found)
    paid = sum((row["paid"] or NOTHING for row in found), NOTHING)
    return flows, (paid / parts).quantize(STEP) if parts else None


def _warnings(month: Period, has_prices: bool, limited: bool) -> tuple[str, ...]:
    found = []
    if limited and not has_prices:
        found.append(_("There is a limit on what texts may cost, but no price: it limits nothing."))
    elif limited and month.unpriced:
        found.append(
            ngettext(
                "%(count)d text of this month went to a country without a price: no budget counts it.",
                "%(count)d texts of this month went to countries without a price: no budget counts them.",
                month.unpriced,
            )
            % {"count": month.unpriced}
        )
    return tuple(found)


def price_warning(store: Store) -> str:
    """Return what is wrong with the prices of a store that limits its spend, "" if nothing is. One query."""
    rules = rules_of([store], keep=False, standing=False)[store.pk]
    return price_words(store) if lacks_price(store, rules) else ""


def lacks_price(store: Store, rules: StoreRules) -> bool:
    """Return whether a store limits its spend and nobody knows what a text in its own country costs."""
    limits = (rules.rules.budget_day, rules.rules.budget_month, rules.rules.price_ceiling)
    return any(limit is not None for limit in limits) and not {ELSEWHERE, store.country} & rules.prices.keys()


def price_words(store: Store) -> str:
    return _("%(store)s limits what texts may cost, but names no price for its own country.") % {"store": store.name}
