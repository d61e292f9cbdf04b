"""Three weeks of the stores' past, lived through by the real pumps with a clock that stands in the past.

Nothing is made up beside them: signed webhooks go through the real views into the
inbox, and ``ingest``, ``advance`` and ``dispatch`` do the rest. Only the gateway is
silent, so that no phone rings; its reports are Sinch's, and go through the inbox too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Min
from django.test import Client, override_settings
from django.urls import reverse

from smsflow_plugin.engine.advance import advance, next_wake
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.inbox import fingerprint, store_delivery
from smsflow_plugin.integrations.simulator.goods import shelf
from smsflow_plugin.integrations.simulator.shelves import AT_FIRST
from smsflow_plugin.integrations.simulator.shop import Shop
from smsflow_plugin.integrations.simulator.shopping import DOINGS, Visit, shop_of
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import NullGateway
from smsflow_plugin.models import Connection, Contact, Link, Message, Store
from smsflow_site.demo import talks
from smsflow_site.demo.people import Happening, customers, happenings

#: What a text's link is opened by: the app that shows it, and the person.
PREVIEW = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 \
Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
Mobile/15E148 Safari/604.1"

#: The place on each shelf of what nobody can buy at first.
SOLD_OUT = 4


class SilentGateway(NullGateway):
    """Takes what Sinch's gateway would take."""


class Past:
    """A clock that starts in the past and moves when told."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def live_through(now: datetime, *, prepare: Callable[[], list[Store]], tell: Callable[[int, int], None]) -> None:
    """Make the past up to ``now``.

    :param prepare: makes the stores and their flows, at the beginning of that past.
    :param tell: is called with how many happenings are done, and how many there are.
    """
    story = talks.with_talks(happenings(now), now)
    past = Past(story[0].at - timedelta(days=1))
    gateways = {"sinch": f"{__name__}.SilentGateway"}
    with override_settings(SMSFLOW={**settings.SMSFLOW, "CLOCK": past, "GATEWAYS": gateways}):
        world = World(past, prepare())
        world.fill_shelves()
        for done, happening in enumerate(story):
            world.wait_until(happening.at)
            world.do(happening)
            world.pump()
            tell(done + 1, len(story))
        world.wait_until(now)


class World:
    """The stores, their shops and the phone network, as far as they matter to the past."""

    def __init__(self, past: Past, stores: list[Store]) -> None:
        self.past = past
        self.client = client = Client()
        accounts = dict(Connection.objects.filter(kind="shopify").values_list("store_id", "account"))
        self.stores = {accounts[store.pk]: store for store in stores}
        self.shops: dict[str, Shop] = {
            domain: shop_of(store, post=lambda *call: _post(client, *call)) for domain, store in self.stores.items()
        }
        self.customers = {one.phone: one for domain in self.stores for one in customers(domain)}

    def wait_until(self, moment: datetime) -> None:
        """Let the pumps do what is due before ``moment``, each at its own time."""
        while (due := _next_due()) is not None and due < moment:
            # a step that is put off again and again must not hold up the time
            self.past.at = max(due, self.past.at + timedelta(seconds=1))
            self.pump()
        self.past.at = max(moment, self.past.at)

    def fill_shelves(self) -> None:
        """Let the shops tell what they sell, at which price, and how many there are of each."""
        for domain, store in self.stores.items():
            for place, article in enumerate(shelf(store.language)):
                # one of them is sold out, so that people can wait for it
                left = 0 if place == SOLD_OUT else AT_FIRST
                self.shops[domain].changes_product(article, price=article.price, available=left)
        self.pump()

    def do(self, happening: Happening) -> None:
        shop, store = self.shops[happening.domain], self.stores[happening.domain]
        if happening.does == "joins":
            answers = shop.new_customer(self.customers[happening.phone])
        elif happening.does == "says":
            self.inbound(store, happening)
            return
        elif happening.does == "clicks":
            self.open_link(store, happening.phone)
            return
        elif happening.does in talks.DOINGS:
            talks.do(store, happening)
            return
        else:
            contact = Contact.objects.select_related("store").get(store=store, phone=happening.phone)
            answers = DOINGS[happening.does].do(Visit(shop, contact, {"birthday": happening.says}))
        refused = [answer for answer in answers if not answer.ok]
        if refused:
            raise RuntimeError(f"The site refused a webhook of the demo: {refused[0]}.")

    def pump(self) -> None:
        """Run every pump until none has anything to do, and let the phones report."""
        while ingest() or advance() or dispatch().taken or self.report():
            pass

    def report(self) -> int:
        """Deliver what the gateway has taken, two seconds later. Return how many texts that were."""
        taken = list(Message.objects.filter(state=Message.State.ACCEPTED).select_related("batch"))
        self.past.at += timedelta(seconds=2 if taken else 0)
        for message in taken:
            report = {
                "type": "recipient_delivery_report_sms",
                "batch_id": message.batch.provider_id if message.batch else "",
                "client_reference": str(message.batch.reference) if message.batch else "",
                "recipient": message.to.removeprefix("+"),
                "code": 0,
                "status": "Delivered",
                "at": self.past.at.isoformat(),
                "number_of_message_parts": message.parts,
            }
            self.callback(message.store_id, report)
        return len(taken)

    def open_link(self, store: Store, phone: str) -> None:
        """Open the link of the person's last text, as their phone does: first for a preview, then for them."""
        link = Link.objects.filter(store=store, contact__phone=phone).order_by("-pk").first()
        if link is None:
            return
        for browser in (PREVIEW, PHONE):
            self.client.get(
                reverse("smsflow:link", args=[link.code]), headers={"User-Agent": browser}, SERVER_NAME="localhost"
            )

    def inbound(self, store: Store, happening: Happening) -> None:
        text = {
            "type": "mo_text",
            "id": f"demo-{happening.phone[1:]}-{happening.at:%Y%m%d%H%M}",
            "from": happening.phone.removeprefix("+"),
            "to": store.sender.removeprefix("+"),
            "body": happening.says,
            "received_at": happening.at.isoformat(),
        }
        self.callback(store.pk, text)

    def callback(self, store_id: int, payload: Mapping[str, object]) -> None:
        body = json.dumps(payload).encode()
        topic = str(payload["type"])
        store_delivery(
            store_id=store_id,
            source="sinch",
            external_id=f"{topic}:{payload['id']}" if "id" in payload else fingerprint(topic, body),
            topic=topic,
            headers={"content-type": "application/json"},
            body=body,
        )


def _next_due() -> datetime | None:
    queued = Message.objects.filter(state=Message.State.QUEUED).aggregate(at=Min("not_before"))["at"]
    return min((at for at in (next_wake(), queued) if at), default=None)


def _post(client: Client, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Post to the site without a server: through its URLs, middleware and views."""
    others = {name: value for name, value in headers.items() if name != "Content-Type"}
    answer = client.post(
        urlsplit(url).path, data=body, content_type=headers["Content-Type"], headers=others, SERVER_NAME="localhost"
    )
    return answer.status_code, answer.content.decode()[:200]
