"""How Sinch says no."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """An error answer: an HTTP status and Sinch's ``{code, text}``."""

    def __init__(self, status: int, code: str, text: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code, self.text = code, text
        self.headers = headers or {}

    @property
    def body(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text}


def not_found(text: str = "There is nothing at this address.") -> Refused:
    return Refused(404, "not_found", text)


def malformed(name: str, value: object, what: str = "valid") -> Refused:
    text = f"The format of parameter '{name}' is invalid; value '{value}' is not {what}."
    return Refused(400, "syntax_invalid_parameter_format", text)


def out_of_range(name: str, rule: str) -> Refused:
    return Refused(400, "syntax_constraint_violation", f"The parameter '{name}' is out of range: it {rule}.")


def unknown_group(group: str) -> Refused:
    return Refused(403, "unknown_group", f"The group {group} is unknown or deleted.")
