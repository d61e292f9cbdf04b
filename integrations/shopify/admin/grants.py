"""Turns what a shop gave us into a token: a code, an id token, a refresh token, or nothing but our own secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.integrations.shopify.admin import transport
from smsflow_plugin.integrations.shopify.admin.errors import Refused, Unreachable
from smsflow_plugin.integrations.shopify.models import ShopifyApp

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - the name of a kind
_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"


@dataclass(frozen=True, slots=True, repr=False)
class Granted:
    """What Shopify gave. It is never printed. Without ``expires_in`` the token does not end."""

    access_token: str
    refresh_token: str = ""
    scopes: tuple[str, ...] = ()
    expires_in: timedelta | None = None
    refresh_expires_in: timedelta | None = None


def by_code(app: ShopifyApp, shop: str, code: str) -> Granted:
    """The merchant has agreed, and Shopify has sent them back to us with a code.

    :raises Refused: if it is not valid (any more). Each of these raises Unreachable where nobody answers.
    """
    # without it the token would never end, which Shopify no longer allows for public apps
    return _ask(app, shop, {"code": code, "expiring": "1"})


def by_id_token(app: ShopifyApp, shop: str, id_token: str) -> Granted:
    """The app was opened inside Shopify's admin, and says who it was opened by."""
    asked = {"subject_token": id_token, "subject_token_type": _ID_TOKEN, "requested_token_type": _OFFLINE}
    return _ask(app, shop, {"grant_type": _EXCHANGE, "expiring": "1", **asked})


def by_refresh_token(app: ShopifyApp, shop: str, refresh_token: str) -> Granted:
    """The token's hour is over."""
    if not refresh_token:
        raise Refused(_("The token's time is over. Connect the shop again."))
    return _ask(app, shop, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def by_client_credentials(app: ShopifyApp, shop: str) -> Granted:
    """The shop belongs to the app's own organisation: nobody needs to agree."""
    return _ask(app, shop, {"grant_type": "client_credentials"})


def _ask(app: ShopifyApp, shop: str, values: Mapping[str, str]) -> Granted:
    url = f"{transport.address(shop)}/admin/oauth/access_token"
    answer = transport.post(url, {"client_id": app.client_id, "client_secret": app.secret, **values})
    if answer.status in (400, 401, 403, 404):
        raise Refused(_("Shopify does not give a token for %(shop)s: %(said)s") % {"shop": shop, "said": _said(answer)})
    body = answer.body if isinstance(answer.body, dict) else {}
    token = body.get("access_token")
    if answer.status != 200 or not isinstance(token, str) or not token:
        raise Unreachable(_("Shopify is in trouble (HTTP %(status)s).") % {"status": answer.status})
    return Granted(
        access_token=token,
        refresh_token=str(body.get("refresh_token") or ""),
        scopes=tuple(scope for scope in str(body.get("scope") or "").split(",") if scope),
        expires_in=_seconds(body.get("expires_in")),
        refresh_expires_in=_seconds(body.get("refresh_token_expires_in")),
    )


def _said(answer: transport.Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return str(body.get("error_description") or body.get("error") or f"HTTP {answer.status}")[:150]


def _seconds(value: Any) -> timedelta | None:
    return timedelta(seconds=value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
