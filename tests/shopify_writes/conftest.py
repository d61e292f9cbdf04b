"""A small shop that keeps what is written into it, and sends the webhooks that Shopify would send for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import Consent
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.events.models import Delivery
from smsflow_plugin.integrations.shopify.admin import client, tokens, transport
from smsflow_plugin.integrations.shopify.admin.grants import Granted
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.integrations.shopify.writes import codes, outbox
from smsflow_plugin.models import Connection, Contact, Identity, Store
from tests.conftest import TestClock
from tests.factories import make_contact

SCOPES = ("write_customers", "read_customers", "write_discounts", "read_discounts")


@dataclass
class Customer:
    phone: str | None = None
    state: str = "NOT_SUBSCRIBED"
    level: str | None = None
    at: str | None = None
    tags: list[str] = field(default_factory=list)


class FakeShop:
    """``customers`` by their numbers; ``echoes`` are the webhooks that have not been delivered yet."""

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.codes: dict[str, str] = {}
        self.parents: dict[str, Mapping[str, Any]] = {}
        self.adding: dict[str, tuple[str, list[str]]] = {}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.echoes: list[tuple[str, dict[str, Any]]] = []
        #: What to answer instead, by the name of the operation: once each.
        self.faults: dict[str, list[Answer | Exception]] = {}
        #: Done, and then the answer is lost.
        self.cut_off: set[str] = set()
        self.slow = False
        self._numbers = count(1)
        self._guard = Lock()

    def names(self) -> list[str]:
        return [name for name, _variables in self.asked]

    def post(self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        name, variables = str(body["operationName"]), body["variables"]
        with self._guard:
            self.asked.append((name, variables))
            if faults := self.faults.get(name):
                fault = faults.pop(0)
                if isinstance(fault, Exception):
                    raise fault
                return fault
            data = getattr(self, f"do_{name}")(**variables)
            if name in self.cut_off:
                self.cut_off.discard(name)
                raise KeyboardInterrupt  # as kill -9: nothing of ours gets to clean up in the database
            return Answer(200, {}, {"data": data})

    def _node(self, number: str) -> dict[str, Any] | None:
        customer = self.customers.get(number)
        if customer is None:
            return None
        phone = customer.phone and {
            "phoneNumber": customer.phone, "marketingState": customer.state, "marketingOptInLevel": customer.level,
            "marketingUpdatedAt": customer.at, "marketingCollectedFrom": "OTHER",
        }  # fmt: skip
        return {"id": f"gid://shopify/Customer/{number}", "defaultPhoneNumber": phone or None}

    def do_CustomerConsents(self, ids: list[str]) -> dict[str, Any]:
        return {"nodes": [self._node(gid.rpartition("/")[2]) for gid in ids]}

    def do_CustomerByPhone(self, phone: str) -> dict[str, Any]:
        found = [number for number, customer in self.customers.items() if customer.phone == phone]
        return {"customerByIdentifier": self._node(found[0]) if found else None}

    def do_CustomerPhone(self, input: dict[str, str]) -> dict[str, Any]:
        number = input["id"].rpartition("/")[2]
        self.customers[number].phone = input["phone"]
        return {"customerUpdate": {"customer": self._node(number), "userErrors": []}}

    def do_SmsConsentUpdate(self, input: dict[str, Any]) -> dict[str, Any]:
        number, consent = input["customerId"].rpartition("/")[2], input["smsMarketingConsent"]
        customer = self.customers[number]
        customer.state, customer.at = consent["marketingState"], consent["consentUpdatedAt"]
        customer.level = consent.get("marketingOptInLevel")
        self.echo(number)
        return {"customerSmsMarketingConsentUpdate": {"customer": self._node(number), "userErrors": []}}

    def echo(self, number: str) -> None:
        customer = self.customers[number]
        body = {
            "id": int(number), "phone": customer.phone,
            "sms_marketing_consent": {
                "state": customer.state.lower(), "opt_in_level": (customer.level or "").lower() or None,
                "consent_updated_at": customer.at, "consent_collected_from": "OTHER",
            },
        }  # fmt: skip
        self.echoes.append(("customers_marketing_consent/update", body))

    def do_TagsAdd(self, id: str, tags: list[str]) -> dict[str, Any]:
        return self._tag(id, tags, "added")

    def do_TagsRemove(self, id: str, tags: list[str]) -> dict[str, Any]:
        return self._tag(id, tags, "removed")

    def _tag(self, gid: str, tags: list[str], what: str) -> dict[str, Any]:
        customer = self.customers[gid.rpartition("/")[2]]
        changed = [tag for tag in tags if (tag in customer.tags) == (what == "removed")]
        customer.tags = [t for t in customer.tags if t not in changed] + (changed if what == "added" else [])
        if changed:
            body = {"customerId": gid, "tags": changed, "occurredAt": clock.now().isoformat()}
            self.echoes.append((f"customer.tags_{what}", body))
        return {"tagsAdd" if what == "added" else "tagsRemove": {"userErrors": []}}

    def do_DiscountCreate(self, discount: dict[str, Any]) -> dict[str, Any]:
        return self._create("discountCodeBasicCreate", discount)

    def do_ShippingDiscountCreate(self, discount: dict[str, Any]) -> dict[str, Any]:
        return self._create("discountCodeFreeShippingCreate", discount)

    def _create(self, name: str, discount: dict[str, Any]) -> dict[str, Any]:
        gid = f"gid://shopify/DiscountCodeNode/{next(self._numbers)}"
        self.parents[gid], self.codes[discount["code"]] = discount, gid
        return {name: {"codeDiscountNode": {"id": gid}, "userErrors": []}}

    def do_CodesAdd(self, id: str, codes: list[dict[str, str]]) -> dict[str, Any]:
        gid = f"gid://shopify/DiscountRedeemCodeBulkCreation/{next(self._numbers)}"
        self.adding[gid] = (id, [one["code"] for one in codes])
        return {"discountRedeemCodeBulkAdd": {"bulkCreation": {"id": gid, "done": False}, "userErrors": []}}

    def do_CodesAdded(self, id: str) -> dict[str, Any]:
        parent, wanted = self.adding[id]
        nodes = []
        for code in () if self.slow else wanted:
            taken = code in self.codes and self.codes[code] != parent
            errors = [{"code": "TAKEN", "message": "Code must be unique."}] if taken else []
            self.codes.setdefault(code, parent)
            nodes.append({"code": code, "errors": errors, "discountRedeemCode": None if taken else {"id": code}})
        return {"discountRedeemCodeBulkCreation": {"done": not self.slow, "codes": {"nodes": nodes}}}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> FakeShop:
    made = FakeShop()
    monkeypatch.setattr(transport, "post", made.post)
    monkeypatch.setattr(client, "_buckets", {})
    monkeypatch.setattr(client.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(codes.time, "sleep", lambda seconds: None)
    return made


def let_in(store: Store, token: str = "token-1", scopes: tuple[str, ...] = SCOPES) -> Grant:
    connection = store.connections.get(kind="shopify")
    return tokens.save(connection, kind=Grant.Kind.STATIC, granted=Granted(token, scopes=scopes), app=None)


@pytest.fixture
def connection(store: Store, still: TestClock, shop: FakeShop) -> Connection:
    """The store's shop, which lets us in."""
    let_in(store)
    return store.connections.get(kind="shopify")


