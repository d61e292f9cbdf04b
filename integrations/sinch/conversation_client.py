"""The official SDK for the Conversation API: the same safeguards as ``client``, with a project's access key."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from sinch import SinchClient
from sinch.core.clients.retry_configuration import RetryConfiguration
from sinch.core.enums import RetryPolicy

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.sinch.client import NotConfigured

REGIONS = ("us", "eu", "br")

# as in ``client``: at DEBUG the SDK writes tokens, numbers and texts
_SILENCE = logging.Logger("smsflow.sinch.sdk", level=logging.CRITICAL + 1)


def app_of(settings: Mapping[str, Any]) -> str:
    """Return the id of the app that a connection sends from.

    :raises NotConfigured: if none is named.
    """
    app_id = str(settings.get("app_id") or "")
    if not app_id:
        raise NotConfigured(_("The app of Sinch's Conversation API is missing."))
    return app_id


def client_for(account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]) -> SinchClient:
    """Return the client of a project. Threads share it, its open connections and its access token.

    ``account`` is the project's id. ``settings`` may hold ``region`` (one of ``REGIONS``), and
    ``conversation_origin`` and ``auth_origin``, which replace the addresses that follow from it.

    :raises NotConfigured: before anything is sent.
    """
    key_id, key_secret = str(secrets.get("key_id") or ""), str(secrets.get("key_secret") or "")
    region = str(settings.get("region") or REGIONS[0])
    origins = tuple(str(settings.get(name) or "").rstrip("/") for name in ("conversation_origin", "auth_origin"))
    if not account or not key_id or not key_secret:
        raise NotConfigured(_("The project or the access key of Sinch is missing."))
    if region not in REGIONS:
        raise NotConfigured(_("Sinch's Conversation API has no region “%(region)s”.") % {"region": region})
    if any(origin and not origin.startswith(("https://", "http://")) for origin in origins):
        raise NotConfigured(_("The address of Sinch must start with https:// or http://."))
    app_of(settings)
    timeout = tuple(smsflow_settings.GATEWAY_TIMEOUT)
    return _client(os.getpid(), account, key_id, key_secret, region, origins[0], origins[1], timeout)


@lru_cache(maxsize=256)
def _client(
    process: int,
    project_id: str,
    key_id: str,
    key_secret: str,
    region: str,
    conversation_origin: str,
    auth_origin: str,
    timeout: tuple[float, float],
) -> SinchClient:
    """``process`` keeps a forked worker from writing into its parent's connections."""
    client = SinchClient(
        project_id=project_id,
        key_id=key_id,
        key_secret=key_secret,
        conversation_region=region,
        logger=_SILENCE,
        transform_kwargs_casing=False,
        retry_configuration=RetryConfiguration(RetryPolicy.NONE),
    )
    configuration = client.configuration
    configuration.connection_timeout = timeout
    # last: choosing a region afterwards would overwrite it
    if conversation_origin:
        configuration.conversation_origin = conversation_origin
    if auth_origin:
        configuration.auth_origin = auth_origin
    session = configuration.transport.http_session
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=32, max_retries=0))
    return client
