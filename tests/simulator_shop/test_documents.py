"""Every document that the adapter may send does something here."""

from __future__ import annotations

from typing import Any

import requests

from smsflow_plugin.integrations.simulator.shopify_api import RunningShop
from tests.simulator_shop.conftest import Admin, gid
from tests.simulator_shop.documents import DOCS, VARS

Doc = dict[str, Any]


def test_consent_and_its_reading(admin: Admin, ada: Doc) -> None:
    said = VARS["sms_consent_update"]["input"] | {"customerId": gid("Customer", ada)}
    made = admin("sms_consent_update", input=said)["customerSmsMarketingConsentUpdate"]
    assert made["userErrors"] == []
    assert made["customer"]["defaultPhoneNumber"]["marketingState"] == "UNSUBSCRIBED"
    found = admin("customer_by_phone", phone=ada["phone"])["customerByIdentifier"]
    assert found["defaultPhoneNumber"]["marketingUpdatedAt"] == "2026-11-21T10:00:00Z"
    whole = admin("customer", id=gid("Customer", ada))["customer"]
    assert whole["defaultPhoneNumber"]["smsMarketingConsent"]["state"] == "UNSUBSCRIBED"
    assert whole["displayName"] == "Ada Berg"


def test_consent_needs_a_phone_and_a_state_that_can_be_set(admin: Admin, shopify: RunningShop, ada: Doc) -> None:
    nobody = shopify.shop.add_customer(firstName="Bo", email="bo@example.com")
    consent = {"marketingState": "SUBSCRIBED", "marketingOptInLevel": "SINGLE_OPT_IN"}

    def refused(customer: str, **more: str) -> Doc:
        answer = admin("sms_consent_update", input={"customerId": customer, "smsMarketingConsent": consent | more})
        found: Doc = answer["customerSmsMarketingConsentUpdate"]["userErrors"][0]
        return found

    assert "phone number is required" in refused(gid("Customer", nobody))["message"]
    assert refused("gid://shopify/Customer/1")["field"] == ["input", "customerId"]
    assert refused(gid("Customer", ada), marketingState="NOT_SUBSCRIBED")["code"] == "INVALID"
    future = refused(gid("Customer", ada), consentUpdatedAt="2100-01-01T00:00:00Z")
    assert future["field"][-1] == "consentUpdatedAt"


def test_tags_and_profile(admin: Admin, shopify: RunningShop, ada: Doc) -> None:
    bo = shopify.shop.add_customer(phone="+12025550102")
    identifier = gid("Customer", ada)
    admin("tags_add", id=identifier, tags=["vip", "sms", "VIP"])
    left = admin("tags_remove", id=identifier, tags=["sms"])["tagsRemove"]
    assert left["node"]["tags"] == ["vip"]
    assert admin("tags_add", id="gid://shopify/Customer/1", tags=["x"])["tagsAdd"]["userErrors"]
    changed = admin("customer_update", input={"id": identifier, "phone": "+12025550103"})["customerUpdate"]
    assert changed["customer"]["phone"] == "+12025550103"
    taken = admin("customer_update", input={"id": identifier, "phone": bo["phone"]})["customerUpdate"]
    assert taken["userErrors"] == [{"field": ["phone"], "message": "Phone has already been taken"}]


