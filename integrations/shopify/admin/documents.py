"""Everything that is asked of Shopify, as GraphQL. Pure.

The tests validate each of them against Shopify's published schema of ``VERSION``. A document asks for what is used and
no more: every object costs points.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The version of the Admin API that all of this is written for, and that webhooks are asked for in.
VERSION = "2026-10"

#: The most that Shopify returns of a connection, and takes of a list.
MOST = 250


@dataclass(frozen=True, slots=True)
class Document:
    """``cost``: points that it takes at the most, as a first guess. ``scopes``: what it needs."""

    name: str
    text: str
    cost: int = 10
    scopes: tuple[str, ...] = ()


SHOP = Document(
    "Shop",
    """
query Shop {
  shop { id name myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }
}""",
)

WEBHOOKS = Document(
    "Webhooks",
    """
query Webhooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri filter includeFields format apiVersion { handle } createdAt }
    pageInfo { hasNextPage endCursor }
  }
}""",
    cost=30,
)

WEBHOOK_CREATE = Document(
    "WebhookCreate",
    """
mutation WebhookCreate($topic: WebhookSubscriptionTopic!, $webhook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhook) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}""",
)

WEBHOOK_UPDATE = Document(
    "WebhookUpdate",
    """
mutation WebhookUpdate($id: ID!, $webhook: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $webhook) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}""",
)

WEBHOOK_DELETE = Document(
    "WebhookDelete",
    """
mutation WebhookDelete($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}""",
)

_CONSENT = "phoneNumber marketingState marketingOptInLevel marketingUpdatedAt marketingCollectedFrom"

SMS_CONSENT_UPDATE = Document(
    "SmsConsentUpdate",
    f"""
mutation SmsConsentUpdate($input: CustomerSmsMarketingConsentUpdateInput!) {{
  customerSmsMarketingConsentUpdate(input: $input) {{
    customer {{ id defaultPhoneNumber {{ {_CONSENT} }} }}
    userErrors {{ code field message }}
  }}
}}""",
    scopes=("write_customers",),
)

CUSTOMER_BY_PHONE = Document(
    "CustomerByPhone",
    f"""
query CustomerByPhone($phone: String!) {{
  customerByIdentifier(identifier: {{phoneNumber: $phone}}) {{ id defaultPhoneNumber {{ {_CONSENT} }} }}
}}""",
    scopes=("read_customers",),
)

CUSTOMER_CONSENTS = Document(
    "CustomerConsents",
    f"""
query CustomerConsents($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Customer {{ id defaultPhoneNumber {{ {_CONSENT} }} }} }}
}}""",
    cost=50,
    scopes=("read_customers",),
)

CUSTOMER_PHONE = Document(
    "CustomerPhone",
    f"""
mutation CustomerPhone($input: CustomerInput!) {{
  customerUpdate(input: $input) {{
    customer {{ id defaultPhoneNumber {{ {_CONSENT} }} }}
    userErrors {{ field message }}
  }}
}}""",
    scopes=("write_customers",),
)

TAGS_ADD = Document(
    "TagsAdd",
    """
mutation TagsAdd($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { userErrors { field message } } }
""",
    scopes=("write_customers",),
)

TAGS_REMOVE = Document(
    "TagsRemove",
    """
mutation TagsRemove($id: ID!, $tags: [String!]!) { tagsRemove(id: $id, tags: $tags) { userErrors { field message } } }
""",
    scopes=("write_customers",),
)

_MONEY = "{ shopMoney { amount currencyCode } }"
_CUSTOMER = f"""id firstName lastName email locale tags createdAt updatedAt numberOfOrders
      defaultPhoneNumber {{ {_CONSENT} }}
      defaultAddress {{ countryCodeV2 provinceCode zip }}"""
_ORDER = f"""id name createdAt processedAt updatedAt cancelledAt test sourceName displayFinancialStatus discountCodes
      statusPageUrl email phone customerLocale checkoutToken cartToken totalPriceSet {_MONEY}"""
_ADDRESS = "{ firstName lastName phone countryCodeV2 provinceCode zip }"
#: Enough of an order's customer to tell whose it is, and whether an address is their own.
_BUYER = """customer {
      id firstName lastName defaultPhoneNumber { phoneNumber } defaultAddress { countryCodeV2 provinceCode zip }
    }"""

CUSTOMERS_CHANGED = Document(
    "CustomersChanged",
    f"""
