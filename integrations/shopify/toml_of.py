"""The ``shopify.app.toml`` of an app, as this site needs it."""

from __future__ import annotations

from smsflow_plugin.integrations.shopify.addresses import address_of
from smsflow_plugin.integrations.shopify.admin.documents import VERSION
from smsflow_plugin.integrations.shopify.app_toml import app_toml
from smsflow_plugin.integrations.shopify.models import ShopifyApp
from smsflow_plugin.integrations.shopify.needed import scopes_to_ask_for, stores_of_app


def toml_of(app: ShopifyApp) -> str:
    """Return the file, with the scopes that the flows of all stores need which use the app."""
    return app_toml(
        name=app.name,
        client_id=app.client_id,
        application_url=address_of("install"),
        redirect_url=address_of("callback"),
        webhook_url=address_of("webhooks"),
        # of a store that is none, where there is none yet: what is needed always
        scopes=scopes_to_ask_for([0, *stores_of_app(app.pk), *app.stores.values_list("pk", flat=True)]),
        api_version=VERSION,
        asks_merchants=app.kind == ShopifyApp.Kind.OAUTH,
    )
