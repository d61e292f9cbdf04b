"""Posts webhooks as Shopify does, and opens them as the ingest pump does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smsflow_plugin.events.facts import RawDelivery, StoreInfo, Translation
from smsflow_plugin.integrations.shopify.translate import translate
from smsflow_plugin.integrations.shopify.verify import sign
from tests.factories import SHOPIFY_SECRET

ADDRESS = "/smsflow/shopify/webhooks/"
SHOP = "sierra-gear.myshopify.com"
#: Shortly after everything in ``payloads`` happened.
RECEIVED = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
US = StoreInfo(country="US", timezone="America/New_York", language="en", currency="USD")
DENMARK = StoreInfo(country="DK", timezone="Europe/Copenhagen", language="da", currency="DKK")

#: The folder ../shared/fixtures beside the project, or beside the folder of worktrees that it stands in.
SHARED = next(
    (found for place in Path(__file__).resolve().parents[3:5] if (found := place / "shared" / "fixtures").is_dir()),
    Path("no shared fixtures"),
)
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared/fixtures is not here")


def samples() -> list[tuple[str, bytes]]:
    """Return Shopify's published samples as (topic, body); none where ../shared is absent."""
    files = sorted((SHARED / "shopify" / "samples-2026-07").glob("*.json"))
    return [(file.stem.replace("__", "/"), file.read_bytes()) for file in files]


def body_of(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def headers(
    body: bytes,
    topic: str = "orders/create",
    *,
    shop: str = SHOP,
    secret: str = SHOPIFY_SECRET,
    webhook_id: str | None = "w-1",
    prefix: str = "X-Shopify-",
    **more: str,
) -> dict[str, str]:
    """Return the headers that Shopify sends with ``body``."""
    values = {
        f"{prefix}Topic": topic,
        f"{prefix}Hmac-Sha256": sign(body, secret),
        f"{prefix}Shop-Domain": shop,
        f"{prefix}API-Version": "2026-07",
        f"{prefix}Triggered-At": "2026-03-04T15:59:59.123456789Z",
    }
    if webhook_id is not None:
        values[f"{prefix}Webhook-Id"] = webhook_id
    return {**values, **more}


def post(client: Any, body: bytes, topic: str = "orders/create", *, address: str = ADDRESS, **options: Any) -> Any:
    """Post ``body`` as the webhook ``topic``, signed; ``options`` are those of ``headers``."""
    return client.post(address, body, content_type="application/json", headers=headers(body, topic, **options))


def raw(topic: str, body: bytes, **more: str) -> RawDelivery:
    values = {
        "x-shopify-shop-domain": SHOP,
        "x-shopify-triggered-at": "2026-03-04T15:59:30Z",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return RawDelivery("shopify", topic, "w-1", values, body, RECEIVED)


def told(topic: str, payload: Any, *, store: StoreInfo = US, **more: str) -> Translation:
    """Return what a webhook says; ``more`` are headers, with underscores."""
    return translate(raw(topic, body_of(payload), **more), store)
