"""The keys to shops: had, renewed, and given up. The only place that reads or writes them.

Shopify's tokens of public apps last an hour and are renewed with another token that changes every time. Two workers
that renew at once would invalidate each other's, so one of them takes a lease first, by an UPDATE that only one can
win; it holds no lock while it asks. Until the new one is there, the others go on with the old, which has minutes left.
A worker that is killed in between leaves a lease that ends, and Shopify keeps the old refresh token until the new one
is used.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.admin import grants
from smsflow_plugin.integrations.shopify.admin.errors import Refused, Unreachable
from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp
from smsflow_plugin.models import Connection
from smsflow_plugin.stores.crypto import CannotDecrypt

#: A token with less left than this is renewed.
MARGIN = timedelta(minutes=5)
#: Longer than any answer of Shopify takes.
LEASE = timedelta(seconds=40)
#: Seconds that a worker without a valid token waits for the one that renews it, and between two looks.
WAIT, LOOK = 15.0, 0.2


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A token that may be used now. ``scopes`` is None where they are not known. It is never printed."""

    token: str
    scopes: tuple[str, ...] | None
    app_id: int | None


def usable(connection: Connection) -> Key:
    """Return a token for the shop, renewed if its time is nearly over.

    :raises Refused: if there is none, or the shop was lost.
    :raises Unreachable: if it must be renewed, and Shopify does not answer.
    """
    grant = _read(connection)
    if grant.broken_at is not None:
        raise Refused(grant.broken_because)
    if grant.expires_at is None or grant.expires_at - MARGIN > clock.now():
        return _key(grant)
    return _renew(grant)


def renewed_after(connection: Connection, refused: Key) -> Key | None:
    """Return another token than the one that Shopify has just refused; None if there is no other.

    :raises Unreachable: if it must be renewed, and Shopify does not answer.
    """
    grant = _read(connection)
    if grant.broken_at is not None:
        return None
    if (found := _key(grant)).token != refused.token:
        return found
    if grant.kind == Grant.Kind.STATIC:
        return None
    try:
        key = _renew(grant, instead_of=refused)
    except Refused:
        return None
    return key if key.token != refused.token else None


def save(
    connection: Connection, *, kind: str, granted: grants.Granted, app: ShopifyApp | None, scopes: Iterable[str] = ()
) -> Grant:
    """Keep what a shop has granted, in place of whatever was there."""
    now = clock.now()
    values = {
        "app": app,
        "kind": kind,
        "secrets": {"access_token": granted.access_token, "refresh_token": granted.refresh_token},
        "scopes": sorted({*granted.scopes, *scopes}),
        "granted_at": now,
        "expires_at": now + granted.expires_in if granted.expires_in else None,
        "refresh_until": now + granted.refresh_expires_in if granted.refresh_expires_in else None,
        "renewing_until": None,
        "broken_at": None,
        "broken_because": "",
    }
    grant, _created = Grant.objects.update_or_create(connection=connection, defaults=values)
    return grant


def set_broken(connection: Connection, why: str, refused: Key | None = None) -> None:
    """Remember that the shop does not let us in, so that nothing more is asked.

    With ``refused``, only if that is still the token: a shop that was connected again meanwhile is not broken.
    """
    with transaction.atomic():
        grant = Grant.objects.select_for_update(of=("self",)).filter(connection=connection, broken_at=None).first()
        if grant is None or (refused is not None and _key(grant).token != refused.token):
            return
        Grant.objects.filter(pk=grant.pk).update(broken_at=clock.now(), broken_because=why[:255], renewing_until=None)


def forget(connection: Connection, why: str) -> None:
    """Throw the tokens away: the app was uninstalled, and they are dead."""
    Grant.objects.filter(connection=connection).update(
        secrets={}, expires_at=None, refresh_until=None, renewing_until=None, broken_at=clock.now(),
        broken_because=why[:255],
    )  # fmt: skip


def _read(connection: Connection) -> Grant:
    try:
        grant = Grant.objects.select_related("app", "connection").filter(connection=connection).first()
    except CannotDecrypt:
        raise Refused(_("The token cannot be read: the key it was encrypted with is gone. Connect again.")) from None
    if grant is None:
        raise Refused(_("The shop has granted nothing yet. Connect it."))
    return grant


def _key(grant: Grant) -> Key:
    scopes = tuple(grant.scopes) if grant.scopes else None
    return Key(str(grant.secrets.get("access_token") or ""), scopes, grant.app_id)


def _renew(grant: Grant, instead_of: Key | None = None) -> Key:
    """Renew, or let another worker do it.

    :raises Refused: if Shopify does not give another.
    """
    began = time.monotonic()
    while not _take_lease(grant):
        fresh = _read(grant.connection)
        if fresh.broken_at is not None:
            raise Refused(fresh.broken_because)
        key = _key(fresh)
        still_good = fresh.expires_at is None or fresh.expires_at > clock.now()
        if still_good and (instead_of is None or key.token != instead_of.token):
            return key
        if time.monotonic() - began > WAIT:
            raise Unreachable(_("The token is being renewed, and that takes too long."))
        time.sleep(LOOK)
    grant = _read(grant.connection)
    key = _key(grant)
    known = instead_of.token if instead_of else ""
    if grant.expires_at and grant.expires_at - MARGIN > clock.now() and key.token != known:
        _give_back(grant)  # somebody else was faster
        return key
    return _ask_for_another(grant)


def _take_lease(grant: Grant) -> bool:
    now = clock.now()
    free = Q(renewing_until=None) | Q(renewing_until__lt=now)
    return bool(Grant.objects.filter(free, pk=grant.pk, broken_at=None).update(renewing_until=now + LEASE))


def _give_back(grant: Grant) -> None:
    Grant.objects.filter(pk=grant.pk).update(renewing_until=None)


def _ask_for_another(grant: Grant) -> Key:
    shop = grant.connection.account
    try:
        if grant.app is None:
            raise Refused(_("The token's time is over. Connect the shop again."))
        if grant.kind == Grant.Kind.CLIENT_CREDENTIALS:
            granted = grants.by_client_credentials(grant.app, shop)
        else:
            granted = grants.by_refresh_token(grant.app, shop, str(grant.secrets.get("refresh_token") or ""))
    except Refused as refusal:
        set_broken(grant.connection, str(refusal), _key(grant))
        raise
    except Unreachable:
        _give_back(grant)
        if grant.expires_at and grant.expires_at > clock.now():
            return _key(grant)  # it has minutes left
        raise
    saved = save(
        grant.connection, kind=grant.kind, granted=granted, app=grant.app, scopes=() if granted.scopes else grant.scopes
    )
    return _key(saved)
