"""What Sinch accepts as a batch, and how it refuses the rest. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import seconds_of, stamp
from smsflow_plugin.integrations.simulator.network.refusals import Refused, malformed, out_of_range
from smsflow_plugin.integrations.simulator.network.texts import msisdn

TYPES = ("mt_text", "mt_binary", "mt_media")
MAX_RECIPIENTS = 1000
MAX_BODY = 2000
MAX_KEY, MAX_VALUE = 16, 160
MAX_REFERENCE, MAX_URL = 2048, 2048
MAX_SUBJECT = 80
#: Of one binary text, its header included.
MAX_BYTES = 140
MAX_LIFE = 3 * 24 * 3600.0
REPORTS = ("none", "summary", "full", "per_recipient", "per_recipient_final")
KEY = re.compile(r"[A-Za-z0-9._-]+")
GROUP = re.compile(r"[0-9A-Z]{26}")
#: What is repeated as it was given, with the type that it must have.
FLAGS: Mapping[str, type] = {
    "feedback_enabled": bool,
    "flash_message": bool,
    "truncate_concat": bool,
    "strict_validation": bool,
    "from_ton": int,
    "from_npi": int,
}


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A request that is in order. ``to`` and the keys of ``parameters`` have no "+"."""

    #: Numbers and ids of groups.
    to: tuple[str, ...]
    sender: str
    #: The words, with ``${…}``; of a binary text, base64.
    body: str
    send_at: float
    expire_at: float
    type: str = "mt_text"
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    delivery_report: str = "none"
    callback_url: str = ""
    reference: str = ""
    max_parts: int | None = None
    #: The address of the picture of a media text.
    media: str = ""
    truncate: bool = False
    #: The request as Sinch repeats it.
    echo: Mapping[str, Any] = field(default_factory=dict)

    @property
    def groups(self) -> list[str]:
        return [one for one in self.to if is_group(one)]


def is_group(recipient: str) -> bool:
    return GROUP.fullmatch(recipient) is not None


def read_batch(data: object, *, now: float, plan_callback_url: str = "") -> BatchRequest:
    """Check a request as Sinch does.

    :raises Refused: with the answer that Sinch gives.
    """
    if not isinstance(data, dict):
        raise Refused(400, "syntax_invalid_json", "The body is not a JSON object.")
    kind = data.get("type", "mt_text")
    if kind not in TYPES:
        raise malformed("type", kind)
    given_send_at = _time(data, "send_at", now)
    send_at = max(given_send_at, now)
    expire_at = _time(data, "expire_at", send_at + MAX_LIFE)
    if not send_at < expire_at <= send_at + MAX_LIFE + 60:
        raise out_of_range("expire_at", "must be after send_at, and at most three days after it")
    report = data.get("delivery_report", "none")
    if report not in REPORTS:
        raise malformed("delivery_report", report)
    own_callback_url = _string(data, "callback_url", MAX_URL)
    callback_url = own_callback_url or plan_callback_url
    if report != "none" and not callback_url:
        raise Refused(403, "missing_callback_url", "Requesting delivery report without any callback URL.")
    max_parts = data.get("max_number_of_message_parts")
    if max_parts is not None and (type(max_parts) is not int or max_parts < 1):
        raise malformed("max_number_of_message_parts", max_parts)
    to = _recipients(data.get("to"))
    sender = _string(data, "from", 64).removeprefix("+")
    reference = _string(data, "client_reference", MAX_REFERENCE)
    body, media = _content(data, kind)
    parameters = {} if kind == "mt_binary" else _parameters(data.get("parameters") or {})
    echo = {
        "to": list(to),
        "from": sender,
        "body": data["body"],
        "type": kind,
        "delivery_report": report,
        "send_at": stamp(given_send_at),
        "expire_at": stamp(expire_at),
        **({"flash_message": False} if kind == "mt_text" else {}),
        **_flags(data),
        **_given(data, kind, own_callback_url or callback_url, reference, max_parts),
    }
    return BatchRequest(
        to=to,
        sender=sender,
        body=body,
        send_at=send_at,
        expire_at=expire_at,
        type=kind,
        parameters=parameters,
        delivery_report=report,
        callback_url=callback_url,
        reference=reference,
        max_parts=max_parts,
        media=media,
        truncate=bool(data.get("truncate_concat")),
        echo=echo,
    )


