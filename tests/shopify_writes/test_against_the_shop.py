"""The same against the stand-in Shopify: real HTTP, Shopify's own schema, webhooks that really come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.audience.outward import TagChange
from smsflow_plugin.engine.discounts import CodeRequest
from smsflow_plugin.engine.performing import Failed
from smsflow_plugin.integrations.shopify.admin import client
from smsflow_plugin.integrations.shopify.writes import noting
from smsflow_plugin.integrations.shopify.writes.codes import ShopifyCodes
from smsflow_plugin.integrations.shopify.writes.models import Turn, Write
from smsflow_plugin.integrations.shopify.writes.wishes import Wishes, with_wishes
from smsflow_plugin.integrations.simulator.shopify_api import RunningShop, running_shop
from smsflow_plugin.integrations.simulator.shopify_api.client import ShopClient
from smsflow_plugin.models import Contact, Identity, Store
from tests.factories import make_contact, make_store
from tests.shopify_writes.conftest import deliver, let_in, say, work
from tests.shopify_writes.test_echoes import told
from tests.simulator_network.conftest import Listener, listener  # noqa: F401 - the fixture
from tests.simulator_shop.conftest import Admin

pytestmark = pytest.mark.django_db

ASKED = """query($id: ID!) { customer(id: $id) { tags defaultPhoneNumber { marketingState marketingUpdatedAt } } }"""


@pytest.fixture
def shopify(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningShop]:
    monkeypatch.setattr(client, "_buckets", {})
    with running_shop(code_delay=0.0, webhooks_at_once=1) as server:
        yield server


@pytest.fixture
def operator(shopify: RunningShop) -> ShopClient:
    return ShopClient(shopify.url)


@pytest.fixture
def admin(shopify: RunningShop) -> Iterator[Admin]:
    api = Admin(shopify.graphql_url, shopify.token)
    yield api
    api.session.close()


@pytest.fixture
def shop_store(db: None, shopify: RunningShop, settings: Any) -> Store:
    settings.SMSFLOW = {**settings.SMSFLOW, "SHOPIFY_URL": f"{shopify.url}/shopify/{{shop}}"}
    made = make_store(domain=shopify.domain)
    connection = made.connections.get(kind="shopify")
    connection.settings = with_wishes({}, Wishes(tags=True, phones=True))
    connection.save(update_fields=["settings"])
    let_in(made, shopify.token)
    return made


def customer(shopify: RunningShop, store: Store, **values: Any) -> tuple[Contact, str]:
    never: dict[str, Any] = {"marketing_consent": "unknown", "opt_in_level": "", "consent_changed_at": None}
    contact = make_contact(store, **never)
    made = shopify.shop.add_customer(**{"firstName": "Ada", "phone": contact.phone, **values})
    Identity.objects.create(store=store, contact=contact, kind="customer", value=str(made["id"]))
    return contact, f"gid://shopify/Customer/{made['id']}"


def heard(listener: Listener, operator: ShopClient) -> list[tuple[str, dict[str, Any]]]:  # noqa: F811
    operator.wait_until_quiet()
    return [(headers["x-shopify-topic"], json.loads(body)) for headers, body in listener.calls]


def test_consent_is_written_and_its_webhook_changes_nothing(
    shopify: RunningShop,
    shop_store: Store,
    admin: Admin,
    operator: ShopClient,
    listener: Listener,  # noqa: F811
) -> None:
    admin.subscribe("CUSTOMERS_MARKETING_CONSENT_UPDATE", listener.url)
    ada, gid = customer(shopify, shop_store)
    before_echoes = []
    for action, scope, state in (("granted", "marketing", "SUBSCRIBED"), ("revoked", "all", "UNSUBSCRIBED")):
        say(ada, action, scope=scope)
        work()
        assert admin(ASKED, id=gid)["customer"]["defaultPhoneNumber"]["marketingState"] == state
        before_echoes = heard(listener, operator)
    assert len(before_echoes) == 2
    before = told(ada)
    deliver(shop_store, *reversed(before_echoes))
    assert told(ada) == before


@pytest.mark.parametrize("fault", ["timeout_after", "broken_answer", "server_error", "throttled", "rate_limit"])
def test_a_call_that_goes_wrong_is_made_good(
    shopify: RunningShop, shop_store: Store, admin: Admin, operator: ShopClient, fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from smsflow_plugin.integrations.shopify.admin import transport

    monkeypatch.setattr(transport, "TIMEOUT", (2.0, 1.0))
    ada, gid = customer(shopify, shop_store)
    operator.add_fault(fault, operation="customerSmsMarketingConsentUpdate", seconds=2)
    say(ada, "granted")
    work()
    # a minute later
    Write.objects.update(not_before=None)
    Turn.objects.update(next_at=clock.now())
    work()
    assert admin(ASKED, id=gid)["customer"]["defaultPhoneNumber"]["marketingState"] == "SUBSCRIBED"
    assert Write.objects.get().outcome in ("done", "same")


def test_a_customer_without_a_number_gets_it_first(shopify: RunningShop, shop_store: Store, admin: Admin) -> None:
    ada, gid = customer(shopify, shop_store, phone=None, email="ada@example.com")
    say(ada, "granted")
    work()
    assert admin(ASKED, id=gid)["customer"]["defaultPhoneNumber"]["marketingState"] == "SUBSCRIBED"


def test_a_number_that_somebody_else_has_is_parked_with_shopifys_words(shopify: RunningShop, shop_store: Store) -> None:
    ada, _gid = customer(shopify, shop_store, phone=None, email="ada@example.com")
    shopify.shop.add_customer(firstName="Bo", phone=ada.phone)
    say(ada, "granted")
    work()
    row = Write.objects.get()
    assert (row.outcome, row.detail) == ("parked", "Phone has already been taken")


def test_tags_are_written_and_their_webhooks_start_nothing(
    shopify: RunningShop,
    shop_store: Store,
    admin: Admin,
    operator: ShopClient,
    listener: Listener,  # noqa: F811
) -> None:
    for topic in ("CUSTOMER_TAGS_ADDED", "CUSTOMER_TAGS_REMOVED"):
        admin.subscribe(topic, listener.url)
    ada, gid = customer(shopify, shop_store)
    for tags in (["VIP", "Loyal"], ["Loyal"]):
        Contact.objects.filter(pk=ada.pk).update(tags=tags)
        noting.tags([TagChange(shop_store.pk, ada.pk, tag) for tag in ("VIP", "Loyal")], clock.now())
        work()
        assert sorted(admin(ASKED, id=gid)["customer"]["tags"]) == sorted(tags)
    echoes = heard(listener, operator)
    before = told(ada)
    deliver(shop_store, *reversed(echoes))
    assert told(ada) == before


def test_codes_come_from_the_shop(shopify: RunningShop, shop_store: Store, admin: Admin, operator: ShopClient) -> None:
    now = clock.now()
    maker = ShopifyCodes()

    def code(key: str, kind: str = "percent") -> str:
        amount = Decimal(0 if kind == "shipping" else 10)
        minimum = Decimal(40) if kind == "amount" else None
        lasts = now + timedelta(days=7)
        return maker.make(shop_store, CodeRequest(key, kind, amount, minimum, now, lasts, "HI", "Ada"))

    codes = [code(f"{number}:{kind}", kind) for kind in ("percent", "amount", "shipping") for number in range(4)]
    assert len(set(codes)) == 12
    for one in codes:
        assert admin("discount_by_code", code=one)["codeDiscountNodeByCode"]
    operator.add_fault("user_errors", operation="discountCodeBasicCreate", message="Not today")
    with pytest.raises(Failed, match="Not today"):
        maker.make(shop_store, CodeRequest("x", "percent", Decimal(20), None, now, now + timedelta(days=7), "", ""))
