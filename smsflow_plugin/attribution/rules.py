"""Which text an order is credited to, by which model, and why. Pure.

One order is credited to one text, or to none. The models are asked in this order, and the first that finds a text wins:

1. **click**: the text whose link a person clicked last, within the store's days before the order.
2. **code**: the order names a discount code of ours that this person was given: the last text that told it to them.
3. **delivered**: the last marketing text that was delivered within the store's hours before the order. Off (0 hours)
   unless a store switches it on, and always named as what it is.

Answers to STOP and HELP are given no credit, and neither are texts of tests. Whoever clicks a link in a service text
and orders has come by that text, so a click or a code counts there as well, and the class is kept beside the credit;
mere delivery counts for marketing only, as a parcel that is on its way sells nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

CLICK, CODE, DELIVERED = "click", "code", "delivered"

#: Classes and purposes of texts that are given no credit, whatever happens.
NEVER_CLASSES = frozenset({"reply"})
NEVER_PURPOSES = frozenset({"test", "test_run", "test_answer"})

#: So many of the clicks that spoke for a text are kept with the credit.
TOLD = 5


@dataclass(frozen=True, slots=True)
class Window:
    """How far back a store looks: days before the order for clicks, hours for mere delivery (0: never)."""

    days: int = 5
    delivered_hours: int = 0

    def opens(self, ordered_at: datetime) -> datetime:
        return ordered_at - timedelta(days=self.days)

    def delivery_opens(self, ordered_at: datetime) -> datetime:
        return ordered_at - timedelta(hours=self.delivered_hours)


@dataclass(frozen=True, slots=True)
class Gift:
    """A discount code of ours that the person was given. ``key`` is the code as shops compare it."""

    key: str
    code: str
    enrollment_id: int | None
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Text:
    """A text to the person who ordered. ``clicks``: when people opened its links. ``told``: keys of codes in it.

    ``went``: whether it left and, as far as anybody knows, did not fail.
    """

    pk: int
    message_class: str
    queued_at: datetime
    went: bool = True
    purpose: str = "flow"
    delivered_at: datetime | None = None
    clicks: tuple[datetime, ...] = ()
    told: frozenset[str] = frozenset()
    flow_id: int = 0
    version_id: int = 0
    step: str = ""
    variant: str = ""
    enrollment_id: int | None = None

    @property
    def counts(self) -> bool:
        return self.message_class not in NEVER_CLASSES and self.purpose not in NEVER_PURPOSES


@dataclass(frozen=True, slots=True)
class Credit:
    """The text that an order is credited to. ``because`` is for whoever asks: JSON, times in ISO format."""

    text: Text
    model: str
    clicked_at: datetime | None
    because: dict[str, Any]


def credit(
    ordered_at: datetime, codes: Collection[str], texts: Sequence[Text], gifts: Sequence[Gift], window: Window
) -> Credit | None:
    """Return which text an order is credited to; None if it is credited to none.

    :param codes: keys of the discount codes that the order names.
    :param texts: all texts to the person that might have a claim, in any order. More of them change nothing.
    :param gifts: codes of ours that the person holds or held.
    """
    own = [text for text in texts if text.counts]
    return (
        _by_click(ordered_at, own, window)
        or _by_code(ordered_at, codes, own, gifts, window)
        or _by_delivery(ordered_at, own, window)
    )


def _by_click(ordered_at: datetime, texts: Sequence[Text], window: Window) -> Credit | None:
    opens = window.opens(ordered_at)
    clicks = [(at, text.queued_at, text.pk, text) for text in texts for at in text.clicks if opens <= at < ordered_at]
    clicks.sort(key=lambda click: click[:3], reverse=True)
    if not clicks:
        return None
    at, _queued_at, _pk, winner = clicks[0]
    told = [{"message": pk, "clicked_at": clicked.isoformat()} for clicked, _queued, pk, _text in clicks[:TOLD]]
    return Credit(winner, CLICK, at, {**_because(CLICK, window), "clicks": told, "clicks_in_all": len(clicks)})


def _by_code(
    ordered_at: datetime, codes: Collection[str], texts: Sequence[Text], gifts: Sequence[Gift], window: Window
) -> Credit | None:
    used = {gift.key: gift for gift in gifts if gift.key in codes}
    before = [text for text in texts if text.went and text.queued_at < ordered_at]
    # a code may stand in a link, or in words that are long blanked: then the run speaks, to which it was given
    told = [(text, used[key]) for text in before for key in sorted(used) if key in text.told]
    told = told or [
        (text, gift)
        for text in before
        for gift in gifts
        if gift.key in codes
        and gift.enrollment_id is not None
        and gift.enrollment_id == text.enrollment_id
        and gift.given_at <= text.queued_at
    ]
    if not told:
        return None
    winner, gift = max(told, key=lambda pair: (pair[0].queued_at, pair[0].pk, pair[1].key))
    return Credit(winner, CODE, None, {**_because(CODE, window), "code": gift.code, "texts": len(told)})


def _by_delivery(ordered_at: datetime, texts: Sequence[Text], window: Window) -> Credit | None:
    if not window.delivered_hours:
        return None
    opens = window.delivery_opens(ordered_at)
    arrived = [
        (text.delivered_at, text.pk, text)
        for text in texts
        if text.message_class == "marketing" and text.delivered_at and opens <= text.delivered_at < ordered_at
    ]
    if not arrived:
        return None
    at, _pk, winner = max(arrived, key=lambda one: one[:2])
    because = {**_because(DELIVERED, window), "delivered_at": at.isoformat(), "texts": len(arrived)}
    return Credit(winner, DELIVERED, None, because)


def _because(model: str, window: Window) -> dict[str, Any]:
    return {"model": model, "days": window.days, "delivered_hours": window.delivered_hours}
