"""Where Shopify's webhooks arrive: verified, stored, answered. Nothing else happens here.

Shopify waits five seconds and takes any answer but 2xx for a failure; after eight of
them it deletes the subscription. So an answer says what Shopify should do next: 200
"done with it", 401 "we do not believe you", 503 "send it again".
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.events.inbox import fingerprint, store_delivery
from smsflow_plugin.integrations.shopify.app_toml import COMPLIANCE
from smsflow_plugin.integrations.shopify.headers import HMAC, SHOP, TOPIC, WEBHOOK_ID, shopify_header
from smsflow_plugin.integrations.shopify.oauth import readable_apps
from smsflow_plugin.integrations.shopify.verify import is_genuine, shop_domain
from smsflow_plugin.stores.crypto import CannotDecrypt
from smsflow_plugin.stores.models import Connection

logger = logging.getLogger(__name__)

#: What an app is told of itself. Another app of the shop must not speak for it: the custom app that a store had before
#: is taken away one day, and that is not the end of the store.
OF_THE_APP = frozenset({"app/uninstalled", "app/scopes_update", "shop/redact"})

#: Bytes. Shopify's largest payloads (products with many variants) stay well below.
MAX_BODY = 10 * 1024 * 1024


@csrf_exempt
@transaction.non_atomic_requests
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a webhook and answer. A duplicate gets the same answer as the original."""
    if _announced_length(request) > MAX_BODY:
        return HttpResponse(status=413)
    # read directly: ``request.body`` refuses what exceeds the site's limit for forms, 2.5 MB by default
    body = request.read(MAX_BODY)
    try:
        store_id = _genuine_sender(request, body)
        if store_id is None:
            return HttpResponse(status=401)
        _store(request, body, store_id)
    except (DatabaseTrouble, CannotDecrypt):
        logger.exception("A webhook from Shopify could not be stored; Shopify will send it again.")
        return HttpResponse(status=503)
    return HttpResponse()


def _announced_length(request: HttpRequest) -> int:
    """Return how long the body is. Without a length there is no body: WSGI reads no further."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _genuine_sender(request: HttpRequest, body: bytes) -> int | None:
    """Return the id of the store whose shop signed ``body``, or None.

    A shop that is unknown and one with a bad signature are told the same, after the same work.
    """
    shop = shop_domain(shopify_header(request.headers, SHOP))
    store_id, own, apps = _connection(shop)
    signature = shopify_header(request.headers, HMAC)
    topic = shopify_header(request.headers, TOPIC).lower()
    if apps and topic in OF_THE_APP:
        own = {}
    genuine = is_genuine(
        body,
        signature,
        secret=str(own.get("secret") or ""),
        previous_secret=str(own.get("previous_secret") or ""),
        app_secret=str(apps.get("secret") or ""),
        previous_app_secret=str(apps.get("previous_secret") or ""),
        demo=smsflow_settings.DEMO,
    )
    if not genuine and not apps and topic in COMPLIANCE:
        genuine = _signed_by_any_app(body, signature)
    if not genuine or store_id is None:
        why = "bad signature" if store_id else "unknown shop"
        logger.warning("Refused a webhook that says it is from %r: %s.", shop, why)
        return None
    return store_id


def _signed_by_any_app(body: bytes, signature: str) -> bool:
    """Return whether one of our apps was told this, for a shop that is disconnected: the law still wants an answer.

    Which shop it is about stands in the body, and is compared when it is read.
    """
    found = [
        is_genuine(
            body,
            signature,
            secret=app.secret,
            previous_secret=str(app.secrets.get("previous_secret") or ""),
            demo=smsflow_settings.DEMO,
        )
        for app in readable_apps()
    ]
    return any(found)


def _connection(shop: str) -> tuple[int | None, dict[str, Any], dict[str, Any]]:
    """Return the store that ``shop`` is connected to, with the secrets of the connection and those of its app.

    Webhooks of an app are signed with the app's secret, those made by hand with a key of the shop; a store may have
    both. Read anew each time, so that a new secret counts at once in every process.
    """
    if not shop:
        return None, {}, {}
    rows = Connection.objects.filter(kind="shopify", account=shop)
    store_id, own, apps = rows.values_list("store_id", "secrets", "grant__app__secrets").first() or (None, {}, {})
    return store_id, own, apps or {}


def _store(request: HttpRequest, body: bytes, store_id: int) -> None:
    topic = shopify_header(request.headers, TOPIC)
    store_delivery(
        store_id=store_id,
        source="shopify",
        external_id=shopify_header(request.headers, WEBHOOK_ID) or fingerprint(topic, body),
        topic=topic,
        headers=request.headers,
        body=body,
    )