def test_codes_by_the_hundred(admin: Admin) -> None:
    made = admin("discount_parent_create", **VARS["discount_parent_create"])["discountCodeBasicCreate"]
    parent = made["codeDiscountNode"]["id"]
    assert made["codeDiscountNode"]["codeDiscount"]["codes"]["nodes"][0]["code"] == "SEED-7Q2K"
    codes = [{"code": f"C{number}"} for number in range(248)] + [{"code": "c0"}, {"code": "seed-7q2k"}]
    batch = admin("discount_bulk_add", id=parent, codes=codes)["discountRedeemCodeBulkAdd"]["bulkCreation"]
    assert (batch["done"], batch["codesCount"]) == (False, 250)
    done = admin("discount_bulk_poll", id=batch["id"])["discountRedeemCodeBulkCreation"]
    assert (done["done"], done["importedCount"], done["failedCount"]) == (True, 248, 2)
    failed = [one for one in done["codes"]["nodes"] if one["errors"]]
    assert [one["errors"][0]["code"] for one in failed] == ["TAKEN", "TAKEN"]
    assert failed[0]["discountRedeemCode"] is None
    assert admin("discount_by_code", code="c17")["codeDiscountNodeByCode"]["id"] == parent
    assert admin("discount_by_code", code="nope")["codeDiscountNodeByCode"] is None
    too_many = admin.errors("discount_bulk_add", id=parent, codes=[{"code": f"D{n}"} for n in range(251)])
    assert too_many[0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


def test_discounts_that_shopify_would_refuse(admin: Admin) -> None:
    good = VARS["discount_parent_create"]["d"]

    def code_for(**change: Any) -> tuple[str, list[str]]:
        answer = admin("discount_parent_create", d=good | change)["discountCodeBasicCreate"]
        assert answer["codeDiscountNode"] is None
        error = answer["userErrors"][0]
        return error["code"], error["field"][1:]

    gets = {"value": {"percentage": 1.5}, "items": {"all": True}}
    assert code_for(customerGets=gets) == ("VALUE_OUTSIDE_RANGE", ["customerGets", "value", "percentage"])
    assert code_for(title=" ") == ("BLANK", ["title"])
    assert code_for(endsAt="2026-11-20T00:00:00Z") == ("END_DATE_BEFORE_START_DATE", ["endsAt"])
    assert code_for(context=None) == ("MISSING_ARGUMENT", ["context"])
    # of the two ways in a oneOf input only one may be given
    assert admin.errors("discount_parent_create", d=good | {"context": {"all": "ALL", "customers": {"add": []}}})


def test_free_shipping(admin: Admin) -> None:
    said = {"title": "Free", "code": "FREE", "startsAt": "2026-11-21T00:00:00Z", "destination": {"all": True}}
    made = admin("free_shipping", d=said | {"context": {"all": "ALL"}})["discountCodeFreeShippingCreate"]
    assert made["codeDiscountNode"]["codeDiscount"]["__typename"] == "DiscountCodeFreeShipping"
    assert made["codeDiscountNode"]["codeDiscount"]["codesCount"] == {"count": 1}


def test_subscriptions(admin: Admin) -> None:
    wanted = VARS["webhook_create"]
    first = admin("webhook_create", **wanted)["webhookSubscriptionCreate"]["webhookSubscription"]
    assert (first["uri"], first["includeFields"]) == (wanted["w"]["uri"], wanted["w"]["includeFields"])
    again = admin("webhook_create", **wanted)["webhookSubscriptionCreate"]
    assert again["userErrors"][0]["message"] == "Address for this topic has already been taken"
    plain = admin("webhook_create", topic="ORDERS_CREATE", w={"uri": "http://example.com/"})
    assert "http:// is not supported" in plain["webhookSubscriptionCreate"]["userErrors"][0]["message"]
    assert admin.errors("webhook_create", topic="CUSTOMERS_REDACT", w={"uri": "https://example.com/"})
    change = admin("webhook_update", id=first["id"], w={"filter": "id:5"})["webhookSubscriptionUpdate"]
    assert change["webhookSubscription"]["filter"] == "id:5"
    assert change["webhookSubscription"]["includeFields"] == wanted["w"]["includeFields"]
    assert [one["id"] for one in admin("webhook_list")["webhookSubscriptions"]["nodes"]] == [first["id"]]
    assert admin("webhook_delete", id=first["id"])["webhookSubscriptionDelete"]["userErrors"] == []
    assert admin("webhook_delete", id=first["id"])["webhookSubscriptionDelete"]["userErrors"]
    assert admin("webhook_list")["webhookSubscriptions"]["nodes"] == []


def test_goods(admin: Admin, shopify: RunningShop) -> None:
    variant = shopify.shop.variants()[0]
    item = f"gid://shopify/InventoryItem/{variant['item']}"
    found = admin("variant_by_inventory_item", id=item)["inventoryItem"]["variant"]
    assert found["id"] == gid("ProductVariant", variant)
    level = admin("item_variants", id=item)["inventoryItem"]["inventoryLevels"]["nodes"][0]
    assert level["quantities"] == [{"name": "available", "quantity": 12}]
    assert f"?inventory_item_id={variant['item']}" in level["id"]
    answer = admin("variants_by_id", ids=[gid("ProductVariant", variant), "gid://shopify/ProductVariant/1"])
    assert [one and one["price"] for one in answer["nodes"]] == [variant["price"], None]
    assert len(admin("variants", n=50)["productVariants"]["nodes"]) == len(shopify.shop.variants())


def test_orders_and_checkouts(admin: Admin, shopify: RunningShop, ada: Doc) -> None:
    left = shopify.shop.abandon_checkout(ada["id"])
    shopify.shop.abandon_checkout(ada["id"])
    order = shopify.shop.place_order(ada["id"], checkout=left["token"])
    shopify.shop.send_parcel(order["id"])
    shopify.shop.refund_order(order["id"])
    open_ones = admin("abandoned_checkouts", q="status:open updated_at:>=2020-01-01")["abandonedCheckouts"]["nodes"]
    assert len(open_ones) == 1
    assert open_ones[0]["customer"]["id"] == gid("Customer", ada)
    found = admin("orders", q=f"id:{order['id']}")["orders"]["nodes"][0]
    assert found["name"] == order["name"]
    assert found["fulfillments"][0]["trackingInfo"][0]["number"].startswith("SIM")
    assert found["refunds"][0]["totalRefundedSet"] == found["totalPriceSet"]
    assert admin("customer", id=gid("Customer", ada))["customer"]["lastOrder"]["id"] == found["id"]
    assert admin("counts", q="status:open")["ordersCount"] == {"count": 1, "precision": "EXACT"}


def test_metafields_pixel_and_shop(admin: Admin, shopify: RunningShop, ada: Doc) -> None:
    said = VARS["metafields_set"]["m"][0] | {"ownerId": gid("Customer", ada)}
    first = admin("metafields_set", m=[said])["metafieldsSet"]["metafields"][0]
    stale = admin("metafields_set", m=[said | {"compareDigest": "old"}])["metafieldsSet"]
    assert stale["userErrors"][0]["code"] == "STALE_OBJECT"
    good = admin("metafields_set", m=[said | {"compareDigest": first["compareDigest"]}])["metafieldsSet"]
    assert good["userErrors"] == []
    pixel = admin("web_pixel_create", **VARS["web_pixel_create"])["webPixelCreate"]
    assert pixel["webPixel"]["settings"] == {"accountID": "x"}
    assert admin("web_pixel_create", **VARS["web_pixel_create"])["webPixelCreate"]["userErrors"][0]["code"] == "TAKEN"
    shop = admin("shop")
    assert shop["shop"]["myshopifyDomain"] == shopify.domain
    assert {"handle": "write_customers"} in shop["currentAppInstallation"]["accessScopes"]


def test_bulk_documents(admin: Admin, shopify: RunningShop, ada: Doc) -> None:
    shopify.shop.place_order(ada["id"])
    for inner, roots in (("bulk_inner_customers", "1"), ("bulk_inner_orders", "1")):
        done = admin.finished(DOCS[inner])
        assert (done["status"], done["rootObjectCount"]) == ("COMPLETED", roots)
        assert requests.get(done["url"], timeout=10).text.count("\n") == int(done["objectCount"])
    assert admin("bulk_poll_legacy")["currentBulkOperation"]["url"] == done["url"]
    too_late = admin("bulk_cancel", id=done["id"])["bulkOperationCancel"]
    assert "cannot be canceled" in too_late["userErrors"][0]["message"]