def _given(
    data: Mapping[str, Any], kind: str, callback_url: str, reference: str, max_parts: int | None
) -> dict[str, Any]:
    """What is repeated only if it is there."""
    optional = {
        "parameters": data.get("parameters") if kind != "mt_binary" else None,
        "udh": data.get("udh") if kind == "mt_binary" else None,
        "callback_url": callback_url,
        "client_reference": reference,
        "max_number_of_message_parts": max_parts,
    }
    return {name: value for name, value in optional.items() if value}


def _flags(data: Mapping[str, Any]) -> dict[str, Any]:
    flags = {name: data[name] for name in FLAGS if data.get(name) is not None}
    for name, value in flags.items():
        if type(value) is not FLAGS[name]:
            raise malformed(name, value)
    return flags


def _recipients(to: object) -> tuple[str, ...]:
    if not isinstance(to, list):
        raise malformed("to", to, "a list")
    if not 1 <= len(to) <= MAX_RECIPIENTS:
        raise out_of_range("to", f"must name 1 to {MAX_RECIPIENTS} recipients")
    recipients: dict[str, None] = {}
    for index, given in enumerate(to):
        number = msisdn(given) if isinstance(given, str) else None
        if number is None and isinstance(given, str) and is_group(given):
            number = given
        if number is None:
            raise malformed(f"to[{index}]", given, "a valid MSISDN or group ID")
        recipients[number] = None
    return tuple(recipients)


def _content(data: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """Return the words of a batch, and the address of its picture."""
    body = data.get("body")
    if kind == "mt_media":
        return _media(body)
    if not isinstance(body, str):
        raise malformed("body", body, "text")
    if kind == "mt_binary":
        _check_binary(body, data.get("udh"))
    elif not 1 <= len(body) <= MAX_BODY:
        raise out_of_range("body", f"must have 1 to {MAX_BODY} characters")
    return body, ""


def _media(body: object) -> tuple[str, str]:
    if not isinstance(body, Mapping):
        raise malformed("body", body, "an object")
    url = _string(body, "url", MAX_URL)
    if not url:
        raise malformed("body.url", body.get("url"), "an address")
    _string(body, "subject", MAX_SUBJECT)
    return _string(body, "message", 5000), url


def _check_binary(body: str, udh: object) -> None:
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise malformed("body", body, "base64") from None
    try:
        header = bytes.fromhex(udh if isinstance(udh, str) else "-")
    except ValueError:
        raise malformed("udh", udh, "hexadecimal") from None
    if not content or len(content) + len(header) > MAX_BYTES:
        raise out_of_range("body", f"must have 1 to {MAX_BYTES} bytes together with udh")


def _parameters(given: object) -> dict[str, dict[str, str]]:
    if not isinstance(given, dict):
        raise malformed("parameters", given, "an object")
    parameters: dict[str, dict[str, str]] = {}
    for key, values in given.items():
        if len(key) > MAX_KEY or not KEY.fullmatch(key):
            rule = f"must be a key of at most {MAX_KEY} letters, digits, '.', '-', '_'"
            raise out_of_range(f"parameters.{key}", rule)
        if not isinstance(values, dict):
            raise malformed(f"parameters.{key}", values, "an object")
        parameters[key] = {}
        for name, value in values.items():
            number = name if name == "default" else msisdn(name)
            if number is None or not isinstance(value, str):
                raise malformed(f"parameters.{key}.{name}", value, "a value for a recipient")
            if len(value) > MAX_VALUE:
                raise out_of_range(f"parameters.{key}.{name}", f"must have at most {MAX_VALUE} characters")
            parameters[key][number] = value
    return parameters


def _string(data: Mapping[str, Any], name: str, longest: int) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise malformed(name, value, "text")
    if len(value) > longest:
        raise out_of_range(name, f"must have at most {longest} characters")
    return value


def _time(data: Mapping[str, Any], name: str, default: float) -> float:
    if data.get(name) is None:
        return default
    try:
        return seconds_of(data[name])
    except (TypeError, ValueError, AttributeError):
        raise malformed(name, data[name], "a date and time") from None
