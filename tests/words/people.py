"""A store with a flow that has words everywhere, and people who may do this or that with it."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from smsflow_plugin.models import Flow, Store
from smsflow_plugin.stores.roles import ensure_roles
from tests.admin.people import client_of, make_user


def copy(text: str = "", fallback: str = "", **translations: str) -> dict[str, Any]:
    """Copy as the database keeps it."""
    items = [
        {"type": "item", "value": {"language": code, "text": words, "fallback": ""}, "id": f"t-{code}"}
        for code, words in translations.items()
    ]
    return {"text": text, "fallback": fallback, "translations": items}


def send(text: str, step: str, **rest: Any) -> dict[str, Any]:
    put_off = {"picture": None, "hold_amount": None, "hold_unit": "hours", "when_blocked": None, "variants": []}
    return {"type": "send", "id": step, "value": {**copy(text, **rest), **put_off}}


def ask(step: str, *, reply: str = "Thanks.", inside: list[Any] | None = None) -> dict[str, Any]:
    option = {"words": "A, yes", "value": "", "tag": "", "points": None, "reply": copy(reply), "steps": inside or []}
    value = {
        **copy("Which size? A or B", da="Hvilken størrelse? A eller B"),
        "options": [{"type": "item", "value": option, "id": "o-1"}],
        "save_as": "size",
        "score_as": "",
        "again": copy("Please answer A or B."),
        "other": [],
        "amount": 1,
        "unit": "days",
        "silence": [],
    }
    return {"type": "ask_choice", "id": step, "value": value}


STEPS = [
    send("Hi {{ contact.first_name | default: 'there' }}, 10% off today.", "s-1", fallback="10% off today.", da="Hej"),
    {"type": "wait", "id": "w-1", "value": {"amount": 1, "unit": "days", "variants": []}},
    ask("a-1", inside=[send("Deep down: 5% off.", "s-2")]),
    {
        "type": "email",
        "id": "m-1",
        "value": {"subject": "Hello", "body": "A longer text.", "translations": []},
    },
    {"type": "notify", "id": "n-1", "value": {"to": "staff@example.com", "subject": "Look", "body": "Staff only."}},
]


def make_flow(store: Store, steps: list[Any] | None = None, trigger: str = "opted_in", **values: Any) -> Flow:
    """A draft."""
    flow = Flow(
        store=store,
        name=values.pop("name", "Welcome"),
        triggers=[{"type": "event", "id": "t-1", "value": {"kind": trigger, "rules": []}}],
        trigger=trigger,
        live=False,
        steps=STEPS if steps is None else steps,
        **values,
    )
    flow.save()
    flow.save_revision(clean=False)
    return flow


def raw(flow: Flow) -> list[Any]:
    """The newest draft's steps as the database keeps them."""
    flow.refresh_from_db()
    return list(flow.get_latest_revision_as_object().steps.get_prep_value())


def url(view: str, *args: Any) -> str:
    return reverse(f"wagtailsnippets_smsflow_flow:{view}", args=args)


def as_role(role: str, *stores: Store) -> Client:
    ensure_roles()
    return client_of(make_user(role.lower().replace(" ", "-"), role, *stores))
