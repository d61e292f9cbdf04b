"""Connecting a store to its shop, and taking it apart again."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.addresses import webhook_address
from smsflow_plugin.integrations.shopify.admin import grants, tokens
from smsflow_plugin.integrations.shopify.admin.client import AdminApi, ShopGraphQL
from smsflow_plugin.integrations.shopify.admin.documents import SHOP, WEBHOOK_DELETE, WEBHOOKS
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.models import (
    CodePool,
    Grant,
    ImportRun,
    PendingInstall,
    ShopifyApp,
    SubscriptionCheck,
    SyncState,
)
from smsflow_plugin.integrations.shopify.oauth import PENDING
from smsflow_plugin.integrations.shopify.soon import compare_soon
from smsflow_plugin.integrations.shopify.subscriptions import same_address
from smsflow_plugin.models import Connection, Store
from smsflow_plugin.stores.actions import SaveConnection, readable_connections
from smsflow_plugin.stores.crypto import CannotDecrypt

MANAGE_APPS = "smsflow_shopify.change_shopifyapp"


class CannotConnect(ValidationError):
    """The shop cannot be this store's. The message is for a person."""


def may_connect(user: Any, store: Store) -> bool:
    """Return whether ``user`` may change how ``store`` is connected."""
    policy = policy_registry.get_by_type(Connection)
    return bool(policy.user_has_permission_for_instance(user, "change", Connection(store=store)))


def offered_apps(user: Any, store: Store) -> QuerySet[ShopifyApp]:
    """Return the apps that ``user`` may connect ``store`` through, and thereby read the names of."""
    apps = ShopifyApp.objects.order_by("name", "pk")
    return apps if user.has_perm(MANAGE_APPS) else apps.filter(stores=store)


def may_skip_the_page(user: Any, store: Store, app: ShopifyApp) -> bool:
    """Return whether ``user`` may connect any shop of the app's organisation to ``store``.

    Nobody is asked in the shop. So with an app that serves other stores as well, it takes somebody who may manage apps:
    whoever may connect only this store could name the shop of another.
    """
    return user.has_perm(MANAGE_APPS) or list(app.stores.values_list("pk", flat=True)) == [store.pk]


