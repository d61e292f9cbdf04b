"""The documents that the adapter may send: each must be valid, and each is executed."""

# ruff: noqa: E501

DOCS = {
    "sms_consent_update": """
mutation SmsConsent($input: CustomerSmsMarketingConsentUpdateInput!) {
  customerSmsMarketingConsentUpdate(input: $input) {
    customer { id defaultPhoneNumber { phoneNumber marketingState marketingOptInLevel marketingUpdatedAt marketingCollectedFrom } }
    userErrors { code field message }
  }
}""",
    "customer_by_phone": """
query ByPhone($phone: String!) {
  customerByIdentifier(identifier: {phoneNumber: $phone}) {
    id firstName lastName tags locale numberOfOrders amountSpent { amount currencyCode }
    defaultPhoneNumber { phoneNumber marketingState marketingOptInLevel marketingUpdatedAt }
  }
}""",
    "discount_parent_create": """
mutation DiscountCreate($d: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $d) {
    codeDiscountNode { id codeDiscount { ... on DiscountCodeBasic { title startsAt endsAt usageLimit appliesOncePerCustomer codes(first: 1) { nodes { id code } } } } }
    userErrors { code field message extraInfo }
  }
}""",
    "discount_bulk_add": """
mutation AddCodes($id: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) {
    bulkCreation { id done codesCount importedCount failedCount }
    userErrors { code field message }
  }
}""",
    "discount_bulk_poll": """
query Poll($id: ID!) {
  discountRedeemCodeBulkCreation(id: $id) { done importedCount failedCount codes(first: 250) { nodes { code errors { code message } discountRedeemCode { id } } } }
}""",
    "webhook_create": """
mutation Hook($topic: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $w) {
    webhookSubscription { id topic uri filter includeFields format apiVersion { handle supported } }
    userErrors { field message }
  }
}""",
    "webhook_list": """
query Hooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) { nodes { id topic uri filter includeFields createdAt updatedAt } pageInfo { hasNextPage endCursor } }
}""",
    "webhook_delete": """
mutation HookDel($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } } }""",
    "bulk_run": """
mutation Bulk($q: String!) { bulkOperationRunQuery(query: $q, groupObjects: false) { bulkOperation { id status } userErrors { code field message } } }""",
    "bulk_poll": """
query BulkPoll($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount fileSize url partialDataUrl createdAt completedAt } }""",
    "bulk_poll_legacy": """
query { currentBulkOperation(type: QUERY) { id status errorCode url } }""",
    "bulk_inner_customers": """
{ customers { edges { node { id firstName lastName tags locale createdAt updatedAt numberOfOrders amountSpent { amount currencyCode }
    defaultPhoneNumber { phoneNumber marketingState marketingOptInLevel marketingUpdatedAt marketingCollectedFrom } defaultAddress { countryCodeV2 provinceCode zip timeZone } } } } }""",
    "bulk_inner_orders": """
{ orders(query: "created_at:>=2025-01-01") { edges { node { id name createdAt updatedAt cancelledAt displayFinancialStatus displayFulfillmentStatus customer { id }
    totalPriceSet { shopMoney { amount currencyCode } } discountCodes
    lineItems { edges { node { id title quantity sku variant { id } product { id } } } } } } } }""",
    "metafields_set": """
mutation MF($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { metafields { id namespace key value compareDigest } userErrors { code field message elementIndex } } }""",
    "abandoned_checkouts": """
query Ab($q: String, $after: String) {
  abandonedCheckouts(first: 50, after: $after, query: $q, sortKey: CREATED_AT) { nodes { id name abandonedCheckoutUrl createdAt updatedAt completedAt customer { id defaultPhoneNumber { phoneNumber marketingState } } totalPriceSet { shopMoney { amount currencyCode } } } pageInfo { hasNextPage endCursor } }
}""",
    "variant_by_inventory_item": """
query Inv($id: ID!) { inventoryItem(id: $id) { id tracked variant { id title price compareAtPrice inventoryQuantity sellableOnlineQuantity availableForSale product { id title handle status onlineStoreUrl } } } }""",
    "tags_add": """
mutation T($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } } }""",
    "web_pixel_create": """
mutation P($p: WebPixelInput!) { webPixelCreate(webPixel: $p) { webPixel { id settings } userErrors { code field message } } }""",
    "shop": """
query { shop { id name myshopifyDomain ianaTimezone currencyCode plan { publicDisplayName } primaryDomain { url } } currentAppInstallation { accessScopes { handle } } }""",
}
VARS = {
    "sms_consent_update": {
        "input": {
            "customerId": "gid://shopify/Customer/1",
            "smsMarketingConsent": {
                "marketingState": "UNSUBSCRIBED",
                "marketingOptInLevel": "SINGLE_OPT_IN",
                "consentUpdatedAt": "2026-11-21T10:00:00Z",
            },
        }
    },
    "discount_parent_create": {
        "d": {
            "title": "Winback 10%",
            "code": "SEED-7Q2K",
            "startsAt": "2026-11-21T00:00:00Z",
            "endsAt": "2026-12-01T00:00:00Z",
            "usageLimit": 1,
            "appliesOncePerCustomer": True,
            "context": {"all": "ALL"},
            "customerGets": {"value": {"percentage": 0.1}, "items": {"all": True}},
            "combinesWith": {"orderDiscounts": False, "productDiscounts": False, "shippingDiscounts": True},
        }
    },
    "discount_bulk_add": {"id": "gid://shopify/DiscountCodeNode/1", "codes": [{"code": "A1"}, {"code": "A2"}]},
    "webhook_create": {
        "topic": "CUSTOMERS_MARKETING_CONSENT_UPDATE",
        "w": {
            "uri": "https://example.com/shopify/webhooks/",
            "format": "JSON",
            "includeFields": ["id", "phone", "sms_marketing_consent"],
        },
    },
    "metafields_set": {
        "m": [
            {
                "ownerId": "gid://shopify/Customer/1",
                "namespace": "$app:sms",
                "key": "last_flow",
                "type": "single_line_text_field",
                "value": "welcome",
            }
        ]
    },
    "web_pixel_create": {"p": {"settings": '{"accountID":"x"}'}},
}

