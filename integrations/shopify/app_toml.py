"""``shopify.app.toml``: what Shopify has to know of an app. Pure.

The webhooks that the law wants can be set up in no other way. All others are made for each shop as its flows need them
(``subscriptions``): those of this file would be the same for every shop, and come twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")


def app_toml(
    *,
    name: str,
    client_id: str,
    application_url: str,
    redirect_url: str,
    webhook_url: str,
    scopes: Iterable[str],
    api_version: str,
    asks_merchants: bool,
) -> str:
    """Return the file.

    :param asks_merchants: merchants agree on a page of Shopify, to the scopes that we name then. Otherwise they are
        those of this file, whenever it was last deployed.
    """
    lines = [
        f"client_id = {_text(client_id)}",
        f"name = {_text(name)}",
        f"application_url = {_text(application_url)}",
        "embedded = false",
        "",
        "[access_scopes]",
        f"scopes = {_text(','.join(scopes))}",
        f"use_legacy_install_flow = {'true' if asks_merchants else 'false'}",
        "",
        "[auth]",
        f"redirect_urls = [ {_text(redirect_url)} ]",
        "",
        "[webhooks]",
        f"api_version = {_text(api_version)}",
        "",
        "[[webhooks.subscriptions]]",
        f"compliance_topics = [ {', '.join(_text(topic) for topic in COMPLIANCE)} ]",
        f"uri = {_text(webhook_url)}",
        "",
        "[pos]",
        "embedded = false",
    ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    # TOML's basic strings are JSON's, but for the one control character that JSON leaves as it is
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
