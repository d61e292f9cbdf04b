"""Which addresses a store shortens, and what its short addresses look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from django.urls import NoReverseMatch, reverse

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.messaging.addresses import Host, bare, host_of
from smsflow_plugin.messaging.shortening import EXAMPLE_CODE, Shortener, example_code, new_code
from smsflow_plugin.stores.models import Connection, Store

#: Where carts are paid and parcels watched, whatever the shop's own domain is.
CHECKOUT_HOSTS = frozenset({"checkout.shopify.com", "pay.shopify.com", "shop.app"})
#: The hosts of the values that stand in previews.
EXAMPLE_HOSTS = frozenset({"sierra-gear.example", "shop.example"})


class Shops:
    """The domains that the shop system gave to stores; read in one query, when the first of them is asked for."""

    def __init__(self, stores: Iterable[int]) -> None:
        self._stores = tuple(stores)
        self._domains: dict[int, str] | None = None

    def of(self, store_id: int) -> str:
        if self._domains is None:
            rows = Connection.objects.filter(store_id__in=self._stores, kind="shopify")
            self._domains = {pk: account.lower() for pk, account in rows.values_list("store_id", "account")}
        return self._domains.get(store_id, "")


def shorteners_of(stores: Mapping[int, Store]) -> dict[int, Shortener]:
    """Return the shorteners of those of ``stores`` that shorten, by id."""
    shops = Shops(stores)
    made = ((pk, _shortener(store, shops, new_code)) for pk, store in stores.items())
    return {pk: shortener for pk, shortener in made if shortener}


def example_shortener(store: Store | None) -> Shortener | None:
    """Return what shows texts of ``store`` as they will be, in previews: no link is made. None if it shortens none.

    What the examples name as the shop's addresses is shortened, too: with a person's own data it would be.
    """
    if store is None:
        return None
    return _shortener(store, Shops([store.pk] if store.pk else []), example_code, EXAMPLE_HOSTS)


def _shortener(
    store: Store, shops: Shops, code: Callable[[], str], examples: frozenset[str] = frozenset()
) -> Shortener | None:
    base = base_of(store) if store.shorten_links else ""
    if not base:
        return None
    stays = (f"{smsflow_settings.PUBLIC_URL}{_own_pages()}",)
    return Shortener(base, _allows(store, shops, examples), stays, code, _landing_pages(store))


def _allows(store: Store, shops: Shops, more: frozenset[str] = frozenset()) -> Callable[[Host], bool]:
    """Return what says to which hosts links of ``store`` may lead."""
    own = host_of(store.website)
    others = frozenset(str(host).lower() for host in store.link_hosts or ()) | CHECKOUT_HOSTS | more

    def allows(host: Host) -> bool:
        name, port = host
        if own is not None and bare(name) == bare(own[0]) and port == own[1]:
            return True
        # the shop's other domain is asked for last: it costs a query
        return port is None and (name in others or name == shops.of(store.pk))

    return allows


def may_lead_to(store: Store, address: str) -> bool:
    """Return whether the buttons and links of ``store`` may lead to ``address``: what would be shortened may."""
    host = host_of(address)
    return host is not None and _allows(store, Shops([store.pk]))(host)


def shop_home(store: Store) -> str:
    """Return the front page of the shop: its website, else the domain that the shop system gave it; else empty."""
    if host_of(store.website) is not None:
        return store.website
    domain = Shops([store.pk]).of(store.pk)
    return f"https://{domain}/" if domain else ""


def landing_base(store_id: int) -> str:
    """Return what stands in front of the name of a landing page of one store; empty if the site has no such pages."""
    try:
        path = reverse("smsflow:landing", args=(store_id, "x"))
    except NoReverseMatch:
        return ""  # the site has not included smsflow_plugin.urls
    return f"{smsflow_settings.PUBLIC_URL}{path.removesuffix('x/')}"


def is_landing_page(store: Store | int, address: str) -> bool:
    """Return whether ``address`` is that of a landing page of this very store, by the look of it."""
    pages = _landing_pages(store)
    return pages is not None and pages.fullmatch(address) is not None


def _landing_pages(store: Store | int) -> re.Pattern[str] | None:
    # to the letter: a page of this site that looks a little like it is none of the shop's
    base = landing_base(store if isinstance(store, int) else store.pk or 0)
    return re.compile(rf"{re.escape(base)}[0-9a-zA-Z]+/?(?:[?#].*)?") if base else None


def base_of(store: Store) -> str:
    """Return what stands in front of the code in short addresses of ``store``; empty if the site has no such page."""
    if store.link_domain:
        return f"https://{store.link_domain}/"
    try:
        path = reverse("smsflow:link", args=(EXAMPLE_CODE,))
    except NoReverseMatch:
        return ""  # the site has not included smsflow_plugin.urls
    return f"{smsflow_settings.PUBLIC_URL}{path.removesuffix(EXAMPLE_CODE)}"


def _own_pages() -> str:
    """Return where our own public pages begin: a person's own page is no page of the shop."""
    return reverse("smsflow:preferences", args=("x",)).removesuffix("preferences/x/")