def make_customer(shop: FakeShop, store: Store, number: str = "77", **values: Any) -> Contact:
    """Somebody who is known here and there, and whom nobody has asked yet."""
    never: dict[str, Any] = {"marketing_consent": "unknown", "opt_in_level": "", "consent_changed_at": None}
    contact = make_contact(store, **{**never, **values})
    Identity.objects.create(store=store, contact=contact, kind="customer", value=number)
    shop.customers[number] = Customer(phone=contact.phone)
    return contact


_keys = count(1)


def say(contact: Contact, action: str, *, scope: str = "marketing", source: str = "keyword", **values: Any) -> None:
    """Somebody says something here, and it is written as the pumps do."""
    contact = Contact.objects.get(pk=contact.pk)
    values = {"effective_at": clock.now(), "key": f"here:{next(_keys)}", "own_words": source == "keyword", **values}
    statement = ledger.Statement(contact, Consent(action, scope, source, **values))
    ledger.take_over(statement, clock.now())
    ledger.append([statement], clock.now())
    contact.save(update_fields=[*ledger.CONTACT_COLUMNS])


def work() -> None:
    """Let the outbox be written out."""
    for _turn in range(50):
        if not outbox.write_out():
            return
    raise AssertionError("The outbox never comes to an end.")


def deliver(store: Store, *echoes: tuple[str, dict[str, Any]]) -> None:
    for topic, body in echoes:
        Delivery.objects.create(
            store=store, source="shopify", external_id=f"w{next(_keys)}", topic=topic, body=json.dumps(body).encode(),
            headers={"x-shopify-topic": topic, "x-shopify-triggered-at": clock.now().isoformat()},
        )  # fmt: skip
    while ingest():
        pass
