"""What a help desk calls. Verified, stored, answered; read later."""

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
from smsflow_plugin.integrations.helpdesk.connecting import KIND, PLAIN, secrets_of
from smsflow_plugin.integrations.helpdesk.signature import BadSignature, verify
from smsflow_plugin.models import Connection
from smsflow_plugin.stores.crypto import CannotDecrypt

logger = logging.getLogger("smsflow.helpdesk")

_PLAIN = re.compile(r"[\w.:/@+-]{1,200}", re.ASCII)


@csrf_exempt
@require_POST
def cases(request: HttpRequest, token: str) -> HttpResponse:
    """Take what the help desk says of a case. 404: no such address; 401: not proven; 503: say it again later."""
    try:
        return _take(request, token)
    except (Error, CannotDecrypt) as error:
        # not the error's own words: databases quote the row that they refuse
        logger.error("A call of a help desk could not be stored (%s).", type(error).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "5"})


def _take(request: HttpRequest, token: str) -> HttpResponse:
    connection = Connection.objects.filter(kind=KIND, token=token).first()
    if connection is None:
        return HttpResponse(status=404)
    now = clock.now()
    try:
        verify(
            secrets_of(connection, now),
            request.headers,
            request.body,
            now=now,
            plain=connection.settings.get(PLAIN) is True,
        )
    except BadSignature as reason:
        logger.warning("A call of the help desk of store %s was refused because %s.", connection.store_id, reason)
        return HttpResponse(status=401)
    topic, external_id = identify(request.body)
    store_delivery(
        store_id=connection.store_id,
        source=KIND,
        external_id=external_id,
        topic=topic,
        headers=request.headers,
        body=request.body,
    )
    return HttpResponse(status=200)


def identify(body: bytes) -> tuple[str, str]:
    """Return the topic of a call, and the id by which it is known again: the event's own, or that of its words."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    payload = payload if isinstance(payload, dict) else {}
    topic = f"case_{_plain(payload.get('event'))}".lower()[:40]
    own = _plain(payload.get("id"))
    return topic, own or fingerprint(topic, body)


def _plain(value: object) -> str:
    """Return ``value`` as text if it is a short plain word or a number, as ids are."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if _PLAIN.fullmatch(text) else ""
