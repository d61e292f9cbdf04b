"""A delivery, opened: what every topic's translator needs of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from smsflow_plugin.events.facts import RawDelivery, StoreInfo
from smsflow_plugin.integrations.shopify.headers import TRIGGERED_AT, shopify_header
from smsflow_plugin.integrations.shopify.payload import Payload, parse, parse_time

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Letter:
    """``triggered_at`` is when Shopify says that it happened; without that, when it arrived."""

    raw: RawDelivery
    store: StoreInfo
    payload: Payload
    triggered_at: datetime

    @classmethod
    def open(cls, raw: RawDelivery, store: StoreInfo) -> Letter:
        """Read a delivery.

        :raises CannotUnderstand: if its body is not a JSON object.
        """
        triggered_at = parse_time(shopify_header(raw.headers, TRIGGERED_AT))
        return cls(raw, store, parse(raw.body), triggered_at or raw.received_at)

    def time(self, *keys: str) -> datetime:
        """Return the first of these times that the payload has, or when it was triggered."""
        moments = (self.payload.time(key) for key in keys)
        return next((moment for moment in moments if moment), self.triggered_at)

    def stamp(self, moment: datetime | None) -> str:
        """Return the part of a key that tells one change from the next.

        A second delivery of one change has the same: Shopify repeats the body to the byte.
        """
        return moment.isoformat() if moment else sha256(self.raw.body).hexdigest()[:32]

    def profile_at(self) -> datetime:
        """Return the age of what the payload says about a person, for comparison with other deliveries.

        That is its ``updated_at``, in whole seconds. Of two changes in one second the
        later triggered is the newer: the delay up to then is squeezed, in order, into
        that second.
        """
        updated_at = self.payload.time("updated_at")
        if updated_at is None or updated_at.microsecond or self.triggered_at <= updated_at:
            return updated_at or self.triggered_at
        delay = self.triggered_at - updated_at
        return updated_at + _SECOND * (delay / (delay + _SECOND))
