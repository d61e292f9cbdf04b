"""What Sinch's callbacks say, in the core's words. Pure: no database, no network."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.events.facts import CannotUnderstand, Inbound, RawDelivery, Report, StoreInfo, Translation
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.integrations.sinch.codes import cause_of
from smsflow_plugin.integrations.sinch.values import integer as _integer
from smsflow_plugin.integrations.sinch.values import mapping as _mapping
from smsflow_plugin.integrations.sinch.values import moment as _moment
from smsflow_plugin.integrations.sinch.values import number as _number
from smsflow_plugin.integrations.sinch.values import payload_of as _payload_of
from smsflow_plugin.integrations.sinch.values import text as _text

logger = logging.getLogger("smsflow.sinch")

#: By status, case-folded. "Deleted" may mean that the person opted out with the operator,
#: "Unknown" that the operator never says: both are final. "Read" is what channels other than SMS say.
STATUSES = {
    "queued": ReportStatus.DISPATCHED,
    "dispatched": ReportStatus.DISPATCHED,
    "delivered": ReportStatus.DELIVERED,
    "read": ReportStatus.READ,
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
    **dict.fromkeys((402, 403, 404, 405, 408, 410, 411, 412, 413), ReportStatus.FAILED),
    406: ReportStatus.EXPIRED,
    407: ReportStatus.CANCELLED,
}

RECIPIENT_REPORTS = ("recipient_delivery_report_sms", "recipient_delivery_report_mms")
BATCH_REPORTS = ("delivery_report_sms", "delivery_report_mms")
MMS_REPORTS = ("recipient_delivery_report_mms", "delivery_report_mms")


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Return the reports, or the text, that a callback holds.

    :raises CannotUnderstand: if it is no JSON, has no type, or lacks what its type lives on.
    """
    payload = _payload_of(raw.body)
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


def _batch_report(payload: Mapping[str, Any], raw: RawDelivery) -> Translation:
    """A report on the whole batch names its recipients only if it was asked to."""
    statuses = payload.get("statuses")
    if not isinstance(statuses, list):
        raise CannotUnderstand(_("The delivery report has no statuses."))
    reports: list[Report] = []
    puzzle: CannotUnderstand | None = None
    for status in statuses:
        for recipient in _recipients(status):
            try:
                reports.append(_report(status, recipient, payload, raw))
            except CannotUnderstand as error:
                puzzle = error
    if puzzle and not reports:
        raise puzzle
    if puzzle:
        # what can be said is said: one word that nobody knows must not hide what became of the others
        logger.warning("A part of a delivery report cannot be read: %s", puzzle)
    if not reports:
        return Translation(ignored=_("The delivery report names no recipients."))
    return Translation(tuple(reports))


def _recipients(status: object) -> list[object]:
    found = status.get("recipients") if isinstance(status, dict) else None
    return found if isinstance(found, list) else []


def _report(status: Mapping[str, Any], recipient: object, payload: Mapping[str, Any], raw: RawDelivery) -> Report:
    """``status`` holds what became of the text, ``payload`` to which call it belongs."""
    to = _number(recipient)
    if not to:
        raise CannotUnderstand(_("The delivery report names no phone number."))
    reference, provider_id = _text(payload.get("client_reference")), _text(payload.get("batch_id"))
    if not reference and not provider_id:
        raise CannotUnderstand(_("The delivery report does not say to which call it belongs."))
    code, said = _integer(status.get("code")), _text(status.get("status")).strip()
    word, outcome = said.casefold(), _status(said, code)
    return Report(
        to=to,
        status=outcome,
        at=_moment(payload.get("at")) or raw.received_at,
        reference=reference,
        provider_id=provider_id,
        code=code,
        parts=_parts(payload.get("number_of_message_parts")),
        channel="mms" if payload.get("type") in MMS_REPORTS else "",
        cause=_cause(outcome, word, code),
    )


def _cause(outcome: ReportStatus, word: str, code: int | None) -> Cause:
    if outcome is not ReportStatus.FAILED:
        return Cause.UNKNOWN
    # a word that nobody knows, whose code says that it failed, is as good as the code's own word
    return cause_of(word if word in STATUSES else "aborted", code)


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


def _parts(value: object) -> int | None:
    count = _integer(value)
    return count if count is not None and 0 < count < 1000 else None