class ConnectShop(BaseAction):  # type: ignore[misc]
    """Keep what a shop has granted, and make it the store's shop.

    :param instance: the store.
    :param app: None for a token that was entered by hand.
    :param kind: one of ``Grant.Kind``.
    :param secret: the shop's own key for its webhooks, if it has one.
    """

    action_name = "connect_shop"
    permission_policy_action = "change"

    def __init__(
        self,
        instance: Store,
        user: Any = None,
        *,
        shop: str,
        app: ShopifyApp | None,
        kind: str,
        granted: Granted,
        secret: str = "",
    ) -> None:
        super().__init__(instance, user=user)
        self.shop = shop
        self.app = app
        self.kind = kind
        self.granted = granted
        self.secret = secret

    def user_has_permission(self) -> bool:
        return may_connect(self.user, self.instance)

    def execute(self, skip_permission_checks: bool = False) -> Grant:
        """Connect.

        :raises CannotConnect: if the shop is another store's, or the store has another shop.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        check_free(self.instance, self.shop)
        try:
            with transaction.atomic():
                return self._connect()
        except (IntegrityError, ValidationError):
            # somebody else was faster
            check_free(self.instance, self.shop)
            raise

    def _connect(self) -> Grant:
        now = clock.now()
        _leave(self.instance, self.shop)
        save = SaveConnection(
            self.instance, self.user, kind="shopify", account=self.shop, secrets={"secret": self.secret}
        )
        # it would be asked again, of a user who may be nobody here: the shop itself has agreed
        connection = save.execute(skip_permission_checks=True)
        grant = tokens.save(connection, kind=self.kind, granted=self.granted, app=self.app)
        # what was sent before this moment is about the time before: an "uninstalled" that comes late
        Connection.objects.filter(pk=connection.pk).update(connected_at=now)
        gone = Store.Status.UNINSTALLED
        Store.objects.filter(pk=self.instance.pk, status=gone).update(status=Store.Status.ACTIVE)
        # there are no subscriptions yet: none of those that will be made was lost
        SubscriptionCheck.objects.filter(connection=connection).update(topics=[], problems=[], failed_because="")
        log(
            instance=connection,
            action="smsflow.connect_shop",
            user=self.user,
            timestamp=now,
            data={"shop": self.shop, "kind": self.kind, "app": self.app.name if self.app else ""},
        )
        compare_soon(connection.pk)
        return grant


def check_free(store: Store, shop: str) -> None:
    """See to it that ``shop`` may become the shop of ``store``.

    :raises CannotConnect: if it may not.
    """
    rows = Connection.objects.filter(kind="shopify")
    if rows.filter(account=shop).exclude(store=store).exists():
        text = _("%(shop)s is connected to another store here. A shop belongs to one store only.")
        raise CannotConnect(text % {"shop": shop})
    other = shop_of(store)
    if other and other != shop:
        text = _("This store is connected to %(other)s. Disconnect that shop before you connect %(shop)s.")
        raise CannotConnect(text % {"other": other, "shop": shop})


def shop_of(store: Store) -> str:
    """Return the shop that a store is bound to; "" if it may have any.

    Of a shop that was disconnected only the name stays, unless its webhooks are signed with a secret of its own.
    """
    for connection in readable_connections(store.pk):
        if connection.kind == "shopify":
            bound = connection.secrets.get("secret") or Grant.objects.filter(connection=connection).exists()
            return connection.account if bound else ""
    return ""


def _leave(store: Store, shop: str) -> None:
    """Forget how far another shop was compared and imported: what is read next is that of ``shop``."""
    left = list(
        Connection.objects.filter(store=store, kind="shopify").exclude(account=shop).values_list("pk", flat=True)
    )
    if left:
        SyncState.objects.filter(connection__in=left).delete()
        active = ImportRun.objects.filter(connection__in=left, state__in=ImportRun.ACTIVE)
        active.update(state=ImportRun.State.CANCELLED, finished_at=clock.now())


def connect_without_page(store: Store, user: Any, *, app: ShopifyApp, shop: str) -> Grant:
    """Connect a shop of the app's own organisation: nobody there needs to agree. It is a call over the network.

    :raises CannotConnect, ShopifyTrouble: if it does not work.
    """
    check_free(store, shop)
    granted = grants.by_client_credentials(app, shop)
    kind = Grant.Kind.CLIENT_CREDENTIALS
    return ConnectShop(store, user, shop=shop, app=app, kind=kind, granted=granted).execute()


def connect_by_hand(store: Store, user: Any, *, shop: str, token: str, secret: str = "") -> Grant:
    """Connect with a token that somebody has copied from the shop's admin. It is a call over the network.

    :raises CannotConnect, ShopifyTrouble: if the token is not the shop's, or it does not work.
    """
    check_free(store, shop)
    answer = ShopGraphQL(shop, token).execute(SHOP.text, {}, SHOP.name)
    named = str((answer.get("shop") or {}).get("myshopifyDomain") or "").lower()
    if named != shop:
        raise CannotConnect(_("This token belongs to %(other)s.") % {"other": named or "?"})
    rows = (answer.get("currentAppInstallation") or {}).get("accessScopes") or ()
    granted = Granted(token, scopes=tuple(str(row["handle"]) for row in rows))
    kind = Grant.Kind.STATIC
    return ConnectShop(store, user, shop=shop, app=None, kind=kind, granted=granted, secret=secret).execute()


def disconnect(connection: Connection, user: Any) -> None:
    """Ask Shopify to send no more, as far as it lets us, and forget the tokens. It is a call over the network.

    The store stays what it is, and so does its webhook secret, if it has one.
    """
    try:
        api = AdminApi(connection, patience=5)
        address = webhook_address()
        rows = [row for page in api.pages(WEBHOOKS, "webhookSubscriptions") for row in page]
        for row in rows:
            if same_address(str(row.get("uri") or ""), address):
                api.ask(WEBHOOK_DELETE, id=row["id"])
    except ShopifyTrouble:
        pass  # refused webhooks end by themselves: Shopify deletes a subscription after eight failures
    with transaction.atomic():
        Grant.objects.filter(connection=connection).delete()
        SubscriptionCheck.objects.filter(connection=connection).delete()
        # codes of this shop: the next one may be another, which does not know them
        CodePool.objects.filter(connection=connection).delete()
        log(instance=connection, action="smsflow.disconnect_shop", user=user, timestamp=clock.now())


def forget_uninstalled() -> int:
    """Throw away the tokens of shops that have taken the app away; return how many they were."""
    why = _("The app was taken away in the shop's admin.")
    forgotten = 0
    for pk in list(_of_gone_stores().values_list("pk", flat=True)):
        # one by one: tokens whose key is lost must not keep those of other shops
        if _has_tokens(pk):
            tokens.forget(Grant.objects.defer("secrets").get(pk=pk), why)
            forgotten += 1
    return forgotten


def _of_gone_stores() -> QuerySet[Grant]:
    return Grant.objects.filter(connection__store__status=Store.Status.UNINSTALLED).order_by("pk")


def _has_tokens(pk: int) -> bool:
    try:
        return bool(Grant.objects.values_list("secrets", flat=True).get(pk=pk))
    except CannotDecrypt:
        return True


def tidy_pending() -> None:
    """Forget installs that were begun, and never came back."""
    PendingInstall.objects.filter(created_at__lte=clock.now() - PENDING).delete()