query CustomersChanged($query: String!, $after: String) {{
  customers(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{ {_CUSTOMER} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    cost=210,
    scopes=("read_customers",),
)

ORDERS_CHANGED = Document(
    "OrdersChanged",
    f"""
query OrdersChanged($query: String!, $after: String) {{
  orders(first: 12, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{
      {_ORDER} {_BUYER}
      shippingAddress {_ADDRESS} billingAddress {_ADDRESS}
      lineItems(first: 20) {{ nodes {{ title quantity variant {{ id price }} product {{ id }} }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    cost=600,
    scopes=("read_orders",),
)

CHECKOUTS_CHANGED = Document(
    "CheckoutsChanged",
    f"""
query CheckoutsChanged($query: String!, $after: String) {{
  abandonedCheckouts(first: 12, after: $after, query: $query, sortKey: CREATED_AT) {{
    nodes {{
      id abandonedCheckoutUrl createdAt updatedAt completedAt totalPriceSet {_MONEY}
      customer {{ {_CUSTOMER} }}
      lineItems(first: 20) {{ nodes {{ title quantity variant {{ id price }} product {{ id }} }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}""",
    cost=570,
    scopes=("read_orders",),
)

_VARIANT = """id title price compareAtPrice sellableOnlineQuantity availableForSale updatedAt
    inventoryItem { id tracked }
    product { id title onlineStoreUrl }"""

VARIANTS_OF_ITEM = Document(
    "VariantsOfItem",
    f"""
query VariantsOfItem($id: ID!) {{
  inventoryItem(id: $id) {{ id tracked variants(first: 10) {{ nodes {{ {_VARIANT} }} }} }}
}}""",
    scopes=("read_inventory", "read_products"),
)

VARIANTS = Document(
    "Variants",
    f"""
query Variants($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on ProductVariant {{ {_VARIANT} }} }} }}
""",
    cost=250,
    scopes=("read_products",),
)

PART_OF_ORDER = Document(
    "PartOfOrder",
    """
query PartOfOrder($id: ID!) { fulfillmentOrder(id: $id) { id orderId } }""",
    scopes=("read_merchant_managed_fulfillment_orders",),
)

DISCOUNT_CREATE = Document(
    "DiscountCreate",
    """
mutation DiscountCreate($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { code field message }
  }
}""",
    scopes=("write_discounts",),
)

SHIPPING_DISCOUNT_CREATE = Document(
    "ShippingDiscountCreate",
    """
mutation ShippingDiscountCreate($discount: DiscountCodeFreeShippingInput!) {
  discountCodeFreeShippingCreate(freeShippingCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { code field message }
  }
}""",
    scopes=("write_discounts",),
)

CODES_ADD = Document(
    "CodesAdd",
    """
mutation CodesAdd($id: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) {
    bulkCreation { id done }
    userErrors { code field message }
  }
}""",
    scopes=("write_discounts",),
)

CODES_ADDED = Document(
    "CodesAdded",
    """
query CodesAdded($id: ID!) {
  discountRedeemCodeBulkCreation(id: $id) {
    done
    codes(first: 250) { nodes { code errors { code message } discountRedeemCode { id } } }
  }
}""",
    cost=260,
    scopes=("read_discounts",),
)

BULK_RUN = Document(
    "BulkRun",
    """
mutation BulkRun($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id status }
    userErrors { code field message }
  }
}""",
)

BULK_STATUS = Document(
    "BulkStatus",
    """
query BulkStatus($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount fileSize url partialDataUrl createdAt completedAt }
}""",
)

BULK_CANCEL = Document(
    "BulkCancel",
    """
mutation BulkCancel($id: ID!) {
  bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } }
}
""",
)

#: What a bulk operation runs; each is a document of its own for Shopify.
BULK_CUSTOMERS = Document(
    "BulkCustomers",
    f"""
{{ customers {{ edges {{ node {{ {_CUSTOMER} }} }} }} }}
""",
    scopes=("read_customers",),
)

BULK_ORDERS = Document(
    "BulkOrders",
    f"""
{{ orders {{ edges {{ node {{
  {_ORDER} customer {{ id }}
  lineItems {{ edges {{ node {{ id title quantity variant {{ id price }} product {{ id }} }} }} }}
}} }} }} }}
""",
    scopes=("read_orders",),
)

ALL = tuple(value for value in globals().values() if isinstance(value, Document))
