"""Open the stores' shops in the running stand-in Shopify, so that its Admin API can be asked."""

from __future__ import annotations

from datetime import UTC
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.shopify.admin import tokens
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.integrations.shopify.soon import compare_soon
from smsflow_plugin.integrations.simulator.shopify_api.client import ShopClient, ShopUnavailable
from smsflow_plugin.models import Connection, Contact, Identity

#: The app in the stand-in that every store of this site has installed.
APP = "smsflow-simulated"
SCOPES = (
    "write_customers", "read_customer_merge", "read_orders", "read_all_orders", "read_products", "read_inventory",
    "read_fulfillments",
    "read_assigned_fulfillment_orders", "read_merchant_managed_fulfillment_orders", "read_returns", "write_discounts",
)  # fmt: skip
#: What the shop remembers besides the people that the store knows: something to import.
PAST = {"customers": 300, "orders": 700}

STATES = {
    Contact.Consent.GRANTED: "SUBSCRIBED",
    Contact.Consent.PENDING: "PENDING",
    Contact.Consent.REVOKED: "UNSUBSCRIBED",
}


class Command(BaseCommand):
    help = "Opens a shop in the running stand-in Shopify for every connected store, with its people and a past."

    def handle(self, *args: Any, **options: Any) -> None:
        if not smsflow_settings.SIMULATOR:
            raise CommandError(_("The simulator is switched off."))
        if not str(smsflow_settings.SHOPIFY_URL).startswith(smsflow_settings.SIMULATOR_URL):
            raise CommandError(_("SMSFLOW['SHOPIFY_URL'] does not lead to the stand-in Shopify."))
        if find_spec("graphql") is None:
            self.stdout.write(_("There is no stand-in Shopify: graphql-core is not installed."))
            return
        connections = list(Connection.objects.filter(kind="shopify").select_related("store").order_by("pk"))
        client = ShopClient(smsflow_settings.SIMULATOR_URL)
        try:
            for connection in connections:
                open_shop(client, connection)
        except ShopUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("The stand-in Shopify serves %(count)d stores.") % {"count": len(connections)})


def open_shop(client: ShopClient, connection: Connection) -> None:
    """Open the shop of a store, or give an open one its app and token again. Doing it twice changes nothing."""
    store, domain = connection.store, connection.account
    app, token = f"{APP}-{store.pk}", f"simulated-{connection.token}"
    client.add_app(app, connection.secrets.get("secret", ""), title="SMSFlow", scopes=",".join(SCOPES))
    client.add_shop(
        domain,
        name=store.name,
        country=store.country,
        currency=store.currency,
        timezone=store.timezone,
        language=store.language,
    )
    client.install(domain, app, scopes=",".join(SCOPES), token=token)
    if not client.do(domain, "customers"):
        client.fill(domain, **PAST, seed=store.pk)
        for person in _people(connection):
            client.do(domain, "know_customer", **person)
    grant = Grant.objects.filter(connection=connection).first()
    if grant is None or (grant.kind == Grant.Kind.STATIC and grant.broken_at is not None):
        tokens.save(connection, kind=Grant.Kind.STATIC, granted=Granted(token, scopes=SCOPES), app=None)
    compare_soon(connection.pk)


def _people(connection: Connection) -> list[dict[str, Any]]:
    """Return the store's people who are customers of the shop, as the shop knows them."""
    kind = Identity.Kind.CUSTOMER
    found = Identity.objects.filter(store=connection.store, kind=kind).select_related("contact")
    return [_person(int(one.value), one.contact) for one in found if one.value.isdigit()]


def _person(number: int, contact: Contact) -> dict[str, Any]:
    said = contact.consent_changed_at
    return {
        "customer": number,
        "firstName": contact.first_name or None,
        "lastName": contact.last_name or None,
        "email": contact.email or None,
        "phone": contact.phone or None,
        "tags": list(contact.tags),
        "sms": {
            "state": STATES.get(contact.marketing_consent, "NOT_SUBSCRIBED"),
            "level": "CONFIRMED_OPT_IN" if contact.opt_in_level == "confirmed" else "SINGLE_OPT_IN",
            "at": said.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if said else None,
            "from": "SHOPIFY",
        },
    }
