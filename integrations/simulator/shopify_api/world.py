"""The stand-in Shopify as a whole: shops, apps, and what belongs to both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from smsflow_plugin.integrations.simulator.goods import Article, shelf
from smsflow_plugin.integrations.simulator.network.clock import NetworkClock
from smsflow_plugin.integrations.simulator.network.http import Handler
from smsflow_plugin.integrations.simulator.shopify_api import letters
from smsflow_plugin.integrations.simulator.shopify_api.asking import Asking
from smsflow_plugin.integrations.simulator.shopify_api.bucket import Bucket
from smsflow_plugin.integrations.simulator.shopify_api.bulk import Bulk
from smsflow_plugin.integrations.simulator.shopify_api.courier import Courier
from smsflow_plugin.integrations.simulator.shopify_api.faults import ShopFaults
from smsflow_plugin.integrations.simulator.shopify_api.oauth import Tokens, install
from smsflow_plugin.integrations.simulator.shopify_api.scopes import expanded, split
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc, Things, open_database
from smsflow_plugin.integrations.simulator.shopify_api.values import iso

#: Every scope that the stand-in knows, for shops where nobody cares.
ALL_SCOPES = (
    "read_all_orders,read_customer_events,read_fulfillments,read_inventory,read_locations,read_orders,read_products,"
    "write_customers,write_discounts,write_pixels"
)


class Shops:
    """:param path: where it remembers, or ``:memory:``.

    :param clock: whose time it is; a clock of its own if None.
    :param bucket: (size, points a second) of each app's bucket in each shop.
    :param most_cost: what no single query may cost.
    :param code_delay: seconds until codes that are added by the hundred exist.
    :param pace: factor on the seconds between attempts to deliver a webhook.
    """

    def __init__(
        self,
        path: str | Path = ":memory:",
        *,
        clock: NetworkClock | None = None,
        bucket: tuple[float, float] = (2000.0, 100.0),
        most_cost: int = 1000,
        code_delay: float = 0.2,
        bulk_seconds: float = 0.0,
        bulk_at_once: int = 5,
        pace: float = 1.0,
        webhook_timeout: float = 5.0,
        webhooks_at_once: int = 4,
    ) -> None:
        self.database = open_database(path)
        self.clock = clock or NetworkClock(self.database)
        self.most_cost = most_cost
        self.code_delay = code_delay
        self.bulk_at_once = bulk_at_once
        self.tokens = Tokens(self.database)
        self.faults = ShopFaults(self.database)
        self.courier = Courier(
            self.database,
            self.faults,
            self.clock.now,
            pace=pace,
            timeout=webhook_timeout,
            at_once=webhooks_at_once,
        )
        folder = None if str(path) == ":memory:" else Path(f"{path}-bulk")
        self.bulk = Bulk(self.database, self._ask_for_bulk, now=self.clock.now, folder=folder, seconds=bulk_seconds)
        self._bucket = bucket
        self._buckets: dict[tuple[int, str], Bucket] = {}
        self.guard = Lock()

    # A companion of the network's server --------------------------------------------------------

    def doors(self, url: str) -> Mapping[str, Handler]:
        from smsflow_plugin.integrations.simulator.shopify_api.control import ShopControl
        from smsflow_plugin.integrations.simulator.shopify_api.door import ShopDoor

        self.bulk.url = url
        return {"shopify": ShopDoor(self), "_shops": ShopControl(self)}

    def start(self) -> None:
        self.bulk.start()
        self.courier.start()

    def stop(self) -> None:
        self.bulk.stop()
        self.courier.stop()
        self.database.close()

    # Shops and apps -----------------------------------------------------------------------------

    def add_shop(
        self,
        domain: str,
        *,
        name: str = "",
        currency: str = "USD",
        country: str = "US",
        timezone: str = "America/New_York",
        language: str = "en",
        plan: str = "Basic",
        goods: tuple[Article, ...] | None = None,
    ) -> Doc:
        """Open a shop, or change what is said of it. A new one has goods on its shelf: those of its language."""
        known = self.shop(domain)
        with self.database.transaction() as sql:
            last = sql.execute("SELECT COALESCE(MAX(number), 0) FROM shops").fetchone()[0]
            number = known["number"] if known else last + 1
            doc = {
                "number": number,
                "domain": domain,
                "name": name or domain.removesuffix(".myshopify.com"),
                "currency": currency,
                "country": country,
                "timezone": timezone,
                "language": language,
                "plan": plan,
                "location": 60_000_000 + number,
                "createdAt": known["createdAt"] if known else iso(self.clock.now()),
            }
            sql.execute("INSERT OR REPLACE INTO shops VALUES (?, ?, ?)", (number, domain, json.dumps(doc)))
        if known is None:
            self._fill_shelf(doc, shelf(language) if goods is None else goods)
        return doc

    def _fill_shelf(self, shop: Doc, goods: tuple[Article, ...]) -> None:
        things, at = Things(self.database, shop["number"]), iso(self.clock.now())
        # no two shops share an id
        offset = shop["number"] * 10_000_000_000
        for one in goods:
            title = one.variant or "Default Title"
            product = {
                "id": one.product_id + offset,
                "title": one.title,
                "handle": one.sku.lower(),
                "status": "ACTIVE",
                "tags": [],
                "createdAt": at,
                "updatedAt": at,
            }
            variant = {
                "id": one.variant_id + offset,
                "product": one.product_id + offset,
                "item": one.variant_id + offset + 5_000_000,
                "title": title,
                "displayName": f"{one.title} - {title}",
                "sku": one.sku,
                "price": f"{one.price:.2f}",
                "compareAtPrice": None,
                "position": 1,
                "policy": "DENY",
                "available": 12,
                "grams": one.grams,
                "createdAt": at,
                "updatedAt": at,
            }
            things.put("product", product)
            things.put("variant", variant)

    def shop(self, domain: str) -> Doc | None:
        with self.database.transaction() as sql:
            row = sql.execute("SELECT doc FROM shops WHERE domain = ?", (domain,)).fetchone()
        return json.loads(row["doc"]) if row else None

    def shop_numbered(self, number: int) -> Doc:
        with self.database.transaction() as sql:
            row = sql.execute("SELECT doc FROM shops WHERE number = ?", (number,)).fetchone()
        found: Doc = json.loads(row["doc"])
        return found

    def shops(self) -> list[Doc]:
        with self.database.transaction() as sql:
            return [json.loads(row["doc"]) for row in sql.execute("SELECT doc FROM shops ORDER BY number")]

    def add_app(
        self,
        client_id: str,
        secret: str,
        *,
        title: str = "SMSFlow",
        scopes: str = ALL_SCOPES,
        redirect_uris: tuple[str, ...] = (),
        compliance_url: str = "",
        old_secret: str = "",
    ) -> None:
        """Make an app, or change it. ``compliance_url`` is told of redactions, and of uninstallations.

        ``old_secret`` is one that is not revoked yet: as long as there is one, webhooks are signed with it.
        """
        with self.database.transaction() as sql:
            row = sql.execute("SELECT doc FROM apps WHERE client_id = ?", (client_id,)).fetchone()
            others = sql.execute("SELECT COUNT(*) FROM apps").fetchone()[0]
            doc = {
                "number": json.loads(row["doc"])["number"] if row else 9_000_000 + others,
                "title": title,
                "scopes": split(scopes),
                "redirect_uris": list(redirect_uris),
                "compliance_url": compliance_url,
                "old_secret": old_secret,
            }
            sql.execute("INSERT OR REPLACE INTO apps VALUES (?, ?, ?)", (client_id, secret, json.dumps(doc)))

    def install(self, domain: str, client_id: str, *, scopes: str = "", token: str = "") -> None:
        """Put an app into a shop without asking; with a ``token``, one that never ends is good for it.

        :raises LookupError: if there is no such shop or app.
        """
        shop, app = self.need_shop(domain), self.tokens.app(client_id)
        if app is None:
            raise LookupError(f"There is no app {client_id}.")
        before = self.granted(shop["number"], client_id)
        with self.database.transaction() as sql:
            install(sql, shop["number"], client_id, split(scopes) or app["scopes"])
        if token:
            self.tokens.static(shop["number"], client_id, token)
        after = self.granted(shop["number"], client_id)
        if before and before != after:
            self.courier.tell(shop, "app/scopes_update", letters.scopes(shop, app, self.clock.now(), before, after))

    def granted(self, shop: int, client_id: str) -> list[str]:
        with self.database.transaction() as sql:
            query = "SELECT scopes FROM installs WHERE shop = ? AND client_id = ?"
            row = sql.execute(query, (shop, client_id)).fetchone()
        return split(row["scopes"]) if row else []

    def uninstall(self, domain: str, client_id: str) -> None:
        """Throw an app out: its tokens are dead at once, then it is told, then its subscriptions go."""
        shop = self.need_shop(domain)
        app = self.tokens.app(client_id)
        with self.database.transaction() as sql:
            where = (shop["number"], client_id)
            sql.execute("DELETE FROM tokens WHERE shop = ? AND client_id = ?", where)
            sql.execute("DELETE FROM installs WHERE shop = ? AND client_id = ?", where)
            things = Things(self.database, shop["number"])
            own = [row["id"] for row in things.select("webhook", "state = ?", [client_id], "id", -1)]
            self.courier.tell(shop, "app/uninstalled", letters.shop(shop), only=client_id)
            for number in own:
                things.delete("webhook", number)
            if app and app["compliance_url"] and not own:
                self.courier.tell_app(shop, client_id, app["compliance_url"], "app/uninstalled", letters.shop(shop))

    def need_shop(self, domain: str) -> Doc:
        """:raises LookupError: if there is none."""
        shop = self.shop(domain)
        if shop is None:
            raise LookupError(f"There is no shop {domain}.")
        return shop

    def installed(self, shop: int) -> list[dict[str, Any]]:
        """Return the apps in a shop."""
        with self.database.transaction() as sql:
            rows = sql.execute("SELECT client_id FROM installs WHERE shop = ?", (shop,)).fetchall()
        return [app for row in rows if (app := self.tokens.app(row["client_id"]))]

    # Asking -------------------------------------------------------------------------------------

    def ask(self, shop: Doc, client_id: str, granted: tuple[str, ...], version: str) -> Asking:
        app = self.tokens.app(client_id) or {"number": 0, "title": ""}
        return Asking(
            things=Things(self.database, shop["number"]),
            shop=shop,
            app=client_id,
            app_doc=app,
            scopes=expanded(granted),
            granted=granted,
            version=version,
            now=self.clock.now(),
            emit=lambda topic, payload: self.courier.tell(shop, topic, payload),
            world=self,
        )

    def _ask_for_bulk(self, number: int, operation: Doc) -> Asking | None:
        granted = tuple(self.granted(number, operation["app"]))
        return self.ask(self.shop_numbered(number), operation["app"], granted, operation["version"])

    def bucket(self, shop: int, client_id: str) -> Bucket:
        """Return the bucket of an app in a shop; hold ``guard`` while using it."""
        size, rate = self._bucket
        if (shop, client_id) not in self._buckets:
            self._buckets[shop, client_id] = Bucket.full(size, rate, self.clock.now())
        return self._buckets[shop, client_id]

    def set_bucket(self, size: float, rate: float) -> None:
        """Give every app a new bucket, full."""
        with self.guard:
            self._bucket = (size, rate)
            self._buckets.clear()

    def reset(self) -> None:
        """Forget what is in the shops; shops, apps and tokens stay."""
        self.database.clear()
        for shop in self.shops():
            self._fill_shelf(shop, shelf(shop["language"]))

    def count_call(self, shop: str, operation: str, answer: str) -> None:
        with self.database.transaction() as sql:
            sql.execute(
                "INSERT INTO calls VALUES (?, ?, ?, 1)"
                " ON CONFLICT (shop, operation, answer) DO UPDATE SET count = count + 1",
                (shop, operation, answer),
            )
