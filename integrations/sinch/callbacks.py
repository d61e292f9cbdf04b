"""What Sinch calls: delivery reports and people's texts. Verified, stored, answered; read later."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from smsflow_plugin import clock
from smsflow_plugin.events.inbox import fingerprint, store_delivery
from smsflow_plugin.integrations.sinch.signature import BadSignature, verify
from smsflow_plugin.models import Connection
from smsflow_plugin.stores.crypto import CannotDecrypt

logger = logging.getLogger("smsflow.sinch")

#: Texts from people; they have an id of their own.
INBOUND = ("mo_text", "mo_media", "mo_binary")

_PLAIN = re.compile(r"[\w.:-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """One of Sinch's APIs that call us.

    ``kind`` is that of its connections, ``signed_with`` where these keep their secret. ``identify``
    returns the topic and the id of a body; ``is_foreign`` whether it was meant for somebody else.
    """

    kind: str
    signed_with: str
    identify: Callable[[bytes], tuple[str, str]]
    is_foreign: Callable[[Connection, bytes], bool] = lambda connection, body: False


@csrf_exempt
@require_POST
def callbacks(request: HttpRequest, token: str) -> HttpResponse:
    """Take a callback of the SMS API for the connection that ``token`` names."""
    return take(request, token, SMS)


def take(request: HttpRequest, token: str, source: Source) -> HttpResponse:
    """Verify a callback, store it and answer.

    Sinch repeats a call for 22 hours after a 5xx and never after a 4xx. So whatever is our
    own trouble is a 503, and a 401 is an alarm: with it a STOP may be gone.
    """
    try:
        return _take(request, token, source)
    except (Error, CannotDecrypt) as error:
        # not the error's own words: databases quote the row that they refuse
        logger.error("A callback from Sinch could not be stored (%s). Sinch will call again.", type(error).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "5"})


def _take(request: HttpRequest, token: str, source: Source) -> HttpResponse:
    connection = Connection.objects.filter(kind=source.kind, token=token).first()
    if connection is None:
        return HttpResponse(status=404)
    secret = connection.secrets.get(source.signed_with)
    if secret:
        try:
            verify(secret, request.headers, request.body, now=clock.now())
        except BadSignature as reason:
            logger.error(
                "A callback from Sinch for store %s was refused because %s. Sinch does not repeat it:"
                " if it was genuine, a reply or STOP is lost.",
                connection.store_id,
                reason,
            )
            return HttpResponse(status=401)
    if source.is_foreign(connection, request.body):
        # people of another store must not become people of this one
        logger.error(
            "A callback for store %s is about another app of Sinch, and was refused. Correct the address that"
            " is entered there: replies and STOPs of its people are being lost.",
            connection.store_id,
        )
        return HttpResponse(status=404)
    topic, external_id = source.identify(request.body)
    store_delivery(
        store_id=connection.store_id,
        source=source.kind,
        external_id=external_id,
        topic=topic,
        headers=request.headers,
        body=request.body,
    )
    return HttpResponse(status=200)


def identify(body: bytes) -> tuple[str, str]:
    """Return the topic of a callback, and the id by which it is known again.

    A text has Sinch's own id. Reports have none: the body is the id, so that two states
    of one text differ and a repeated one does not.
    """
    payload = read(body)
    topic = plain(payload.get("type"))
    own = plain(payload.get("id")) if topic in INBOUND else ""
    return topic, f"{topic}:{own}" if own else fingerprint(topic, body)


def read(body: bytes) -> Mapping[str, Any]:
    """Return the object that a body is; an empty one if it is none."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    return payload if isinstance(payload, dict) else {}


def plain(value: object) -> str:
    """Return ``value`` if it is a short plain word, as Sinch's types and ids are."""
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else ""


SMS = Source(kind="sinch", signed_with="callback_secret", identify=identify)
