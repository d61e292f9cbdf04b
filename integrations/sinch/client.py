"""The official SDK, set up so that it cannot hurt: no sleeping retries, two timeouts, no talk of secrets."""

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

REGIONS = ("us", "eu", "au", "br", "ca")

# At DEBUG the SDK writes tokens, numbers and texts. A logger of its own, outside of every
# configuration, keeps them out of the log whatever the site sets its root logger to.
_SILENCE = logging.Logger("smsflow.sinch.sdk", level=logging.CRITICAL + 1)


class NotConfigured(Exception):
    """Sinch cannot be called with these settings; the message is a sentence that says why."""


def client_for(account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]) -> SinchClient:
    """Return the client of a service plan. Threads share it, and with it its open connections.

    ``settings`` may hold ``region`` (one of ``REGIONS``) and ``base_url``, which replaces
    the address that follows from the region.

    :raises NotConfigured: before anything is sent.
    """
    token = str(secrets.get("api_token") or "")
    region = str(settings.get("region") or REGIONS[0])
    base_url = str(settings.get("base_url") or "").rstrip("/")
    if not account or not token:
        raise NotConfigured(_("The service plan or the API token of Sinch is missing."))
    if region not in REGIONS:
        raise NotConfigured(_("Sinch has no region “%(region)s”.") % {"region": region})
    if base_url and not base_url.startswith(("https://", "http://")):
        raise NotConfigured(_("The address of Sinch must start with https:// or http://."))
    return _client(os.getpid(), account, token, region, base_url, tuple(smsflow_settings.GATEWAY_TIMEOUT))


@lru_cache(maxsize=256)
def _client(
    process: int, account: str, token: str, region: str, base_url: str, timeout: tuple[float, float]
) -> SinchClient:
    """``process`` keeps a forked worker from writing into its parent's connections."""
    client = SinchClient(
        service_plan_id=account,
        sms_api_token=token,
        sms_region=region,
        logger=_SILENCE,
        transform_kwargs_casing=False,
        retry_configuration=RetryConfiguration(RetryPolicy.NONE),
    )
    configuration = client.configuration
    configuration.connection_timeout = timeout
    if base_url:
        # last: choosing a region afterwards would overwrite it
        configuration.sms_origin_with_service_plan_id = base_url
    session = configuration.transport.http_session
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=32, max_retries=0))
    return client
