"""Makes rows for tests. Every function takes what the test is about and fills in the rest."""

from __future__ import annotations

from itertools import count
from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import Consent
from smsflow_plugin.models import Connection, ConsentRecord, Contact, Policy, Store

_numbers = count(1)

SHOPIFY_SECRET = "shopify-test-secret"
SINCH_SECRET = "sinch-test-secret"


def make_store(*, name: str = "Sierra Gear", domain: str = "sierra-gear.myshopify.com", **values: Any) -> Store:
    """A store with a policy and both connections.

    The secrets are ``{"secret": …, "previous_secret": ""}`` for Shopify and
    ``{"api_token": …, "callback_secret": …}`` for Sinch.
    """
    # texts stay as they are written, unless a test is about links
    defaults = {"brand": name, "sender": "+12025550100", "help_contact": "help@example.com", "shorten_links": False}
    store = Store.objects.create(name=name, **{**defaults, **values})
    Policy.objects.create(store=store)
    Connection.objects.create(
        store=store, kind="shopify", account=domain, secrets={"secret": SHOPIFY_SECRET, "previous_secret": ""}
    )
    Connection.objects.create(
        store=store,
        kind="sinch",
        account=f"plan-{store.pk}",
        secrets={"api_token": "token", "callback_secret": SINCH_SECRET},
        settings={"region": "us"},
    )
    return store


def caps(day: int = 2, week: int = 5) -> list[dict[str, Any]]:
    """Rows for a policy: so many texts to one person in 24 hours, and in 7 days."""
    return [{"limit": day, "window": "day"}, {"limit": week, "window": "week"}]


def make_contact(store: Store, **values: Any) -> Contact:
    """Ada, who agreed to marketing texts, with a number of her own."""
    n = next(_numbers)
    defaults = {
        "phone": f"+1202555{n % 10000:04d}" if store.country == "US" else f"+4520{n % 1000000:06d}",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "country": store.country,
        "timezone": store.timezone,
        "language": store.language,
        "marketing_consent": Contact.Consent.GRANTED,
        "opt_in_level": "confirmed",
        "consent_changed_at": clock.now(),
    }
    return Contact.objects.create(store=store, **{**defaults, **values})


def said(contact: Contact, action: str = "granted", scope: str = "marketing", **values: Any) -> ConsentRecord:
    """A line in the ledger of consent, chained as every line is. What the contact agreed to stays as it is."""
    defaults = {"source": "shopify_customer", "effective_at": clock.now(), "key": f"said:{next(_numbers)}"}
    consent = Consent(action, scope, **{**defaults, **values})
    ledger.append([ledger.Statement(contact, consent)], clock.now())
    contact.save(update_fields=["ledger_head"])
    return ConsentRecord.objects.get(store=contact.store, key=consent.key)
