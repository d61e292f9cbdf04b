"""Holds a body against Sinch's published schema. Knows as much of OpenAPI as these two files use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.sinch_conversation.conftest import SAMPLES

TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


class Schema:
    def __init__(self, name: str) -> None:
        self.document = yaml.safe_load((SAMPLES / name).read_text())

    def faults(self, name: str, body: Any) -> list[str]:
        """Return what is wrong with a body, given the name of its schema."""
        return list(self._look(self.document["components"]["schemas"][name], body, name))

    def _look(self, schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
        if "$ref" in schema:
            node: Any = self.document
            for key in schema["$ref"].removeprefix("#/").split("/"):
                node = node[key]
            yield from self._look(node, value, path)
            return
        for part in schema.get("allOf", ()):
            yield from self._look(part, value, path)
        kind = schema.get("type")
        if kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield f"{path}: {value!r} is no {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{path}: {value!r} is none of {schema['enum']}"
        if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
            yield f"{path}: longer than {schema['maxLength']}"
        if isinstance(value, list):
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                yield f"{path}: {len(value)} items"
            for place, one in enumerate(value):
                yield from self._look(schema.get("items", {}), one, f"{path}[{place}]")
        if isinstance(value, dict):
            yield from self._inside(schema, value, path)

    def _inside(self, schema: Mapping[str, Any], value: dict[str, Any], path: str) -> Iterator[str]:
        known = schema.get("properties", {})
        for key in schema.get("required", ()):
            if key not in value:
                yield f"{path}.{key}: missing"
        for key, one in value.items():
            if key in known:
                yield from self._look(known[key], one, f"{path}.{key}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from self._look(schema["additionalProperties"], one, f"{path}.{key}")
            elif known:
                yield f"{path}.{key}: unknown"
