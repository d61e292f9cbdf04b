"""Products, refunds, tags and consent to e-mails."""

from __future__ import annotations

import pytest

from smsflow_plugin.events.facts import CannotUnderstand, PersonFact, StockFact
from tests.shopify import payloads
from tests.shopify.webhooks import told


def test_every_variant_of_a_product_is_told_with_its_price_and_number() -> None:
    small, large = told("products/update", payloads.product()).facts
    assert isinstance(small, StockFact)
    assert isinstance(large, StockFact)
    assert (small.variant_id, small.title, small.variant) == ("642667041472713922", "Trail Jacket", "Small")
    assert (small.price, small.available, large.available, small.counted) == ("129.00", 3, 0, True)


def test_a_product_that_the_shop_does_not_count_is_always_there() -> None:
    variant = {
        "id": 1,
        "title": "Default Title",
        "price": "1.00",
        "inventory_management": None,
        "inventory_quantity": 0,
    }
    [fact] = told("products/update", payloads.product(variants=[variant])).facts
    assert isinstance(fact, StockFact)
    assert (fact.counted, fact.variant) == (False, "")


def test_a_refund_says_how_much_of_which_order_went_back() -> None:
    [fact] = told("refunds/create", payloads.refund()).facts
    assert isinstance(fact, PersonFact)
    [happening] = fact.happenings
    assert (happening.kind, happening.subject) == ("order_refunded", "5610000000001")
    assert happening.data["order"]["refunded"] == "129.00"
    assert fact.person.identities == (("order", "5610000000001"),)
    with pytest.raises(CannotUnderstand):
        told("refunds/create", payloads.refund(order_id=None))


def test_tags_come_and_go() -> None:
    [added] = told("customer.tags_added", payloads.tags("vip", "press")).facts
    [removed] = told("customer.tags_removed", payloads.tags("vip")).facts
    assert isinstance(added, PersonFact)
    assert isinstance(removed, PersonFact)
    assert (added.person.tags_added, removed.person.tags_removed) == (("vip", "press"), ("vip",))


@pytest.mark.parametrize(
    ("state", "said"), [("subscribed", "granted"), ("unsubscribed", "revoked"), ("not_subscribed", None), ("", None)]
)
def test_consent_to_emails_is_read_from_profile_and_from_its_own_webhook(state: str, said: str | None) -> None:
    [own] = told("customers_email_marketing_consent/update", payloads.email_consent(state)).facts
    [profile] = told("customers/update", payloads.customer(email_marketing_consent={"state": state})).facts
    assert isinstance(own, PersonFact)
    assert isinstance(profile, PersonFact)
    assert own.person.email_consent == profile.person.email_consent == said
