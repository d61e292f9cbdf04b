"""What Sinch calls: delivery reports and people's texts. Verified, stored, answered; read later."""

from __future__ import annotations

import json
import logging
import re

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


@csrf_exempt
@require_POST
def callbacks(request: HttpRequest, token: str) -> HttpResponse:
    """Take a callback for the connection that ``token`` names.

    Sinch repeats a call for 22 hours after a 5xx and never after a 4xx. So whatever is our
    own trouble is a 503, and a 401 is an alarm: with it a STOP may be gone.
    """
    try:
        return _take(request, token)
    except (Error, CannotDecrypt) as error:
        # not the error's own words: databases quote the row that they refuse
        logger.error("A callback from Sinch could not be stored (%s). Sinch will call again.", type(error).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "5"})


def _take(request: HttpRequest, token: str) -> HttpResponse:
    connection = Connection.objects.filter(kind="sinch", token=token).first()
    if connection is None:
        return HttpResponse(status=404)
    secret = connection.secrets.get("callback_secret")
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
    topic, external_id = identify(request.body)
    store_delivery(
        store_id=connection.store_id,
        source="sinch",
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
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    payload = payload if isinstance(payload, dict) else {}
    topic = _plain(payload.get("type"))
    own = _plain(payload.get("id")) if topic in INBOUND else ""
    return topic, f"{topic}:{own}" if own else fingerprint(topic, body)


def _plain(value: object) -> str:
    """Return ``value`` if it is a short plain word, as Sinch's types and ids are."""
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else ""
