"""One turn of one shop: what those who write into it are given, and how an entry ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from django.db.models import F

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.errors import (
    NotGranted,
    Refused,
    ShopifyTrouble,
    Throttled,
    Unreachable,
)
from smsflow_plugin.integrations.shopify.writes.models import Turn, Write
from smsflow_plugin.integrations.shopify.writes.wishes import Wishes
from smsflow_plugin.models import Connection, Identity

logger = logging.getLogger(__name__)

#: A turn ends in time to be given back, whatever the last call takes.
ENOUGH = timedelta(minutes=2)
#: How long after each failure of an entry the next try comes. After the last one a person is asked.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 4, 15, 60, 240, 720))
#: How long a shop is left alone that does not answer, or that does not let us in.
SILENT, CLOSED = timedelta(seconds=30), timedelta(minutes=15)

Outcome = Write.Outcome


class TurnOver(Exception):
    """The shop is left alone for a while; what was not written yet waits."""


@dataclass
class Shift:
    """One turn of one shop. Those who write one kind of entry are given this."""

    turn: Turn
    connection: Connection
    api: AdminApi
    wishes: Wishes

    def attempt(self, rows: Sequence[Write], call: Callable[[], None]) -> bool:
        """Do what is to be done about these entries, and write down what went wrong; return whether nothing did.

        :raises TurnOver: if it is the shop that is in trouble, or the turn has lasted long enough.
        """
        if clock.now() > (self.turn.served_at or clock.now()) + ENOUGH:
            raise TurnOver
        try:
            call()
        except Throttled as slow:
            self._leave(timedelta(seconds=slow.wait))
        except Refused:
            self._leave(CLOSED)
        except NotGranted as lacking:
            _put_off(rows, Outcome.HELD, str(lacking))
        except Unreachable as trouble:
            _put_off(rows, Outcome.TROUBLE, str(trouble))
            self._leave(SILENT)
        except ShopifyTrouble as mistake:
            # nothing changes by itself: somebody has to look
            for row in rows:
                settle(row, Outcome.PARKED, str(mistake))
        except Exception as error:
            if isinstance(error, TurnOver):
                raise
            # one that breaks must not stand before all others for ever
            logger.exception("Entries %s of the outbox failed in an unforeseen way.", [row.pk for row in rows])
            _put_off(rows, Outcome.TROUBLE, f"{type(error).__name__}: {error}")
        else:
            return True
        return False

    def _leave(self, pause: timedelta) -> NoReturn:
        Turn.objects.filter(pk=self.turn.pk, number=self.turn.number).update(next_at=clock.now() + pause)
        raise TurnOver


def customers_of(rows: Sequence[Write]) -> dict[int, str]:
    """Return Shopify's numbers of these contacts; of several the newest. One statement."""
    found = Identity.objects.filter(
        contact_id__in={row.contact_id for row in rows}, kind=Identity.Kind.CUSTOMER
    ).order_by("pk")
    return dict(found.values_list("contact_id", "value"))


def gid(customer: str) -> str:
    return f"gid://shopify/Customer/{customer}"


def number_of(gid: str) -> str:
    return gid.rpartition("/")[2]


def settle(row: Write, outcome: Outcome, detail: str = "") -> None:
    """Write down what came of the change ``row.wanted``, and of no newer one."""
    if outcome == Outcome.PARKED:
        logger.warning("Shopify refuses entry %s of the outbox: %s", row.pk, detail)
    Write.objects.filter(pk=row.pk, settled__lt=row.wanted).update(
        settled=row.wanted, outcome=outcome, detail=detail[:500], attempts=0, not_before=None, held_at=None,
        settled_at=clock.now(),
    )  # fmt: skip


def _put_off(rows: Sequence[Write], outcome: Outcome, detail: str) -> None:
    """Let the entries wait: for a grant, or until the shop is better."""
    now = clock.now()
    for row in rows:
        if outcome == Outcome.TROUBLE and row.attempts >= len(PAUSES):
            settle(row, Outcome.PARKED, detail)
            continue
        held_at = now if outcome == Outcome.HELD else None
        not_before = None if held_at else now + PAUSES[row.attempts]
        Write.objects.filter(pk=row.pk, wanted=row.wanted, settled__lt=row.wanted).update(
            outcome=outcome, detail=detail[:500], held_at=held_at, not_before=not_before, attempts=F("attempts") + 1
        )
