"""The stand-in Shopify for a test: one shop, one app in it, a token, and an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from smsflow_plugin.integrations.simulator.network import Network, serve
from smsflow_plugin.integrations.simulator.shopify_api.doings import Doings
from smsflow_plugin.integrations.simulator.shopify_api.world import ALL_SCOPES, Shops

DOMAIN, CLIENT_ID, SECRET, TOKEN = "simulated.myshopify.com", "client-id", "client-secret", "shpat_simulated"


@dataclass(frozen=True, slots=True)
class RunningShop:
    """``url`` is the server's; what would be ``https://{domain}`` at Shopify is ``shop_url``."""

    url: str
    shops: Shops
    domain: str
    client_id: str
    secret: str
    token: str

    @property
    def shop_url(self) -> str:
        return f"{self.url}/shopify/{self.domain}"

    @property
    def graphql_url(self) -> str:
        return f"{self.shop_url}/admin/api/2026-10/graphql.json"

    @property
    def shop(self) -> Doings:
        """What happens in the shop."""
        return Doings(self.shops, self.domain)


@contextmanager
def running_shop(
    domain: str = DOMAIN,
    *,
    client_id: str = CLIENT_ID,
    secret: str = SECRET,
    token: str = TOKEN,
    scopes: str = ALL_SCOPES,
    shop: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[RunningShop]:
    """A Shopify with one shop and one installed app. ``shop`` goes to ``add_shop``, ``options`` to ``Shops``."""
    shops = Shops(**options)
    shops.add_shop(domain, **(shop or {}))
    shops.add_app(client_id, secret, scopes=scopes)
    shops.install(domain, client_id, scopes=scopes, token=token)
    server = serve(Network(), companions=[shops])
    try:
        yield RunningShop(server.url, shops, domain, client_id, secret, token)
    finally:
        server.stop()
