"""The whole job on the real site: a cart is abandoned, a text goes out, a STOP comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.people import SiteClock, cart, customer, shop_for
from tests.e2e.site import Site, eventually, running_site

pytestmark = pytest.mark.e2e


def received(site: Site, phone: str) -> list[str]:
    return [text.body for text in site.network.texts_on(phone) if text.direction == "to_phone"]


def person(site: Site, phone: str) -> Any:
    return site.inside("contact", phone=phone)


def waits(site: Site, phone: str) -> bool:
    """Return whether the first step was reached, and wakes the person later."""
    now = site.inside("now")
    return any(wake > now for wake in person(site, phone)["wakes"])


def test_an_abandoned_cart_becomes_a_text_and_a_stop_ends_it(tmp_path: Path, kind: str) -> None:
    with running_site(tmp_path, kind) as site:
        now = SiteClock(site.inside("make_store")["now"])
        site.inside("enable", template="abandoned_cart")
        shop, ada = shop_for(site.url, now), customer(101)

        # Ada agrees to texts and leaves a cart behind
        assert all(answer.ok for answer in shop.new_customer(ada))
        assert all(answer.ok for answer in shop.consents(ada, subscribed=True))
        eventually(lambda: person(site, ada.phone).get("consent") == "granted", "the opt-in is in the ledger")
        assert all(answer.ok for answer in shop.abandons(ada, cart(101, now())))
        # whoever has only just been let in would wait for another hour after the clock has moved
        eventually(lambda: waits(site, ada.phone), "Ada waits in the flow")
        assert received(site, ada.phone) == []

        # an hour later she gets one text, and the report of it comes back
        now.move_to(site.inside("forward", minutes=61))
        [text] = eventually(lambda: received(site, ada.phone), f"the text arrives\n{site.logs('worker')}")
        assert text.startswith("Sierra Gear")
        eventually(lambda: person(site, ada.phone)["messages"][0]["state"] == "delivered", "the report comes back")

        # she writes STOP: one confirmation, consent revoked, and nothing more for days
        site.network.text_from(ada.phone, "Stop")
        eventually(lambda: len(received(site, ada.phone)) == 2, "the opt-out is confirmed")
        after = person(site, ada.phone)
        assert after["consent"] == "revoked"
        assert after["ledger"][-1] == "revoked"
        assert all(answer.ok for answer in shop.abandons(ada, cart(102, now())))
        now.move_to(site.inside("forward", minutes=3 * 24 * 60))
        eventually(lambda: site.inside("totals")["pending"] == 0, "the inbox is empty")
        site.network.wait_until_quiet()
        assert len(received(site, ada.phone)) == 2
        assert site.inside("totals")["parked"] == 0


def test_what_is_not_signed_is_refused_and_leaves_no_trace(tmp_path: Path) -> None:
    with running_site(tmp_path, "sqlite") as site:
        site.inside("make_store")
        for path in ("/smsflow/shopify/webhooks/", "/smsflow/shopify/webhooks"):
            headers = {
                "X-Shopify-Topic": "orders/create",
                "X-Shopify-Shop-Domain": "sierra-gear.myshopify.com",
                "X-Shopify-Hmac-Sha256": "bm90IGEgc2lnbmF0dXJl",
                "X-Shopify-Webhook-Id": "11111111-2222-3333-4444-555555555555",
            }
            assert requests.post(site.url + path, data=b'{"id": 1}', headers=headers, timeout=10).status_code == 401
        totals = site.inside("totals")
        assert totals["pending"] == totals["parked"] == totals["contacts"] == 0
