"""Fills in the page of rules as a browser would."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from smsflow_plugin.models import Policy


def address(view: str, policy: Policy, *args: Any) -> str:
    return reverse(f"wagtailsnippets_smsflow_policy:{view}", args=[policy.pk, *args])


def filled_in(client: Client, policy: Policy, **changes: Any) -> dict[str, Any]:
    """Return what the page sends when somebody opens it, makes ``changes`` and saves."""
    form = client.get(address("edit", policy)).context["form"]
    data: dict[str, Any] = {}
    for name, field in form.fields.items():
        value = form[name].value()
        if name in ("caps", "prices", "stricter_law"):
            data[f"{name}-rows"] = "1"
            rows = field.widget.forms_of(name, value)
            data |= {row.add_prefix(key): row[key].value() or "" for row in rows for key in row.fields}
        elif name == "week":
            data["week-shown"] = "1"
            data |= week(value) if value else {}
        elif name == "flow_order":
            data["flow_order-shown"] = "1"
            data[name] = value or []
        elif name in ("exclusive_flows", "may_loosen"):
            data[name] = value or []
        elif isinstance(value, list):
            data |= {name: ", ".join(value)} if value else {f"{name}-none": "1", name: ""}
        else:
            data[name] = "" if value is None else value
    return {**data, **changes}


def week(days: list[list[str] | None]) -> dict[str, str]:
    """Return the week as the page sends it: seven days of ["09:00", "20:00"], or None for a closed one."""
    data = {"week-own": "1"}
    for number, day in enumerate(days):
        if day is None:
            data[f"week-{number}-closed"] = "1"
        else:
            data |= {f"week-{number}-from": day[0], f"week-{number}-until": day[1]}
    return data


def caps(*rows: tuple[Any, str, str]) -> dict[str, str]:
    """Return rows of (limit, window, what is counted) as the page sends them."""
    data = {"caps-rows": "1"}
    for number, (limit, window, counts) in enumerate(rows):
        data |= {f"caps-{number}-limit": str(limit), f"caps-{number}-window": window, f"caps-{number}-counts": counts}
    return data
