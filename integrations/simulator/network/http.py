"""The small part of HTTP that both doors of the network share: a request read, an answer to write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from smsflow_plugin.integrations.simulator.network.clock import seconds_of
from smsflow_plugin.integrations.simulator.network.refusals import Refused


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    authorization: str
    raw: bytes
    #: Names in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Every value of a parameter that was given more than once.
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Call:
        parts = urlsplit(target)
        path = tuple(unquote(piece) for piece in parts.path.strip("/").split("/"))
        repeated = {name: tuple(values) for name, values in parse_qs(parts.query).items()}
        query = {name: values[-1] for name, values in repeated.items()}
        named = {name.lower(): value for name, value in headers.items()}
        return cls(method, path, query, named.get("authorization", ""), raw, named, repeated)

    def json(self) -> Any:
        """:raises Refused: with Sinch's 400 if the body is no JSON."""
        try:
            return json.loads(self.raw)
        except ValueError:
            raise Refused(400, "syntax_invalid_json", "The body is not valid JSON.") from None

    def object(self) -> dict[str, Any]:
        """The body as an object; an empty body is an empty one."""
        data = self.json() if self.raw else {}
        if not isinstance(data, dict):
            raise Refused(400, "syntax_invalid_json", "The body is not a JSON object.")
        return data

    def number(self, name: str, default: int, *, least: int = 0, most: int = 10_000_000) -> int:
        text = self.query.get(name, str(default))
        if not text.isdigit() or not least <= int(text) <= most:
            raise Refused(400, "syntax_constraint_violation", f"The parameter '{name}' is out of range.")
        return int(text)

    def many(self, name: str) -> list[str]:
        """Return the values of a parameter that is repeated or holds commas."""
        values = ",".join(self.repeated.get(name, ())).split(",")
        return [value.strip() for value in values if value.strip()]

    def moment(self, name: str) -> float | None:
        text = self.query.get(name)
        if text is None:
            return None
        try:
            return seconds_of(text)
        except ValueError:
            message = f"The format of parameter '{name}' is invalid; value '{text}' is not a date and time."
            raise Refused(400, "syntax_invalid_parameter_format", message) from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. ``hold`` seconds pass first; ``cut`` is how the line breaks instead."""

    status: int = 200
    data: Any = None
    text: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0
    #: "" for a whole answer, "silent" for none, "half" for one that breaks off, "reset" for a line that is cut.
    cut: str = ""
    #: Sent in pieces instead of a body, however large it is.
    file: Path | None = None

    def body(self) -> bytes:
        if self.data is not None:
            return json.dumps(self.data).encode()
        return self.text.encode()


Handler = Callable[[Call], Answer]
