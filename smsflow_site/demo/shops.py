"""The two stores of the demo, and who works there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.flows.library import TEMPLATES, EnableTemplate
from smsflow_plugin.flows.publishing import PublishFlowAction
from smsflow_plugin.models import Connection, Flow, Policy, Store, StoreMembership
from smsflow_plugin.stores.roles import ADMIN_ACCESS, AGENCY, COPYWRITER, STORE_ADMIN, SUPPORT, ensure_roles

#: Well known, and accepted only while ``SMSFLOW["DEMO"]`` is on.
SHOPIFY_SECRET = "demo-shopify-secret"  # noqa: S105
SINCH_SECRETS = {"api_token": "demo-sinch-token", "callback_secret": "demo-sinch-callback-secret"}
PASSWORD = "demo"  # noqa: S105

#: The templates that every store of the demo starts with.
FLOWS = ("welcome", "abandoned_cart", "post_purchase")

#: What half of the people with a forgotten cart get instead, in the store that writes English: an experiment.
OTHER_WORDS = {
    "weight": 50,
    "text": "{{ contact.first_name | default: 'Hi' }}, still want {{ cart.first_item }}? Your cart: {{ cart.url }}",
    "fallback": "Still thinking about it? Your cart is here: {{ cart.url }}",
    "translations": [],
}

SIERRA = "sierra-gear.myshopify.com"
NORDIC = "nordic-tea.myshopify.com"

STORES: dict[str, dict[str, Any]] = {
    SIERRA: {
        "name": "Sierra Gear",
        "brand": "Sierra Gear",
        "country": "US",
        "timezone": "America/New_York",
        "language": "en",
        "currency": "USD",
        "help_contact": "help@sierra-gear.example",
        "website": "https://sierra-gear.example",
        "sender": "+12025550100",
    },
    NORDIC: {
        "name": "Nordic Tea",
        "brand": "Nordic Tea",
        "country": "DK",
        "timezone": "Europe/Copenhagen",
        "language": "da",
        "currency": "DKK",
        "help_contact": "hjaelp@nordic-tea.example",
        "website": "https://nordic-tea.example",
        "sender": "+4520000099",
    },
}


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the demo. ``stores`` are domains; an empty role is the superuser."""

    name: str
    role: str
    stores: tuple[str, ...]
    does: str


LOGINS = (
    Login("admin", "", (), "superuser: everything"),
    Login("sierra", STORE_ADMIN, (SIERRA,), "store admin of Sierra Gear"),
    Login("copywriter", COPYWRITER, (NORDIC,), "copywriter of Nordic Tea"),
    Login("agency", AGENCY, (SIERRA, NORDIC), "agency over both stores"),
    Login("support", SUPPORT, (SIERRA,), "support of Sierra Gear"),
)


def create_stores() -> list[Store]:
    """Make the stores with their rules and connections."""
    stores = []
    for domain, values in STORES.items():
        store = Store.objects.create(**values)
        Policy.objects.create(store=store)
        secrets = {"secret": SHOPIFY_SECRET, "previous_secret": ""}
        Connection.objects.create(store=store, kind="shopify", account=domain, secrets=secrets)
        plan = domain.partition(".")[0]
        Connection.objects.create(store=store, kind="sinch", account=f"demo-{plan}", secrets=SINCH_SECRETS)
        stores.append(store)
    point_at_simulator()
    return stores


def point_at_simulator() -> None:
    """Send the texts of the demo's stores to the phone network of this run; its port may be another one now."""
    stores = Connection.objects.filter(kind="shopify", account__in=STORES).values("store")
    Connection.objects.filter(kind="sinch", store__in=stores).update(
        settings={"base_url": smsflow_settings.SIMULATOR_URL}
    )


def enable_flows(stores: list[Store]) -> None:
    """Enable some templates of the library in every store and publish them, as a person does in the gallery."""
    for store in stores:
        for key in FLOWS:
            flow = EnableTemplate(store, template=TEMPLATES[key]).execute(skip_permission_checks=True)
            if key == "abandoned_cart" and store.language == "en":
                try_other_words(flow)
            PublishFlowAction(flow.latest_revision).execute(skip_permission_checks=True)


def try_other_words(flow: Flow) -> None:
    """Save a draft whose first text is tried in other words."""
    draft = flow.get_latest_revision_as_object()
    steps = list(draft.steps.get_prep_value())
    text = next(step for step in steps if step["type"] == "send")
    text["value"]["variants"] = [OTHER_WORDS]
    draft.steps = json.dumps(steps)
    draft.save_revision()
    flow.refresh_from_db()


def create_users() -> None:
    roles = ensure_roles()
    stores = {row.account: row.store for row in Connection.objects.filter(kind="shopify").select_related("store")}
    for login in LOGINS:
        user, _created = get_user_model().objects.get_or_create(
            username=login.name,
            defaults={"email": f"{login.name}@example.com", "is_superuser": not login.role, "is_staff": not login.role},
        )
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
        if login.role:
            user.groups.add(roles[ADMIN_ACCESS])
        for domain in login.stores:
            StoreMembership.objects.get_or_create(user=user, store=stores[domain], defaults={"role": roles[login.role]})
