"""What Sinch accepts as a batch, and how it refuses the rest. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smsflow_plugin.integrations.simulator.network.clock import seconds_of
from smsflow_plugin.integrations.simulator.network.texts import msisdn

MAX_RECIPIENTS = 1000
MAX_BODY = 2000
MAX_KEY, MAX_VALUE = 16, 160
MAX_REFERENCE, MAX_URL = 2048, 2048
MAX_LIFE = 3 * 24 * 3600.0
REPORTS = ("none", "summary", "full", "per_recipient", "per_recipient_final")
KEY = re.compile(r"[A-Za-z0-9._-]+")
GROUP = re.compile(r"[0-9A-Z]{26}")


class Refused(Exception):
    """An error answer: an HTTP status and Sinch's ``{code, text}``."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.body = {"code": code, "text": text}


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A request that is in order. ``to`` and the keys of ``parameters`` have no "+"."""

    to: tuple[str, ...]
    sender: str
    body: str
    send_at: float
    expire_at: float
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    delivery_report: str = "none"
    callback_url: str = ""
    reference: str = ""
    max_parts: int | None = None


def read_batch(data: object, *, now: float, plan_callback_url: str = "") -> BatchRequest:
    """Check a request as Sinch does.

    :raises Refused: with the answer that Sinch gives.
    """
    if not isinstance(data, dict):
        raise Refused(400, "syntax_invalid_json", "The body is not a JSON object.")
    if data.get("type", "mt_text") != "mt_text":
        raise _format("type", data["type"])
    send_at = max(_time(data, "send_at", now), now)
    expire_at = _time(data, "expire_at", send_at + MAX_LIFE)
    if not send_at < expire_at <= send_at + MAX_LIFE + 60:
        raise _constraint("expire_at", "must be after send_at, and at most three days after it")
    report = data.get("delivery_report", "none")
    if report not in REPORTS:
        raise _format("delivery_report", report)
    callback_url = _string(data, "callback_url", MAX_URL) or plan_callback_url
    if report != "none" and not callback_url:
        raise Refused(403, "missing_callback_url", "Requesting delivery report without any callback URL.")
    max_parts = data.get("max_number_of_message_parts")
    if max_parts is not None and (not isinstance(max_parts, int) or max_parts < 1):
        raise _format("max_number_of_message_parts", max_parts)
    return BatchRequest(
        to=_recipients(data.get("to")),
        sender=_string(data, "from", 64).removeprefix("+"),
        body=_body(data),
        send_at=send_at,
        expire_at=expire_at,
        parameters=_parameters(data.get("parameters", {})),
        delivery_report=report,
        callback_url=callback_url,
        reference=_string(data, "client_reference", MAX_REFERENCE),
        max_parts=max_parts,
    )


def _format(name: str, value: object, what: str = "valid") -> Refused:
    text = f"The format of parameter '{name}' is invalid; value '{value}' is not {what}."
    return Refused(400, "syntax_invalid_parameter_format", text)


def _constraint(name: str, rule: str) -> Refused:
    return Refused(400, "syntax_constraint_violation", f"The parameter '{name}' is out of range: it {rule}.")


def _recipients(to: object) -> tuple[str, ...]:
    if not isinstance(to, list):
        raise _format("to", to, "a list")
    if not 1 <= len(to) <= MAX_RECIPIENTS:
        raise _constraint("to", f"must name 1 to {MAX_RECIPIENTS} recipients")
    numbers: dict[str, None] = {}
    for index, given in enumerate(to):
        number = msisdn(given) if isinstance(given, str) else None
        if number is None and isinstance(given, str) and GROUP.fullmatch(given):
            raise Refused(403, "unknown_group", f"The group {given} is unknown.")
        if number is None:
            raise _format(f"to[{index}]", given, "a valid MSISDN or group ID")
        numbers[number] = None
    return tuple(numbers)


def _body(data: Mapping[str, Any]) -> str:
    body = data.get("body")
    if not isinstance(body, str):
        raise _format("body", body, "text")
    if not 1 <= len(body) <= MAX_BODY:
        raise _constraint("body", f"must have 1 to {MAX_BODY} characters")
    return body


def _parameters(given: object) -> dict[str, dict[str, str]]:
    if not isinstance(given, dict):
        raise _format("parameters", given, "an object")
    parameters: dict[str, dict[str, str]] = {}
    for key, values in given.items():
        if len(key) > MAX_KEY or not KEY.fullmatch(key):
            raise _constraint(f"parameters.{key}", f"must be a key of at most {MAX_KEY} letters, digits, '.', '-', '_'")
        if not isinstance(values, dict):
            raise _format(f"parameters.{key}", values, "an object")
        parameters[key] = {}
        for name, value in values.items():
            number = name if name == "default" else msisdn(name)
            if number is None or not isinstance(value, str):
                raise _format(f"parameters.{key}.{name}", value, "a value for a recipient")
            if len(value) > MAX_VALUE:
                raise _constraint(f"parameters.{key}.{name}", f"must have at most {MAX_VALUE} characters")
            parameters[key][number] = value
    return parameters


def _string(data: Mapping[str, Any], name: str, longest: int) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise _format(name, value, "text")
    if len(value) > longest:
        raise _constraint(name, f"must have at most {longest} characters")
    return value


def _time(data: Mapping[str, Any], name: str, default: float) -> float:
    if data.get(name) is None:
        return default
    try:
        return seconds_of(data[name])
    except (TypeError, ValueError, AttributeError):
        raise _format(name, data[name], "a date and time") from None
