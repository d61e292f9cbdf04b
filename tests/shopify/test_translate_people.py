"""What customers, consent and checkouts say about people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smsflow_plugin.events.facts import CannotUnderstand, Person, PersonFact, StoreGone
from tests.shopify import payloads
from tests.shopify.payloads import CART_TOKEN, CHECKOUT_TOKEN, CUSTOMER_ID, PHONE
from tests.shopify.webhooks import DENMARK, RECEIVED, told

CONSENT = "customers_marketing_consent/update"


def the_fact(topic: str, payload: Any, **options: Any) -> PersonFact:
    [fact] = told(topic, payload, **options).facts
    assert isinstance(fact, PersonFact)
    return fact


def the_person(topic: str, payload: Any, **options: Any) -> Person:
    return the_fact(topic, payload, **options).person


def kinds(fact: PersonFact) -> list[str]:
    return [happening.kind for happening in fact.happenings]


# --- profiles


def test_a_new_customer_is_known_with_everything_that_shopify_says() -> None:
    fact = the_fact("customers/create", payloads.customer())
    assert fact.person == Person(
        identities=(("customer", str(CUSTOMER_ID)),),
        phone=PHONE,
        owns_phone=True,
        email="ada@example.com",
        first_name="Ada",
        last_name="Lovelace",
        country="US",
        province="KY",
        postcode="40202",
        profile_at=fact.person.profile_at,
    )
    [happening] = fact.happenings
    assert (happening.kind, happening.key) == ("customer_created", str(CUSTOMER_ID))
    assert happening.occurred_at == datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
    assert fact.consents == ()


def test_a_profile_that_says_nothing_of_a_name_leaves_it_and_an_empty_name_empties_it() -> None:
    silent = payloads.customer()
    del silent["first_name"], silent["email"], silent["default_address"]
    person = the_person("customers/update", silent)
    assert (person.first_name, person.email, person.country) == (None, None, None)
    person = the_person("customers/update", payloads.customer(first_name=None, email=None, default_address=None))
    assert (person.first_name, person.email, person.country) == ("", "", None)


def test_the_number_of_an_address_is_not_the_customers_own() -> None:
    address = payloads.address(phone="(202) 555-0177")
    assert the_person("customers/update", payloads.customer(phone=None, default_address=address)).phone is None


def test_a_number_is_read_with_the_stores_country_unless_the_address_has_another() -> None:
    local = payloads.customer(phone="20 00 00 12", default_address=None)
    assert the_person("customers/create", local, store=DENMARK).phone == "+4520000012"
    assert the_person("customers/create", local).phone is None
    abroad = payloads.customer(phone="20 00 00 12", default_address=payloads.address(country_code="DK"))
    assert the_person("customers/create", abroad).phone == "+4520000012"


def test_a_number_that_is_none_is_noted_with_the_event() -> None:
    fact = the_fact("customers/create", payloads.customer(phone="555-555-SHIP"))
    assert fact.person.phone is None
    assert not fact.person.owns_phone
    assert fact.happenings[0].data == {"unusable_phone": "555-555-SHIP"}


def test_tags_of_older_api_versions_are_read() -> None:
    assert the_person("customers/update", payloads.customer()).tags is None
    assert the_person("customers/update", payloads.customer(tags="vip, wholesale, vip")).tags == ("vip", "wholesale")
    assert the_person("customers/update", payloads.customer(tags="")).tags == ()


def test_a_newer_profile_has_a_later_time_even_within_one_second() -> None:
    def profile_at(updated_at: str, triggered_at: str) -> Any:
        payload = payloads.customer(updated_at=updated_at)
        return the_person("customers/update", payload, x_shopify_triggered_at=triggered_at).profile_at

    first = profile_at("2026-03-04T15:00:00Z", "2026-03-04T15:00:00.250Z")
    second = profile_at("2026-03-04T15:00:00Z", "2026-03-04T15:00:07.500Z")
    third = profile_at("2026-03-04T15:00:00Z", "2026-03-04T15:00:08Z")
    later = profile_at("2026-03-04T15:00:01Z", "2026-03-04T15:00:01Z")
    assert first < second < third < later


def test_a_profile_without_a_date_is_as_old_as_its_trigger_or_its_arrival() -> None:
    payload = payloads.customer(updated_at=None)
    triggered = datetime(2026, 3, 4, 15, 59, 30, tzinfo=UTC)
    assert the_person("customers/update", payload).profile_at == triggered
    assert the_person("customers/update", payload, x_shopify_triggered_at="").profile_at == RECEIVED


def test_each_change_of_a_customer_is_an_event_of_its_own_and_a_repeated_one_is_not() -> None:
    def key(**values: Any) -> str:
        return the_fact("customers/update", payloads.customer(**values)).happenings[0].key

    assert key() == key(note="again")
    assert key() != key(updated_at="2026-03-04T10:46:00-05:00")
    assert key(updated_at=None) == key(updated_at=None) != key(updated_at=None, first_name="Augusta")


# --- consent


def test_a_customer_who_subscribes_grants_consent_and_opts_in() -> None:
    fact = the_fact(CONSENT, payloads.consent())
    at = datetime(2026, 3, 4, 15, 40, tzinfo=UTC)
    [consent], [happening] = fact.consents, fact.happenings
    assert (consent.action, consent.scope, consent.effective_at) == ("granted", "marketing", at)
    assert not consent.own_words
    assert consent.evidence["opt_in_level"] == "single_opt_in"
    assert consent.evidence["collected_from"] == "SHOPIFY"
    assert str(CUSTOMER_ID) in consent.key
    assert (happening.kind, happening.occurred_at) == ("opted_in", at)
    assert fact.person == Person(identities=(("customer", str(CUSTOMER_ID)),), phone=PHONE)


@pytest.mark.parametrize(
    ("state", "action", "scope", "happening"),
    [
        ("SUBSCRIBED", "granted", "marketing", ["opted_in"]),
        ("pending", "pending", "marketing", ["opt_in_requested"]),
        ("unsubscribed", "revoked", "marketing", ["opted_out"]),
        ("redacted", "revoked", "all", ["opted_out"]),
    ],
)
def test_each_state_of_marketing_consent_means_one_thing(
    state: str, action: str, scope: str, happening: list[str]
) -> None:
    fact = the_fact(CONSENT, payloads.consent(state=state))
    assert [(consent.action, consent.scope) for consent in fact.consents] == [(action, scope)]
    assert kinds(fact) == happening


@pytest.mark.parametrize("state", ["not_subscribed", None, "", "something new"])
def test_a_state_that_is_neither_yes_nor_no_changes_nothing(state: str | None) -> None:
    translation = told(CONSENT, payloads.consent(state=state))
    assert translation.facts == ()
    assert "neither agreed to texts nor refused" in translation.ignored


def test_a_repeated_consent_is_the_same_and_a_later_one_is_another() -> None:
    def key(**values: Any) -> str:
        return the_fact(CONSENT, payloads.consent(**values)).consents[0].key

    assert key() == key(note="sent again")
    assert key() != key(at="2026-03-04T10:41:00-05:00")
    assert key() != key(state="unsubscribed")
    assert key(at=None) == key(at=None) != key(at=None, state="pending")


def test_consent_needs_a_number_but_refusal_does_not() -> None:
    assert "without a number" in told(CONSENT, payloads.consent(phone=None)).ignored
    assert "(“5”)" in told(CONSENT, payloads.consent(phone="5")).ignored
    fact = the_fact(CONSENT, payloads.consent(phone=None, state="unsubscribed"))
    assert [consent.action for consent in fact.consents] == ["revoked"]


def test_consent_of_nobody_is_not_understood() -> None:
    with pytest.raises(CannotUnderstand, match="whom it is about"):
        told(CONSENT, payloads.consent(id=None, phone=None, state="unsubscribed"))


def test_the_box_ticked_in_a_checkout_is_consent_for_the_number_beside_it() -> None:
    ticked = payloads.checkout(buyer_accepts_sms_marketing=True, sms_marketing_phone="(202) 555-0199")
    fact = the_fact("checkouts/update", ticked)
    assert fact.person.phone == "+12025550199"
    assert [consent.action for consent in fact.consents] == ["granted"]
    assert fact.consents[0].source == "shopify_checkout"
    assert kinds(fact) == ["opted_in", "checkout_updated"]


def test_a_checkout_consents_once_however_often_it_changes() -> None:
    def key(**values: Any) -> str:
        ticked = payloads.checkout(buyer_accepts_sms_marketing=True, **{"sms_marketing_phone": PHONE, **values})
        return the_fact("checkouts/update", ticked).consents[0].key

    assert key() == key(updated_at="2026-03-04T10:52:00-05:00") != key(sms_marketing_phone="+12025550199")


@pytest.mark.parametrize(
    "values",
    [
        {"buyer_accepts_sms_marketing": False, "sms_marketing_phone": PHONE},
        {"buyer_accepts_sms_marketing": True, "sms_marketing_phone": None},
        {"buyer_accepts_sms_marketing": True, "sms_marketing_phone": "555-SHIP"},
        {"buyer_accepts_sms_marketing": "true", "sms_marketing_phone": PHONE},
        {"buyer_accepts_marketing": True},
        {"phone": "+12025550199"},
    ],
)
def test_nothing_less_than_the_box_and_its_number_is_consent(values: dict[str, Any]) -> None:
    fact = the_fact("checkouts/update", payloads.checkout(**values))
    assert fact.consents == ()
    assert kinds(fact) == ["checkout_updated"]


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid", "customers/update", "customers/create"])
def test_orders_and_profiles_are_never_consent(topic: str) -> None:
    consenting = {"buyer_accepts_marketing": True, "buyer_accepts_sms_marketing": True, "sms_marketing_phone": PHONE}
    consenting["sms_marketing_consent"] = payloads.consent()["sms_marketing_consent"]
    fact = the_fact(topic, {**payloads.order(phone=PHONE), **consenting})
    assert fact.consents == ()
    assert "opted_in" not in kinds(fact)


# --- checkouts


def test_a_checkout_is_a_cart_to_come_back_to() -> None:
    fact = the_fact("checkouts/create", payloads.checkout())
    [happening] = fact.happenings
    assert (happening.kind, happening.subject) == ("checkout_updated", CHECKOUT_TOKEN)
    assert happening.occurred_at == datetime(2026, 3, 4, 15, 50, tzinfo=UTC)
    assert happening.data == {
        "cart": {
            "url": f"https://sierra-gear.example/checkouts/{CHECKOUT_TOKEN}/recover?key=k1",
            "total": "154.00",
            "currency": "USD",
            "item_count": 3,
            "first_item": "Trail Jacket",
            "lines": [
                {
                    "title": "Trail Jacket",
                    "quantity": 1,
                    "price": "129.00",
                    "product_id": "632910392",
                    "variant_id": "808950810",
                },
                {
                    "title": "Trail Socks",
                    "quantity": 2,
                    "price": "12.50",
                    "product_id": "632910392",
                    "variant_id": "808950811",
                },
            ],
            "discount_codes": [],
        }
    }
    assert fact.person.identities == (
        ("customer", str(CUSTOMER_ID)),
        ("checkout", CHECKOUT_TOKEN),
        ("cart", CART_TOKEN),
    )
    assert (fact.person.phone, fact.person.owns_phone, fact.person.language) == (PHONE, False, "en")


def test_a_completed_checkout_is_no_cart_but_still_somebodys() -> None:
    fact = the_fact("checkouts/update", payloads.checkout(completed_at="2026-03-04T10:54:59-05:00"))
    assert fact.happenings == ()
    assert ("checkout", CHECKOUT_TOKEN) in fact.person.identities
    assert fact.person.phone == PHONE


def test_each_change_of_a_checkout_is_an_event_and_a_repeated_one_is_not() -> None:
    def key(**values: Any) -> str:
        return the_fact("checkouts/update", payloads.checkout(**values)).happenings[0].key

    assert key() == key(note="again") != key(updated_at="2026-03-04T10:51:00-05:00")
    assert key(updated_at=None) == key(updated_at=None) != key(updated_at=None, total_price="1.00")


def test_the_creation_and_a_change_in_the_same_second_are_one_event() -> None:
    created, changed = (the_fact(f"checkouts/{what}", payloads.checkout()) for what in ("create", "update"))
    assert created.happenings == changed.happenings


def test_a_checkout_of_an_unknown_customer_is_found_by_its_token() -> None:
    bare = {"token": "t1", "line_items": [{"title": "Tea"}]}
    fact = the_fact("checkouts/create", bare)
    assert fact.person == Person(identities=(("checkout", "t1"),), profile_at=fact.person.profile_at)
    assert fact.happenings[0].data["cart"]["currency"] == "USD"


def test_what_somebody_left_out_this_time_does_not_empty_their_profile() -> None:
    person = the_person("checkouts/update", payloads.checkout(email=None, customer_locale=None, customer=None))
    assert (person.email, person.language, person.first_name) == (None, None, "Ada")


def test_a_gift_does_not_lend_its_recipients_number_to_the_buyer() -> None:
    nobody = payloads.customer(phone=None, default_address=None)
    gift = payloads.address(first_name="Grace", last_name="Hopper", phone="(202) 555-0177", province_code="NY")
    person = the_person("orders/create", payloads.order(customer=nobody, shipping_address=gift))
    assert (person.phone, person.province) == (None, "KY")
    own = payloads.address(phone="(202) 555-0177")
    assert the_person("orders/create", payloads.order(customer=nobody, shipping_address=own)).phone == "+12025550177"


def test_the_customers_number_goes_before_that_of_the_order() -> None:
    order = payloads.order(phone="+12025550199")
    assert the_person("orders/create", order).phone == PHONE
    assert the_person("orders/create", {**order, "customer": payloads.customer(phone=None)}).phone == "+12025550199"
    assert the_person("orders/create", {**order, "customer": payloads.customer(phone="12")}).phone == "+12025550199"


# --- the shop


def test_a_shop_that_took_the_app_away_is_gone_since_then() -> None:
    [fact] = told("app/uninstalled", payloads.shop()).facts
    assert fact == StoreGone(at=datetime(2026, 3, 4, 15, 59, 30, tzinfo=UTC))
    assert told("app/uninstalled", {}, x_shopify_triggered_at="").facts == (StoreGone(at=RECEIVED),)


def test_the_end_of_another_shop_does_not_end_this_one() -> None:
    with pytest.raises(CannotUnderstand, match="nordic-tea"):
        told("app/uninstalled", payloads.shop(myshopify_domain="nordic-tea.myshopify.com"))


def test_what_happened_long_ago_is_told_with_its_own_time() -> None:
    old = payloads.checkout(updated_at="2026-02-01T10:00:00Z")
    assert RECEIVED - the_fact("checkouts/update", old).happenings[0].occurred_at > timedelta(days=30)
