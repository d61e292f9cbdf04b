"""Turns a template into a flow of one store."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from smsflow_plugin.flows.library.definitions import (
    DEFAULT_LANGUAGE,
    LANGUAGES,
    Copy,
    FlowTemplate,
    Local,
    Outside,
    Raw,
    When,
    Words,
)
from smsflow_plugin.flows.library.settings import fillings
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.stores.models import Store

_HOLE = re.compile(r"\[\[([\w/-]+)\]\]")
_NOTHING = Copy(dict.fromkeys(LANGUAGES, ""))


def build(template: FlowTemplate, store: Store, values: Mapping[str, Any] | None = None) -> Flow:
    """Return an unsaved flow with the template's steps.

    The store's language is the main text; the other languages become translations. A
    language that the template does not speak gets English as its main text. ``values``
    are the cleaned settings; defaults stand in for those left out.
    """
    builder = _Builder(template, store, fillings(template, store, values))
    return Flow(
        store=store,
        name=str(template.name),
        template=template.key,
        trigger=template.trigger,
        triggers=builder.parts(template.triggers),
        audience=builder.parts(template.audience),
        leave_unmatched=template.leave_unmatched,
        steps=builder.parts(template.steps),
        exits=list(template.exits),
        goal=template.goal,
        goal_leaves=template.goal_leaves,
        reentry=template.reentry,
        reentry_days=template.reentry_days,
        restart=template.restart,
        message_class=template.message_class,
        priority=template.priority,
        priority_number=template.priority_number,
        stage=template.stage,
        live=False,
    )


@dataclass(frozen=True, slots=True)
class _Builder:
    template: FlowTemplate
    store: Store
    filled: Mapping[str, Any]

    @property
    def language(self) -> str:
        base = self.store.language.split("-")[0]
        return base if base in LANGUAGES else DEFAULT_LANGUAGE

    def parts(self, parts: Iterable[Any]) -> list[Raw]:
        """Return blocks with ids of their own, without those that this store or its settings leave out."""
        return [self._value(part) for part in self._chosen(parts)]

    def _chosen(self, parts: Iterable[Any]) -> Iterator[Any]:
        for part in parts:
            if isinstance(part, Outside):
                if self.store.country not in part.countries:
                    yield from self._chosen(part.steps)
            elif isinstance(part, When):
                yield from self._chosen(part.parts if self.filled[part.setting] else part.otherwise)
            else:
                yield part

    def _value(self, value: Any) -> Any:
        if isinstance(value, Words):
            return self._copy(value.key)
        if isinstance(value, Local):
            return self._fill(self.template.copy[value.key].texts[self.language])
        if isinstance(value, Promise):
            return str(value)
        if isinstance(value, str):
            return self._fill(value)
        if isinstance(value, (list, tuple)):
            return self.parts(value)
        if not isinstance(value, dict):
            return value
        if value.keys() == {"type", "value"}:
            return {**self._block(value), "id": str(uuid.uuid4())}
        return self._struct(value)

    def _block(self, block: Raw) -> dict[str, Any]:
        built = self._struct(block)
        if built["type"] == "compare":  # its form takes every value as text
            built["value"]["value"] = str(built["value"]["value"])
        return built

    def _struct(self, struct: Mapping[str, Any]) -> dict[str, Any]:
        built = {name: self._value(value) for name, value in struct.items()}
        # a step's own text lies flat in the step
        copy = built.pop("copy", {})
        return {**copy, **built}

    def _copy(self, key: str) -> dict[str, Any]:
        copy = self.template.copy[key] if key else _NOTHING
        others = [language for language in LANGUAGES if key and language != self.language]
        return {
            "text": self._fill(copy.texts[self.language]),
            "fallback": self._fill(copy.fallback.get(self.language, "")),
            "translations": [
                {
                    "type": "item",
                    "value": {
                        "language": language,
                        "text": self._fill(copy.texts[language]),
                        "fallback": self._fill(copy.fallback.get(language, "")),
                    },
                    "id": str(uuid.uuid4()),
                }
                for language in others
            ],
        }

    def _fill(self, text: str) -> Any:
        """Return ``text`` with its settings. One that is nothing but a setting gets its value as it is."""
        whole = _HOLE.fullmatch(text)
        if whole:
            return self.filled[whole[1]]
        filled = _HOLE.sub(lambda hole: str(self.filled[hole[1]]), text)
        return filled.strip() if filled != text else text
