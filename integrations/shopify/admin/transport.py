"""HTTP to Shopify: two timeouts, no redirects, no cookies, no talk of secrets."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.shopify.admin.errors import Unreachable

#: Seconds to connect and to answer. A question of 1,000 points takes Shopify several seconds.
TIMEOUT = (3.05, 25.0)

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is the JSON, or None where it was none."""

    status: int
    headers: Mapping[str, str]
    body: Any


def address(shop: str) -> str:
    """Return where ``shop`` ("sierra-gear.myshopify.com") answers, without a trailing slash."""
    return str(smsflow_settings.SHOPIFY_URL).format(shop=shop).rstrip("/")


def post(url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    """Post JSON.

    :raises Unreachable: if there is no answer, or none that HTTP would call one.
    """
    try:
        response = session().post(
            url, json=body, headers={"Accept": "application/json", **(headers or {})}, timeout=TIMEOUT,
            # a redirect would carry the token to another host
            allow_redirects=False,
        )  # fmt: skip
    except requests.RequestException as error:
        raise Unreachable(_("Shopify does not answer (%(error)s).") % {"error": type(error).__name__}) from None
    try:
        content = response.json()
    except ValueError:
        content = None
    return Answer(response.status_code, response.headers, content)


def session() -> requests.Session:
    """Return this thread's open connections. They belong to no shop: nothing of one call stays for the next."""
    process = os.getpid()
    if getattr(_local, "process", None) != process:  # a forked worker must not write into its parent's connections
        _local.process, _local.session = process, _new_session()
    found: requests.Session = _local.session
    return found


def _new_session() -> requests.Session:
    made = requests.Session()
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        made.mount(scheme, HTTPAdapter(pool_maxsize=4, max_retries=0))
    return made
