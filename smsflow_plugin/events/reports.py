"""What a gateway may say of a text that it took."""

from __future__ import annotations

from enum import StrEnum


class ReportStatus(StrEnum):
    #: On its way; the gateway will say more.
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
