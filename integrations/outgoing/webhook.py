"""Tells another system what a flow has to tell: one signed HTTPS request.

The body is signed with the store's own secret: ``SMSFlow-Signature: t=<unix time>,v1=<hex>``, where
the hex digits are the HMAC-SHA256 of ``<unix time>.<body>``. ``SMSFlow-Key`` is the same
for every try of one request. Redirects are not followed, and addresses inside a network
are refused, whatever a name says that it resolves to.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from django.db import transaction
from django.utils.translation import gettext as _
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.performing import Failed, Job
from smsflow_plugin.stores.models import Connection, Store

KIND = "webhook"
#: Seconds to connect, and between two pieces of the answer.
TIMEOUT = (2.0, 5.0)
#: Seconds for the whole answer, however slowly it drips in.
LONGEST_WAIT = 10.0
#: Of a longer answer nothing is kept.
LONGEST_ANSWER = 64 * 1024


def perform(job: Job) -> Any:
    """Make the request; return the answer: parsed if it is JSON, else its text."""
    url = str(job.payload.get("url") or "")
    body = (job.payload.get("body") or _standard_body(job)).encode()
    allowed = _check(url)
    try:
        with _session(allowed) as session:
            response = session.post(url, data=body, headers=_headers(job, body), stream=True)
            answer = _read(response)
    except InvalidIPAddress:
        raise Failed(_("The address is inside a network and may not be called.")) from None
    except requests.RequestException as error:
        raise Failed(_("No answer: %(error)s.") % {"error": type(error).__name__}, again=True) from error
    if response.status_code == 429 or response.status_code >= 500:
        raise Failed(_("The answer was %(status)s.") % {"status": response.status_code}, again=True)
    if not 200 <= response.status_code < 300:
        raise Failed(_("The answer was %(status)s.") % {"status": response.status_code})
    return answer


def signature(secret: str, body: bytes, moment: int) -> str:
    """Return the value of the header ``SMSFlow-Signature`` for ``body``, signed at the Unix time ``moment``."""
    digest = hmac.new(secret.encode(), b"%d.%s" % (moment, body), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def secret_of(store: Store) -> str:
    """Return the secret that the store's requests are signed with, made when it is first asked for."""
    with transaction.atomic():
        Store.objects.select_for_update().get(pk=store.pk)
        connection, created = Connection.objects.get_or_create(
            store=store, kind=KIND, defaults={"account": f"store-{store.pk}", "secrets": {}}
        )
        if created or not connection.secrets.get("secret"):
            connection.secrets = {"secret": secrets.token_hex(32)}
            connection.save(update_fields=["secrets"])
    return str(connection.secrets["secret"])


def _check(url: str) -> bool:
    """Refuse what is not https; return whether the host is one that the site itself allows."""
    parts = urlsplit(url)
    allowed = parts.hostname in smsflow_settings.WEBHOOK_HOSTS
    if parts.scheme != "https" and not (allowed and parts.scheme == "http"):
        raise Failed(_("The address must begin with https://."))
    if not parts.hostname or parts.username or parts.password:
        raise Failed(_("The address cannot be called."))
    return allowed


def _session(allowed: bool) -> HTTPSession:
    session = HTTPSession(
        Config(
            ip_filter_enable=not allowed,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=TIMEOUT,
            user_agent_override="SMSFlow",
        )
    )
    # a proxy from the environment would be asked for addresses that nobody has checked
    session.trust_env = False
    return session


def _headers(job: Job, body: bytes) -> dict[str, str]:
    moment = int(clock.now().timestamp())
    return {
        "Content-Type": "application/json",
        "SMSFlow-Key": job.key,
        "SMSFlow-Signature": signature(secret_of(job.store), body, moment),
    }


def _standard_body(job: Job) -> str:
    contact = job.contact
    person = {"id": str(contact.uuid), "phone": contact.phone, "email": contact.email, "name": contact.name}
    return json.dumps({"flow": job.flow_name, "key": job.key, "contact": {**person, "fields": contact.fields}})


def _read(response: requests.Response) -> Any:
    content = b""
    end = time.monotonic() + LONGEST_WAIT
    for piece in response.iter_content(8192):
        content += piece
        if len(content) > LONGEST_ANSWER:
            raise Failed(_("The answer is too long."))
        if time.monotonic() > end:
            raise Failed(_("The answer takes too long."))
    text = content.decode(errors="replace").replace("\x00", "")
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()
