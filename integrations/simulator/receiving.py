"""Where the simulated shop's own webhooks arrive: verified, stored, answered, as Shopify's are."""

from __future__ import annotations

import hmac

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.events.inbox import fingerprint, store_delivery
from smsflow_plugin.integrations.simulator.shop import signature
from smsflow_plugin.models import Connection

SOURCE = "simulator"


@csrf_exempt
@transaction.non_atomic_requests
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Store a webhook that a simulated shop has signed with the secret of its store."""
    if not smsflow_settings.SIMULATOR:
        raise Http404
    shop = request.headers.get("X-Shopify-Shop-Domain", "")
    found = Connection.objects.filter(kind="shopify", account=shop).values_list("store_id", "secrets").first()
    store_id, secrets = found or (None, {})
    secret = str(secrets.get("secret") or "")
    given = request.headers.get("X-Shopify-Hmac-Sha256", "")
    if not secret or not hmac.compare_digest(signature(secret, request.body).encode(), given.encode()):
        return HttpResponse(status=401)
    assert store_id is not None
    topic = request.headers.get("X-Shopify-Topic", "")
    store_delivery(
        store_id=store_id,
        source=SOURCE,
        external_id=request.headers.get("X-Shopify-Webhook-Id") or fingerprint(topic, request.body),
        topic=topic,
        headers=request.headers,
        body=request.body,
    )
    return HttpResponse()
