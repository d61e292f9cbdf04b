"""The ledger of discounts: asks governance before a code is made, and writes down what became of each.

Whoever asks holds the contact's lock, and what is asked for counts at once: so neither two flows of one batch nor
two workers ever give more than the rules allow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from smsflow_plugin import bulk
from smsflow_plugin.attribution.rules import Gift
from smsflow_plugin.engine.models import Effect, Incentive
from smsflow_plugin.engine.requests import Request
from smsflow_plugin.flows.program import Discount
from smsflow_plugin.governance import ledger
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.incentives import (
    KINDS,
    Given,
    Offer,
    Wanted,
    code_key,
    decide_discount,
    number,
)
from smsflow_plugin.governance.rules import Decision, MessageClass, Reason, Verdict
from smsflow_plugin.stores.models import Store

#: What counts: given, or about to be.
_COUNTS = (Incentive.State.WANTED, Incentive.State.GIVEN, Incentive.State.EXPIRED)

#: Amounts that a column does not take are mistakes; the maker says so.
_MOST = Decimal(10) ** 10


class RunRow(Protocol):
    @property
    def pk(self) -> int: ...
    @property
    def store_id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def flow_id(self) -> int: ...
    @property
    def trigger(self) -> Mapping[str, Any]: ...


@dataclass
class Offers:
    """The discounts that the runs of one batch want. The ledger is read when the first of them asks."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "store_id", "contact_id", "flow_id", "enrollment_id", "step", "visit", "kind", "amount", "minimum", "state",
        "notes", "wanted_at",
    )  # fmt: skip

    now: datetime
    stores: Mapping[int, Store]
    rules: Mapping[int, StoreRules]
    contact_ids: Collection[int]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    decisions: list[tuple[Any, ...]] = field(default_factory=list)
    _ledger: dict[int, list[Given]] | None = None

    def weigh(self, discount: Discount, request: Request, run: RunRow) -> Request:
        """Return the request as it may be made: as it is, refused, or answered with a code that the person holds."""
        wanted = self._wanted(discount, run)
        if wanted is None or request.error:
            return request  # whoever makes codes says what is wrong with it
        rules = self.rules[run.store_id].rules
        own = self._ledger_of(run.contact_id)
        offer = decide_discount(wanted, own, rules, self.now)
        if offer.notes:
            self._decide(offer, request, run)
        if offer.reuse is not None:
            return replace(request, answer=offer.reuse.code)
        self._note(offer, wanted, request, run)
        if not offer.allowed:
            return replace(request, error=_("The rules for discounts allow none."))
        own.append(Given(wanted.kind, wanted.amount, self.now))
        return request

    def write(self) -> None:
        """Write the ledger and the decisions on it, in two statements at most."""
        bulk.insert(Incentive, self.COLUMNS, self.rows)
        ledger.write(self.decisions)

    def _wanted(self, discount: Discount, run: RunRow) -> Wanted | None:
        amount = Decimal(0) if discount.kind == "shipping" else number(discount.amount)
        minimum = number(discount.minimum or 0)
        if discount.kind not in KINDS or amount is None or amount >= _MOST or minimum is None or minimum >= _MOST:
            return None
        value = _cart_value(run.trigger, self.stores[run.store_id].currency)
        return Wanted(discount.kind, amount, minimum or None, discount.valid_days, value)

    def _ledger_of(self, contact_id: int) -> list[Given]:
        if self._ledger is None:
            days = max((rules.rules.discount_days for rules in self.rules.values()), default=0)
            self._ledger = _read_ledger(self.contact_ids, self.now - timedelta(days=days), self.now)
        return self._ledger.setdefault(contact_id, [])

    def _note(self, offer: Offer, wanted: Wanted, request: Request, run: RunRow) -> None:
        state = Incentive.State.WANTED if offer.allowed else Incentive.State.REFUSED
        self.rows.append(
            (
                run.store_id, run.contact_id, run.flow_id, run.pk, request.step, request.visit, wanted.kind,
                wanted.amount, wanted.minimum, state.value, dict(offer.notes), self.now,
            )
        )  # fmt: skip

    def _decide(self, offer: Offer, request: Request, run: RunRow) -> None:
        verdict = Verdict.ALLOW if offer.allowed else Verdict.SKIP
        self.decisions.append(
            ledger.row(
                Decision(verdict, Reason.INCENTIVE, notes=(dict(offer.notes),)),
                self.now,
                store_id=run.store_id,
                contact_id=run.contact_id,
                flow_id=run.flow_id,
                enrollment_id=run.pk,
                policy_id=self.rules[run.store_id].rules.version,
                message_class=MessageClass.MARKETING.value,
                step=request.step,
                visit=request.visit,
            )
        )


def _cart_value(trigger: Mapping[str, Any], currency: str) -> Decimal | None:
    """Return what lies in the cart that started the run. A past order tells nothing of the next one."""
    cart = trigger.get("cart")
    if not isinstance(cart, Mapping) or str(cart.get("currency") or currency) != currency:
        return None
    return number(cart.get("total")) or None