# What else issue 5 needs.
MORE = {
    "customer": """query ($id: ID!) { customer(id: $id) { id displayName tags defaultPhoneNumber { phoneNumber smsMarketingConsent { state optInLevel updatedAt } } smsMarketingConsent { marketingState } lastOrder { id } orders(first: 2) { nodes { id } } } }""",
    "customer_update": """mutation ($input: CustomerInput!) { customerUpdate(input: $input) { customer { id phone email } userErrors { field message } } }""",
    "tags_remove": """mutation ($id: ID!, $tags: [String!]!) { tagsRemove(id: $id, tags: $tags) { node { id ... on Customer { tags } } userErrors { field message } } }""",
    "orders": """query ($q: String, $after: String, $n: Int = 2) { orders(first: $n, after: $after, query: $q, sortKey: UPDATED_AT) { nodes { id name updatedAt cancelledAt statusPageUrl totalPriceSet { shopMoney { amount } } customer { id } fulfillments { status trackingInfo { number } } refunds { totalRefundedSet { shopMoney { amount } } } lineItems(first: 3) { nodes { name quantity variant { id } } } } pageInfo { hasNextPage hasPreviousPage endCursor } } }""",
    "customers": """query ($q: String, $after: String, $n: Int = 2) { customers(first: $n, after: $after, query: $q, sortKey: UPDATED_AT) { edges { cursor node { id updatedAt phone } } pageInfo { hasNextPage endCursor } } }""",
    "counts": """query ($q: String) { ordersCount(query: $q) { count precision } customersCount { count } webhookSubscriptionsCount { count } }""",
    "variants_by_id": """query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename ... on ProductVariant { price availableForSale inventoryItem { id } product { title } } } }""",
    "variants": """query ($n: Int = 3, $after: String) { productVariants(first: $n, after: $after) { nodes { id sku price displayName inventoryQuantity inventoryPolicy product { id title totalInventory } } pageInfo { hasNextPage endCursor } } }""",
    "item_variants": """query ($id: ID!) { inventoryItem(id: $id) { id variants(first: 5) { nodes { id } } inventoryLevels(first: 1) { nodes { id location { name } quantities(names: ["available"]) { name quantity } } } } }""",
    "free_shipping": """mutation ($d: DiscountCodeFreeShippingInput!) { discountCodeFreeShippingCreate(freeShippingCodeDiscount: $d) { codeDiscountNode { id codeDiscount { __typename ... on DiscountCodeFreeShipping { title status codesCount { count } } } } userErrors { code field message } } }""",
    "discount_by_code": """query ($code: String!) { codeDiscountNodeByCode(code: $code) { id codeDiscount { ... on DiscountCodeBasic { title status asyncUsageCount } } } }""",
    "webhook_update": """mutation ($id: ID!, $w: WebhookSubscriptionInput!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: $w) { webhookSubscription { id uri filter includeFields } userErrors { field message } } }""",
    "bulk_cancel": """mutation ($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } } }""",
}
