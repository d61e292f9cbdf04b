"""People with roles, and flows for them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

from smsflow_plugin.flows.library import TEMPLATES, build
from smsflow_plugin.models import Flow, Store, StoreMembership

STORE_ADMIN = ("view_store", "add_flow", "change_flow", "delete_flow", "publish_flow", "view_flow")
COPYWRITER = ("view_store", "change_flow", "view_flow")


def role(name: str, codenames: tuple[str, ...]) -> Group:
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.set(Permission.objects.filter(content_type__app_label="smsflow", codename__in=codenames))
    return group


def person(name: str, *memberships: tuple[Store, tuple[str, ...]]) -> Any:
    """A user who may enter the admin, with a role in each of some stores."""
    user = get_user_model().objects.create_user(name, f"{name}@example.com", "secret")
    user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    for store, codenames in memberships:
        StoreMembership.objects.create(user=user, store=store, role=role("-".join(codenames), codenames))
    return user


def saved_flow(store: Store, template: str = "abandoned_cart", **values: Any) -> Flow:
    """A draft of a template, with its first revision."""
    flow = build(TEMPLATES[template], store)
    for name, value in values.items():
        setattr(flow, name, value)
    flow.save()
    flow.save_revision(clean=False)
    return flow


def published_flow(store: Store, template: str = "abandoned_cart", **values: Any) -> Flow:
    flow = saved_flow(store, template, **values)
    flow.latest_revision.publish()
    flow.refresh_from_db()
    return flow


def send(text: str = "Hello there.", **values: Any) -> dict[str, Any]:
    value = {"text": text, "fallback": "", "translations": [], "hold_amount": None, "hold_unit": "hours", **values}
    return {"type": "send", "value": value}


def wait(amount: int = 1, unit: str = "days") -> dict[str, Any]:
    return {"type": "wait", "value": {"amount": amount, "unit": unit}}


def leave(reason: str = "") -> dict[str, Any]:
    return {"type": "exit", "value": {"reason": reason}}


def if_else(condition: list[Any], yes: list[Any], no: list[Any]) -> dict[str, Any]:
    return {"type": "if_else", "value": {"condition": condition, "yes": yes, "no": no}}


def rule(field: str = "orders_count", operator: str = "ge", value: str = "2", custom: str = "") -> dict[str, Any]:
    return {"type": "compare", "value": {"field": field, "custom": custom, "operator": operator, "value": value}}


def happened(event: str = "order_created", happened: str = "yes", period: str = "entry", amount: Any = None) -> Any:
    return {
        "type": "happened",
        "value": {"happened": happened, "event": event, "period": period, "amount": amount},
    }
