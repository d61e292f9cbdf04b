"""The official SDK, set up so that it cannot hurt: no sleeping retries, two timeouts, no talk of secrets."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from requests.adapters import HTTPAdapter
from sinch import SinchClient
from sinch.core.clients.retry_configuration import RetryConfiguration
from sinch.core.enums import RetryPolicy

from smsflow_plugin.conf import smsflow_settings

DEFAULT_REGION = "us"

# At DEBUG the SDK writes tokens, numbers and texts. A logger of its own, outside of every
# configuration, keeps them out of the log whatever the site sets its root logger to.
_SILENCE = logging.Logger("smsflow.sinch.sdk", level=logging.CRITICAL + 1)


def client_for(account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]) -> SinchClient:
    """Return the client of a service plan. Threads share it, and with it its open connections.

    ``settings`` may hold ``region`` ("us", "eu", "au", "br", "ca") and ``base_url``,
    which replaces the address that follows from the region.
    """
    return _client(
        os.getpid(),
        account,
        str(secrets.get("api_token", "")),
        str(settings.get("region") or DEFAULT_REGION),
        str(settings.get("base_url") or "").rstrip("/"),
        tuple(smsflow_settings.GATEWAY_TIMEOUT),
    )


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
