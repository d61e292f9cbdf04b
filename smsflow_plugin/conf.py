"""The settings dictionary ``SMSFLOW``, with its defaults.

Read it as attributes of ``smsflow_settings``. Dotted paths in ``IMPORTED`` are
resolved on first use. An unknown key is an error: a misspelt safety setting must
not silently mean its default.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

DEFAULTS: dict[str, Any] = {
    # Fernet keys for stored credentials; the first encrypts, all decrypt.
    "ENCRYPTION_KEYS": [],
    # The key of the hashes by which numbers are recognised that must not be kept: a text, or a list whose
    # first one hashes. Derived from the encryption keys when empty (smsflow.E015).
    "PHONE_PEPPER": "",
    # The address at which vendors reach this site, without a trailing slash.
    "PUBLIC_URL": "http://localhost:8000",
    # Accepts the demo's well-known secrets. Never on a real site (smsflow.E010).
    "DEMO": False,
    # Shows the simulator's screens and accepts its calls.
    "SIMULATOR": False,
    # Where the simulated phone network answers.
    "SIMULATOR_URL": "http://127.0.0.1:8089",
    # A function that returns the current aware time.
    "CLOCK": "smsflow_plugin.clock.system",
    # Gateways by the kind of connection they serve.
    "GATEWAYS": {
        "sinch": "smsflow_plugin.integrations.sinch.gateway.SinchGateway",
        "sinch_conversation": "smsflow_plugin.integrations.sinch.conversation_gateway.ConversationGateway",
        "null": "smsflow_plugin.messaging.gateway.NullGateway",
    },
    # Who understands deliveries, by their source.
    "TRANSLATORS": {
        "shopify": "smsflow_plugin.integrations.shopify.translate.translate",
        "sinch": "smsflow_plugin.integrations.sinch.translate.translate",
        "sinch_conversation": "smsflow_plugin.integrations.sinch.conversation_translate.translate",
        "form": "smsflow_plugin.signup.translate.translate",
        "links": "smsflow_plugin.links.translate.translate",
        "helpdesk": "smsflow_plugin.integrations.helpdesk.translate.translate",
        "outbox": "smsflow_plugin.messaging.failed.translate",
    },
    # What vendors call, by the first part of its path below the plugin's own.
    "WEBHOOK_URLS": {
        "shopify": "smsflow_plugin.integrations.shopify.urls",
        "sinch": "smsflow_plugin.integrations.sinch.urls",
        "sinch_conversation": "smsflow_plugin.integrations.sinch.conversation_urls",
        "outgoing": "smsflow_plugin.integrations.outgoing.urls",
        "helpdesk": "smsflow_plugin.integrations.helpdesk.urls",
    },
    # Who does what flows want done outside the database, by the kind of effect.
    "PERFORMERS": {
        "webhook": "smsflow_plugin.integrations.outgoing.webhook.perform",
        "email": "smsflow_plugin.integrations.outgoing.mail.to_person",
        "notice": "smsflow_plugin.integrations.outgoing.mail.to_staff",
        "discount": "smsflow_plugin.engine.discounts.perform",
    },
    # Hosts that webhooks may reach although they are inside a network, also by plain http.
    "WEBHOOK_HOSTS": [],
    # What one part of a text costs, by the store's currency: {"USD": "0.0083"}. The editor shows costs with it.
    "PART_PRICE": {},
    # Where a shop's own pages and its Admin API are, by the shop's domain. Another one only for tests.
    "SHOPIFY_URL": "https://{shop}",
    # Who makes discount codes, by the kind of connection to the shop.
    "DISCOUNT_MAKERS": {"shopify": "smsflow_plugin.integrations.shopify.writes.codes.ShopifyCodes"},
    # For how many days what is personal is kept, by kind; see docs/consent.md. What is missing has its default.
    "RETENTION": {},
    # Proxies of ours in front of the site: so many last entries of X-Forwarded-For are believed.
    "TRUSTED_PROXIES": 0,
    # Rows that a pump claims at a time.
    "BATCH_SIZE": 500,
    # Seconds before a cut-off gateway call is looked up; listings lag behind sends.
    "RECONCILE_AFTER": 60,
    # Seconds that a gateway call may take, to connect and to answer.
    "GATEWAY_TIMEOUT": (3.05, 15),
}

IMPORTED = ("CLOCK",)


class Settings:
    """``SMSFLOW`` with defaults applied, cleared when a test overrides the setting."""

    def __init__(self) -> None:
        self._cache: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in DEFAULTS:
            raise AttributeError(name)
        if name not in self._cache:
            value = self._given().get(name, DEFAULTS[name])
            if name in IMPORTED and isinstance(value, str):
                value = import_string(value)
            self._cache[name] = value
        return self._cache[name]

    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = getattr(settings, "SMSFLOW", {})
        unknown = sorted(set(given) - set(DEFAULTS))
        if unknown:
            raise ImproperlyConfigured(f"Unknown keys in the setting SMSFLOW: {', '.join(unknown)}.")
        return given

    def reload(self) -> None:
        self._cache.clear()


smsflow_settings = Settings()


def _reload(*, setting: str, **kwargs: Any) -> None:
    if setting == "SMSFLOW":
        smsflow_settings.reload()


setting_changed.connect(_reload)
