"""Turns a template into a flow of one store."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from smsflow_plugin.flows.library.definitions import Copy, FlowTemplate, IfStep, Outside, Raw, SendStep, Step
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.stores.models import Store

DEFAULT_LANGUAGE = "en"


def build(template: FlowTemplate, store: Store) -> Flow:
    """Return an unsaved flow with the template's steps.

    The store's language is the main text; the other languages become translations. A
    language that the template does not speak gets English as its main text.
    """
    return Flow(
        store=store,
        name=str(template.name),
        template=template.key,
        trigger=template.trigger,
        audience=[_with_ids(rule) for rule in template.audience],
        steps=_steps(template.steps, store),
        exits=list(template.exits),
        reentry=template.reentry,
        reentry_days=template.reentry_days,
        restart=template.restart,
        message_class=template.message_class,
        priority=template.priority,
        priority_number=template.priority_number,
        live=False,
    )


def _steps(steps: Iterable[Step], store: Store) -> list[Raw]:
    raw: list[Raw] = []
    for step in steps:
        if isinstance(step, Outside):
            if store.country not in step.countries:
                raw.extend(_steps(step.steps, store))
        elif isinstance(step, SendStep):
            raw.append(_with_ids({"type": "send", "value": _send(step, store.language)}))
        elif isinstance(step, IfStep):
            condition = [_with_ids(rule) for rule in step.rules]
            value = {"condition": condition, "yes": _steps(step.yes, store), "no": _steps(step.no, store)}
            raw.append(_with_ids({"type": "if_else", "value": value}))
        else:
            raw.append(_with_ids(step))
    return raw


def _send(step: SendStep, language: str) -> dict[str, Any]:
    main = language.split("-")[0]
    main = main if main in step.texts else DEFAULT_LANGUAGE
    fallback: Copy = step.fallback or {}
    return {
        "text": step.texts[main],
        "fallback": fallback.get(main, ""),
        "translations": [
            {
                "type": "item",
                "value": {"language": other, "text": text, "fallback": fallback.get(other, "")},
                "id": str(uuid.uuid4()),
            }
            for other, text in step.texts.items()
            if other != main
        ],
        "hold_amount": step.hold_hours,
        "hold_unit": "hours",
    }


def _with_ids(raw: Raw) -> Raw:
    return {**raw, "id": str(uuid.uuid4())}
