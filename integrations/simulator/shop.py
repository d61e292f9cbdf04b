"""The simulated shop: sends signed webhooks as Shopify does.

``Shop`` knows no database. It is given a function that posts, so that a test can
catch what it sends; ``over_http`` is the one that goes to a real address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import requests

from smsflow_plugin.integrations.simulator import payloads, product_payloads
from smsflow_plugin.integrations.simulator.goods import Article
from smsflow_plugin.integrations.simulator.payload_parts import Cart, Customer, Payload, ShopInfo

#: Seconds to connect and to answer. Shopify gives up after 1 and 5, and tries again;
#: the simulated shop tries once, but waits longer for a machine that is busy.
TIMEOUT = (3.05, 15)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the site said to one webhook."""

    topic: str
    status: int
    text: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class SiteUnreachable(Exception):
    """Nobody answered at the webhook address. The message says what was tried."""


#: Takes the address, the body and the headers of a webhook; returns the status and the text of the answer.
Post = Callable[[str, bytes, Mapping[str, str]], tuple[int, str]]


def over_http(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Post to a real address, never through a proxy and never following a redirect: Shopify does not either.

    :raises SiteUnreachable: if there is no answer in time.
    """
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(url, data=body, headers=dict(headers), timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise SiteUnreachable(f"{url}: {type(error).__name__}") from error
        return response.status_code, response.text[:200]


def signature(secret: str, body: bytes) -> str:
    """Return Shopify's HMAC of a webhook's body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop and the address that it tells its news to. ``now`` tells the time of what happens in it.

    ``own_url`` is for news of which Shopify has no webhook: those of the apps around a shop.
    """

    info: ShopInfo
    secret: str
    url: str
    now: Callable[[], datetime]
    post: Post = over_http
    own_url: str = ""

    def new_customer(self, customer: Customer) -> list[Answer]:
        """Somebody makes an account."""
        return self._tell(("customers/create", payloads.customer_created(self.info, customer, self.now())))

    def consents(self, customer: Customer, *, subscribed: bool) -> list[Answer]:
        """The customer ticks the box for texts, or takes the tick away."""
        return self._consent_is(customer, "subscribed" if subscribed else "unsubscribed")

    def requests_texts(self, customer: Customer) -> list[Answer]:
        """The customer leaves the number for texts, in a shop that wants it confirmed."""
        return self._consent_is(customer, "pending")

    def _consent_is(self, customer: Customer, state: str) -> list[Answer]:
        payload = payloads.consent_updated(self.info, customer, self.now(), state=state)
        return self._tell(("customers_marketing_consent/update", payload))

    def abandons(self, customer: Customer, cart: Cart) -> list[Answer]:
        """The customer starts a checkout, fills in the address, and goes away."""
        at = self.now()
        begun = payloads.checkout(self.info, customer, cart, at - timedelta(seconds=1), with_address=False)
        return self._tell(
            ("checkouts/create", begun), ("checkouts/update", payloads.checkout(self.info, customer, cart, at))
        )

    def orders(self, customer: Customer, cart: Cart) -> list[Answer]:
        """The customer buys what lies in the cart, and pays."""
        at = self.now()
        placed = payloads.order(self.info, customer, cart, at, at, paid=False)
        paid = payloads.order(self.info, customer, cart, at, at)
        return self._tell(("orders/create", placed), ("orders/paid", paid))

    def cancels(self, customer: Customer, cart: Cart, ordered_at: datetime) -> list[Answer]:
        """The order is called off."""
        payload = payloads.order(self.info, customer, cart, ordered_at, self.now(), cancelled=True)
        return self._tell(("orders/cancelled", payload))

    def sends_parcel(self, customer: Customer, cart: Cart) -> list[Answer]:
        """The parcel leaves the shop, and the carrier has it."""
        at = self.now()
        return self._tell(
            ("fulfillments/create", payloads.fulfillment(self.info, customer, cart, at)),
            self._seen(customer, cart, at, "in_transit"),
        )

    def delivers_parcel(self, customer: Customer, cart: Cart) -> list[Answer]:
        """The carrier brings the parcel to the door."""
        at = self.now()
        return self._tell(
            self._seen(customer, cart, at, "out_for_delivery"), self._seen(customer, cart, at, "delivered")
        )

    def parcel_is_out(self, customer: Customer, cart: Cart) -> list[Answer]:
        """The carrier is on the way to the door."""
        return self._tell(self._seen(customer, cart, self.now(), "out_for_delivery"))

    def refunds(self, customer: Customer, cart: Cart) -> list[Answer]:
        """The shop pays the order back."""
        return self._tell(("refunds/create", product_payloads.refund(self.info, cart, self.now())))

    def changes_product(self, article: Article, *, price: Decimal, available: int) -> list[Answer]:
        """The shop has more or less of something, or asks another price for it."""
        payload = product_payloads.product(self.info, article, self.now(), price=price, available=available)
        return self._tell(("products/update", payload))

    def tags(self, customer: Customer, tag: str, *, added: bool) -> list[Answer]:
        """The shop's people put a tag on a customer, or take it away."""
        payload = product_payloads.tags(customer, [tag], self.now())
        return self._tell(("customer.tags_added" if added else "customer.tags_removed", payload))

    def reports(self, customer: Customer, topic: str, **said: object) -> list[Answer]:
        """An app beside the shop tells what Shopify has no webhook for."""
        about = {"id": customer.id, "phone": customer.phone}
        return self._tell((topic, {"customer": about, "at": self.now().isoformat(), **said}), url=self.own_url)

    def _seen(self, customer: Customer, cart: Cart, at: datetime, status: str) -> tuple[str, Payload]:
        payload = payloads.fulfillment_event(self.info, customer, cart, at, status=status)
        return "fulfillment_events/create", payload

    def _tell(self, *news: tuple[str, Payload], url: str = "") -> list[Answer]:
        """Send webhooks of one happening, in order. Stops at the first that is refused.

        :raises SiteUnreachable: if the site does not answer.
        """
        event_id = str(uuid.uuid4())
        answers = []
        for topic, payload in news:
            body = json.dumps(payload, ensure_ascii=False).encode()
            answer = Answer(topic, *self.post(url or self.url, body, self._headers(topic, body, event_id)))
            answers.append(answer)
            if not answer.ok:
                break
        return answers

    def _headers(self, topic: str, body: bytes, event_id: str) -> dict[str, str]:
        triggered_at = self.now().isoformat(timespec="microseconds").replace("+00:00", "000Z")
        return {
            "Content-Type": "application/json",
            "User-Agent": "SMSFlow simulator",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature(self.secret, body),
            "X-Shopify-Shop-Domain": self.info.domain,
            "X-Shopify-API-Version": payloads.API_VERSION,
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
            "X-Shopify-Event-Id": event_id,
            "X-Shopify-Triggered-At": triggered_at,
        }
