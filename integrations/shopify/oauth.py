"""What goes through the browser between a shop and us: signed by Shopify, and by nobody else believed.

ShopifyAPI's ``Session`` holds the app's key and secret on the class, for the whole process. With several apps side by
side each call gets a class of its own, and nobody ever calls ``setup``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import shopify  # type: ignore[import-untyped]
from django.core import signing
from django.http import QueryDict
from django.utils.translation import gettext as _
from shopify import session_token

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.addresses import address_of
from smsflow_plugin.integrations.shopify.admin import transport
from smsflow_plugin.integrations.shopify.admin.documents import VERSION
from smsflow_plugin.integrations.shopify.models import PendingInstall, ShopifyApp
from smsflow_plugin.integrations.shopify.verify import shop_domain
from smsflow_plugin.models import Store
from smsflow_plugin.stores.crypto import CannotDecrypt

#: How far Shopify's clock and ours may be apart. What is older may have been copied from somewhere.
TOLERANCE = timedelta(seconds=90)
#: So long may somebody look at Shopify's page before they agree.
PENDING = timedelta(minutes=30)
#: So long may somebody take to sign in, and choose a store, when they came from Shopify's side.
ARRIVAL = timedelta(hours=1)

_STATE, _ARRIVED = "smsflow.shopify.state", "smsflow.shopify.arrived"


class NotGenuine(Exception):
    """The browser brings something that is not from Shopify, or not any more. The message is for a person."""


def session_class(app: ShopifyApp, secret: str | None = None) -> type[Any]:
    """Return a ``shopify.Session`` for one app. The parent's class attributes stay as they are."""
    values = {"api_key": app.client_id, "secret": app.secret if secret is None else secret}
    return type("AppSession", (shopify.Session,), values)


def signed_parameters(query: QueryDict) -> dict[str, str]:
    """Return the parameters of a request.

    :raises NotGenuine: if one comes twice: the signature would be read with one of them, and the code with the other.
    """
    if any(len(values) != 1 for _name, values in query.lists()):
        raise NotGenuine(_("The address is not as Shopify makes it."))
    return {name: str(value) for name, value in query.items()}


def check_signature(app: ShopifyApp, parameters: Mapping[str, str]) -> str:
    """Return the shop that a request is about.

    :raises NotGenuine: if the app's secret has not signed it, or not just now.
    """
    if not any(session_class(app, secret).validate_hmac(parameters) for secret in app.all_secrets):
        raise NotGenuine(_("This was not signed by Shopify with the secret of the app. Is the right secret stored?"))
    if not _is_fresh(parameters.get("timestamp", "")):
        raise NotGenuine(_("This address is too old. Begin again."))
    shop = shop_domain(parameters.get("shop", ""))
    if not shop or shop != parameters["shop"]:
        raise NotGenuine(_("The address does not name a shop of Shopify."))
    return shop


def app_that_signed(parameters: Mapping[str, str]) -> tuple[ShopifyApp, str]:
    """Return the app whose secret signed a request, and the shop.

    :raises NotGenuine: if there is none.
    """
    for app in readable_apps():
        if any(session_class(app, secret).validate_hmac(parameters) for secret in app.all_secrets):
            return app, check_signature(app, parameters)
    raise NotGenuine(_("This was not signed by Shopify with the secret of any app that is known here."))


def readable_apps() -> Iterator[ShopifyApp]:
    """Yield the apps, but for those whose secret was encrypted with a key that is gone."""
    for pk in ShopifyApp.objects.order_by("pk").values_list("pk", flat=True):
        try:
            yield ShopifyApp.objects.get(pk=pk)
        except (CannotDecrypt, ShopifyApp.DoesNotExist):
            continue


def begin(*, user: Any, store: Store, app: ShopifyApp, shop: str, scopes: Iterable[str]) -> str:
    """Remember that ``user`` goes to Shopify to connect ``store``, and return the address of the page there."""
    nonce = secrets.token_urlsafe(32)
    PendingInstall.objects.create(user=user, store=store, app=app, shop=shop, state_hash=_hash(nonce))
    state = signing.Signer(salt=_STATE).sign(nonce)
    url: str = session_class(app)(shop, VERSION).create_permission_url(list(scopes), address_of("callback"), state)
    # the library knows one address only; tests and the demo have their shops elsewhere
    return url.replace(f"https://{shop}", transport.address(shop), 1)


def come_back(parameters: Mapping[str, str], user: Any) -> PendingInstall:
    """Return what ``user`` had begun, and forget it: nobody comes back twice.

    :raises NotGenuine: if it is somebody else, too late, about another shop, or not signed by Shopify.
    """
    begin_again = _("Nobody has begun this here, or it was too long ago. Begin again on the page of the store.")
    try:
        nonce = signing.Signer(salt=_STATE).unsign(parameters.get("state", ""))
    except signing.BadSignature:
        raise NotGenuine(begin_again) from None
    rows = PendingInstall.objects.select_related("app", "store", "user")
    pending = rows.filter(state_hash=_hash(nonce), created_at__gt=clock.now() - PENDING).first()
    if pending is None or not user.is_authenticated or pending.user_id != user.pk:
        raise NotGenuine(begin_again)
    if check_signature(pending.app, parameters) != pending.shop:
        raise NotGenuine(_("You came back from another shop than the one that you went to."))
    # of two requests at once only one deletes it
    if not PendingInstall.objects.filter(pk=pending.pk).delete()[0]:
        raise NotGenuine(begin_again)
    return pending


def sign_arrival(app: ShopifyApp, shop: str) -> str:
    """Return a text that says that somebody came from ``shop`` in Shopify, for the time it takes to sign in."""
    until = (clock.system() + ARRIVAL).timestamp()
    return signing.dumps({"app": app.pk, "shop": shop, "until": until}, salt=_ARRIVED)


def read_arrival(text: str) -> tuple[ShopifyApp, str]:
    """Return the app and the shop that ``sign_arrival`` was given.

    :raises NotGenuine: if it was not, or too long ago.
    """
    try:
        data = signing.loads(text, salt=_ARRIVED)
        if datetime.fromtimestamp(data["until"], UTC) < clock.system():
            raise NotGenuine(_("This address is too old. Open the app in Shopify again."))
        return ShopifyApp.objects.get(pk=data["app"]), str(data["shop"])
    except (signing.BadSignature, ShopifyApp.DoesNotExist, KeyError, TypeError):
        raise NotGenuine(_("This address is not valid. Open the app in Shopify again.")) from None


def shop_of_id_token(app: ShopifyApp, id_token: str) -> str:
    """Return the shop inside whose admin the app was opened, as an id token of Shopify says.

    :raises NotGenuine: if it is not valid for this app (any more).
    """
    for secret in app.all_secrets:
        try:
            claims = session_token.decode_from_header(f"Bearer {id_token}", app.client_id, secret)
        except (session_token.SessionTokenError, jwt.PyJWTError, ValueError):
            continue
        return shop_domain(str(claims["dest"]).removeprefix("https://"))
    raise NotGenuine(_("What the app was opened with is not valid any more. Open it again."))


def _is_fresh(timestamp: str) -> bool:
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    # by the machine's time: Shopify knows nothing of a clock that a simulation has moved
    return abs(clock.system() - datetime.fromtimestamp(int(timestamp), UTC)) <= TOLERANCE


def _hash(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()