def _read_ledger(contact_ids: Collection[int], since: datetime, now: datetime) -> dict[int, list[Given]]:
    """Return what these people were given since then, and the codes that they still hold, in one query."""
    found: dict[int, list[Given]] = defaultdict(list)
    rows = Incentive.objects.filter(
        Q(wanted_at__gt=since) | Q(valid_until__gt=now), contact_id__in=contact_ids, state__in=_COUNTS
    ).values_list("contact_id", "kind", "amount", "minimum", "code", "wanted_at", "valid_until", "redeemed_at")
    for contact_id, kind, amount, minimum, code, at, valid_until, redeemed_at in rows:
        given = Given(kind, amount, at, valid_until, minimum, code, redeemed_at is not None)
        found[contact_id].append(given)
    return found


# What became of them ---------------------------------------------------------------------------------


def settle(effect: Effect, code: Any, now: datetime) -> None:
    """Write down the code that was made for a request, or that none could be had. The contact must be locked."""
    own = Incentive.objects.filter(
        enrollment_id=effect.enrollment_id, step=effect.step, visit=effect.visit, state=Incentive.State.WANTED
    )
    if not isinstance(code, str) or not code:
        own.update(state=Incentive.State.FAILED)
        return
    until = now + timedelta(days=int(effect.payload.get("valid_days") or 7))
    own.update(state=Incentive.State.GIVEN, code=code[:100], code_key=code_key(code), given_at=now, valid_until=until)


def give_up(enrollments: Collection[int]) -> None:
    """Let discounts count no more whose request was called off."""
    Incentive.objects.filter(enrollment_id__in=enrollments, state=Incentive.State.WANTED).update(
        state=Incentive.State.FAILED
    )


class Ordered(Protocol):
    """An event, as far as it tells of an order."""

    @property
    def store_id(self) -> int: ...
    @property
    def contact_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


#: Events that name the codes with which somebody bought. A refund takes none back: it was used.
_BUYING = ("order_created", "order_paid")


def redeem(events: Sequence[Ordered]) -> int:
    """Note which discounts were used in new orders; return how many. Two statements, none where no code was used.

    A code is first of all that of the person who ordered. Somebody else's counts only when it can be no other.
    """
    used: dict[tuple[int, str], Ordered] = {}
    for event in events:
        for code in _codes(event):
            used.setdefault((event.store_id, code_key(code)), event)
    if not used:
        return 0
    stores, codes = {store_id for store_id, _key in used}, {key for _store, key in used}
    held: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    unused = Incentive.objects.filter(store_id__in=stores, code_key__in=codes, redeemed_at=None).order_by("-pk")
    for pk, store_id, key, contact_id in unused.values_list("pk", "store_id", "code_key", "contact_id"):
        held[store_id, key].append((pk, contact_id))
    rows = []
    for place, event in used.items():
        pk = _whose(held.get(place, ()), event.contact_id)
        if pk is not None:
            rows.append((pk, event.occurred_at, event.subject[:255], *_paid(event)))
    columns = ("redeemed_at", "order", "order_value", "order_currency")
    return bulk.update(Incentive, columns, sorted(rows), extra_where="redeemed_at IS NULL")


def _codes(event: Ordered) -> list[str]:
    order = event.data.get("order")
    codes = order.get("discount_codes") if event.kind in _BUYING and isinstance(order, Mapping) else None
    return [code for code in codes if isinstance(code, str) and code.strip()] if isinstance(codes, list) else []


def _whose(held: Sequence[tuple[int, int]], contact_id: int) -> int | None:
    own = [pk for pk, holder in held if holder == contact_id]
    if own:
        return own[0]
    return held[0][0] if len(held) == 1 else None


def _paid(event: Ordered) -> tuple[Decimal | None, str]:
    order = event.data["order"]
    value = number(order.get("total"))
    return value if value is not None and value < _MOST else None, str(order.get("currency") or "")[:3]


def gifts(used: Collection[tuple[int, str]]) -> Iterator[tuple[int, Gift]]:
    """Yield who was given these codes, by (store id, code key): (contact id, gift). One statement."""
    rows = Incentive.objects.filter(
        store_id__in={store_id for store_id, _key in used}, code_key__in={key for _store, key in used}
    ).exclude(given_at=None)
    columns = ("store_id", "contact_id", "code_key", "code", "enrollment_id", "given_at")
    for store_id, contact_id, key, code, enrollment_id, given_at in rows.values_list(*columns):
        if (store_id, key) in used:
            yield contact_id, Gift(key, code, enrollment_id, given_at)


def tidy(now: datetime) -> None:
    """Say of codes that have run out unused that they have, and of requests that nobody works on that they failed."""
    given = Incentive.objects.filter(state=Incentive.State.GIVEN, redeemed_at=None, valid_until__lt=now)
    given.update(state=Incentive.State.EXPIRED)
    working = Effect.objects.filter(
        enrollment_id=OuterRef("enrollment_id"), step=OuterRef("step"), visit=OuterRef("visit"),
        state__in=(Effect.State.QUEUED, Effect.State.WORKING),
    )  # fmt: skip
    wanted = Incentive.objects.filter(state=Incentive.State.WANTED, wanted_at__lt=now - timedelta(hours=1))
    wanted.exclude(Exists(working)).update(state=Incentive.State.FAILED)
