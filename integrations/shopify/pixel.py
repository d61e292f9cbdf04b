"""Where the shop's web pixel says what somebody looks at. Nothing that comes in here is signed: anybody can send it.

So it never says who somebody is, never holds a number or consent, and nothing of it but ids goes into a text. A
person is found only by the token of a checkout that Shopify itself has told us of. Two limits keep it small.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.phone_keys import hash_phone
from smsflow_plugin.callers import client_ip, connection_of
from smsflow_plugin.events.facts import CannotUnderstand
from smsflow_plugin.integrations.shopify.kept import PixelEvent
from smsflow_plugin.integrations.shopify.payload import Payload, parse
from smsflow_plugin.stores.models import Connection, Store

#: Bytes. What our pixel sends has a few hundred.
MAX_BODY = 4 * 1024

#: Events a minute from one connection, and from all browsers of one shop. A person does not look at more; a café might.
PER_CALLER, PER_STORE = 60, 1_200
MINUTE = timedelta(minutes=1)

#: A browser's clock may be wrong, and a page may have been asleep. What is older is of no use to anybody.
OLDEST = timedelta(hours=24)

KINDS = frozenset({
    "product_viewed", "collection_viewed", "search_submitted", "product_added_to_cart", "checkout_started",
})  # fmt: skip

#: Words that people search for go into no text by themselves, but copy may ask for them.
_NOT_IN_WORDS = re.compile(r"[^\w '&-]+")
_MOST_WORDS = 60


@dataclass(frozen=True, slots=True)
class Visit:
    """What our pixel says. All ids are Shopify's own."""

    event_id: str
    client_id: str
    kind: str
    at: datetime
    checkout: str
    data: Mapping[str, str]


@csrf_exempt
@transaction.non_atomic_requests
@require_http_methods(["POST", "OPTIONS"])
def receive_visit(request: HttpRequest, token: str) -> HttpResponse:
    """Store what a browser says. Whether it was of use, a browser is not told."""
    if request.method == "OPTIONS":
        return _to_anybody(HttpResponse(status=204))
    try:
        return _to_anybody(_take(request, token))
    except DatabaseTrouble:
        # a visit is not worth a second try
        return _to_anybody(HttpResponse(status=503))


def _take(request: HttpRequest, token: str) -> HttpResponse:
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        return HttpResponse(status=413)
    now = clock.now()
    store_id = _store(token)
    if store_id is None:
        return HttpResponse(status=404)
    visit = read(body, now)
    if visit is None:
        return HttpResponse(status=400)
    caller = hash_phone(f"pixel:{connection_of(client_ip(request))}")
    if _too_many(store_id, caller, now):
        return HttpResponse(status=429)
    row = (
        store_id, visit.event_id, visit.client_id, visit.kind, visit.checkout, dict(visit.data), visit.at, now, caller,
    )  # fmt: skip
    columns = ("store_id", "event_id", "client_id", "kind", "checkout", "data", "at", "received_at", "caller")
    # the same event may come twice: from a page that was loaded again
    bulk.insert(PixelEvent, columns, [row])
    return HttpResponse(status=204)


def read(body: bytes, now: datetime) -> Visit | None:
    """Return what a browser says, or None if it is nothing that our pixel would say. Pure."""
    try:
        payload = parse(body)
    except CannotUnderstand:
        return None
    event_id, client_id, kind = payload.token("id"), payload.token("client"), payload.word("name")
    at = payload.time("at") or now
    if not event_id or not client_id or kind not in KINDS:
        return None
    checkout = payload.token("checkout") if kind == "checkout_started" else ""
    if kind == "checkout_started" and not checkout:
        return None
    # nobody looks at something tomorrow
    at = min(at, now)
    return Visit(event_id, client_id, kind, at, checkout, _data(kind, payload)) if now - at <= OLDEST else None


def _data(kind: str, payload: Payload) -> dict[str, str]:
    """Return the ids that an event is about: names and prices are looked up in what the shop has signed."""
    match kind:
        case "product_viewed" | "product_added_to_cart":
            found = {"variant_id": payload.id("variant"), "product_id": payload.id("product")}
        case "collection_viewed":
            found = {"collection_id": payload.id("collection")}
        case "search_submitted":
            found = {"words": " ".join(_NOT_IN_WORDS.sub(" ", payload.text("words"))[:_MOST_WORDS].split())}
        case _:
            found = {}
    return {name: value for name, value in found.items() if value}


def _store(token: str) -> int | None:
    """Return the store whose pixel it is. A shop that has gone, or was stopped, is told nothing."""
    found: int | None = (
        Connection.objects.filter(kind="shopify", token=token, store__status=Store.Status.ACTIVE)
        .values_list("store_id", flat=True)
        .first()
    )
    return found


def _too_many(store_id: int, caller: str, now: datetime) -> bool:
    recent = PixelEvent.objects.filter(store_id=store_id, received_at__gt=now - MINUTE)
    counted: dict[str, Any] = recent.aggregate(all=Count("pk"), own=Count("pk", filter=Q(caller=caller)))
    return bool(counted["all"] >= PER_STORE or counted["own"] >= PER_CALLER)


def _to_anybody(response: HttpResponse) -> HttpResponse:
    """Let a sandboxed pixel, whose origin is "null", send without asking first and read no more than the status."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "content-type"
    response["Access-Control-Max-Age"] = "86400"
    response["Cache-Control"] = "no-store"
    return response


def sample() -> bytes:
    """Return what the pixel sends of somebody who looks at a product, for documentation and tests."""
    said = {"id": "e-1", "client": "c-1", "name": "product_viewed", "variant": "808950810", "product": "632910392"}
    return json.dumps(said).encode()
