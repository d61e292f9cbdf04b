"""What Sinch's callbacks say, in the core's words. Pure: no database, no network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.events.facts import CannotUnderstand, Inbound, RawDelivery, Report, StoreInfo, Translation
from smsflow_plugin.events.reports import ReportStatus

#: By status, case-folded. "Deleted" may mean that the person opted out with the operator,
#: "Unknown" that the operator never says: both are final.
STATUSES = {
    "queued": ReportStatus.DISPATCHED,
    "dispatched": ReportStatus.DISPATCHED,
    "delivered": ReportStatus.DELIVERED,
    "failed": ReportStatus.FAILED,
    "rejected": ReportStatus.FAILED,
    "aborted": ReportStatus.FAILED,
    "deleted": ReportStatus.FAILED,
    "unknown": ReportStatus.FAILED,
    "expired": ReportStatus.EXPIRED,
    "cancelled": ReportStatus.CANCELLED,
    "canceled": ReportStatus.CANCELLED,
}
#: What the code tells where the status is a word that we have never seen.
CODES = {
    0: ReportStatus.DELIVERED,
    400: ReportStatus.DISPATCHED,
    401: ReportStatus.DISPATCHED,
    406: ReportStatus.EXPIRED,
    407: ReportStatus.CANCELLED,
}

RECIPIENT_REPORTS = ("recipient_delivery_report_sms", "recipient_delivery_report_mms")
BATCH_REPORTS = ("delivery_report_sms", "delivery_report_mms")

_NUMBER = re.compile(r"\+?([1-9]\d{6,14})")


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Return the reports, or the text, that a callback holds.

    :raises CannotUnderstand: if it is no JSON, has no type, or lacks what its type lives on.
    """
    payload = _payload(raw.body)
    kind = payload.get("type")
    if not kind or not isinstance(kind, str):
        raise CannotUnderstand(_("The callback does not say what type it has."))
    if kind in RECIPIENT_REPORTS:
        return Translation((_report(payload, payload.get("recipient"), payload, raw),))
    if kind in BATCH_REPORTS:
        return _batch_report(payload, raw)
    if kind == "mo_text":
        return Translation((_inbound(payload, _text(payload.get("body")), raw),))
    if kind == "mo_media":
        # somebody who answers STOP with a picture message means it no less
        return Translation((_inbound(payload, _text(_mapping(payload.get("body")).get("message")), raw),))
    return Translation(ignored=_("Callbacks of the type %(type)s are of no use here.") % {"type": kind[:80]})


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise CannotUnderstand(_("The callback is not valid JSON.")) from None
    if not isinstance(payload, dict):
        raise CannotUnderstand(_("The callback is not a JSON object."))
    return payload


def _batch_report(payload: Mapping[str, Any], raw: RawDelivery) -> Translation:
    """A report on the whole batch names its recipients only if it was asked to."""
    statuses = payload.get("statuses")
    if not isinstance(statuses, list):
        raise CannotUnderstand(_("The delivery report has no statuses."))
    reports = [
        _report(status, recipient, payload, raw)
        for status in statuses
        if isinstance(status, dict)
        for recipient in status.get("recipients") or ()
    ]
    if not reports:
        return Translation(ignored=_("The delivery report names no recipients."))
    return Translation(tuple(reports))


def _report(status: Mapping[str, Any], recipient: object, payload: Mapping[str, Any], raw: RawDelivery) -> Report:
    """``status`` holds what became of the text, ``payload`` to which call it belongs."""
    to = _number(recipient)
    if not to:
        raise CannotUnderstand(_("The delivery report names no phone number."))
    reference, provider_id = _text(payload.get("client_reference")), _text(payload.get("batch_id"))
    if not reference and not provider_id:
        raise CannotUnderstand(_("The delivery report does not say to which call it belongs."))
    code = _integer(status.get("code"))
    return Report(
        to=to,
        status=_status(_text(status.get("status")), code),
        at=_moment(payload.get("at")) or raw.received_at,
        reference=reference,
        provider_id=provider_id,
        code=code,
        parts=_integer(payload.get("number_of_message_parts")),
    )


def _status(word: str, code: int | None) -> ReportStatus:
    """A new word is not guessed at: the callback is parked, and can be replayed once the word is known."""
    known = STATUSES.get(word.casefold()) or (None if code is None else CODES.get(code))
    if known is None:
        raise CannotUnderstand(_("The delivery report has the unknown status “%(status)s”.") % {"status": word[:40]})
    return known


def _inbound(payload: Mapping[str, Any], body: str, raw: RawDelivery) -> Inbound:
    sender = _number(payload.get("from"))
    if not sender:
        raise CannotUnderstand(_("The text does not say from which phone number it comes."))
    to = _text(payload.get("to"))
    return Inbound(
        external_id=_text(payload.get("id")) or raw.external_id,
        sender=sender,
        to=_number(to) or to,
        body=body,
        at=_moment(payload.get("received_at")) or _moment(payload.get("sent_at")) or raw.received_at,
    )


def _number(value: object) -> str:
    """Return the number in E.164: Sinch leaves the "+" out. Empty if it is no full phone number."""
    match = _NUMBER.fullmatch(_text(value).strip())
    return f"+{match[1]}" if match else ""


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    """Return a string and a number as its digits; all else is empty.

    Half of a character, as it is left where a long text was cut, becomes "?": no database takes it.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _integer(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
