"""What a gateway may say of a text that it took."""

from __future__ import annotations

from enum import StrEnum


class ReportStatus(StrEnum):
    #: On its way; the gateway will say more.
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    #: The person has seen it, so it has arrived.
    READ = "read"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """Why a text did not arrive, whatever the vendor calls it. Stored as ``Message.reason``: never rename one."""

    #: The vendor did not say, or in words that nobody knows.
    UNKNOWN = ""
    #: There is no such number.
    INVALID = "invalid_number"
    #: The number is that of a telephone which takes no texts.
    LANDLINE = "landline"
    #: Nobody could reach the number. It may be gone for good, or switched off for a week.
    UNREACHABLE = "unreachable"
    #: The operator lets no such texts through to this person.
    BLOCKED = "blocked_by_carrier"
    #: The person has told the operator that they want no texts from here.
    OPTED_OUT = "opted_out_at_carrier"
    #: It certainly did not arrive, and another try may.
    TEMPORARY = "temporary"
    #: The account at the vendor is closed or has no credit.
    ACCOUNT = "account_blocked"
    #: The text, the sender or the account's settings are to blame; the person is not.
    OURS = "refused_by_network"
