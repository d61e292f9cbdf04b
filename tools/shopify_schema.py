"""Cut the stand-in Shopify's schema out of Shopify's published one: the fields below, with all their arguments.

    python tools/shopify_schema.py path/to/admin_2026-10.json.gz

reads the introspection (from the npm package @shopify/dev-mcp, ISC licence) and writes SDL. Types of arguments come
whole, with everything that they need, so that a wrong input is as wrong here as at Shopify. A field that is not listed
does not exist in the stand-in: name it here, give it a resolver, and run this again.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

from graphql import (
    DirectiveLocation,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_client_schema,
    get_named_type,
    print_schema,
    specified_directives,
)

TOP = Path(__file__).resolve().parent.parent
TARGET = TOP / "integrations" / "simulator" / "shopify_api" / "admin_2026_10.graphql"
FIXTURE = "../shared/fixtures/shopify/admin_2026-10.json.gz"

HEADER = """\
# Part of Shopify's Admin GraphQL schema, API version 2026-10: what the stand-in Shopify answers.
# Source: the introspection published in the npm package @shopify/dev-mcp 1.16.0, ISC licence, copyright Shopify Inc.
# Cut out by tools/shopify_schema.py; do not edit by hand.

"""

PAGE = "edges nodes pageInfo"
EDGE = "cursor node"
DISCOUNT = (
    "appliesOncePerCustomer asyncUsageCount codes codesCount createdAt endsAt startsAt status summary title updatedAt"
    " usageLimit"
)
KEEP = {
    "QueryRoot": "abandonedCheckouts bulkOperation bulkOperations codeDiscountNode codeDiscountNodeByCode"
    " currentAppInstallation currentBulkOperation customer customerByIdentifier customers customersCount"
    " discountRedeemCodeBulkCreation inventoryItem locations node nodes order orders ordersCount product productVariant"
    " productVariants products shop webPixel webhookSubscription webhookSubscriptions webhookSubscriptionsCount",
    "Mutation": "appUninstall bulkOperationCancel bulkOperationRunQuery customerCreate"
    " customerSmsMarketingConsentUpdate customerUpdate discountCodeBasicCreate discountCodeDeactivate"
    " discountCodeFreeShippingCreate discountRedeemCodeBulkAdd metafieldsSet tagsAdd tagsRemove webPixelCreate"
    " webPixelUpdate webhookSubscriptionCreate webhookSubscriptionDelete webhookSubscriptionUpdate",
    "AbandonedCheckout": "abandonedCheckoutUrl completedAt createdAt customer defaultCursor discountCodes id lineItems"
    " name note shippingAddress subtotalPriceSet totalDiscountSet totalLineItemsPriceSet totalPriceSet updatedAt",
    "AbandonedCheckoutLineItem": "id originalUnitPriceSet product quantity sku title variant variantTitle",
    "AccessScope": "handle description",
    "ApiVersion": "displayName handle supported",
    "App": "apiKey handle id title",
    "AppInstallation": "accessScopes app id",
    "AppUninstallPayload": "app userErrors",
    "BulkOperation": "completedAt createdAt errorCode fileSize id objectCount partialDataUrl query rootObjectCount"
    " status type url",
    "Count": "count precision",
    "Customer": "amountSpent createdAt defaultAddress defaultEmailAddress defaultPhoneNumber displayName email"
    " firstName id lastName lastOrder legacyResourceId locale metafield note numberOfOrders orders phone"
    " smsMarketingConsent state tags updatedAt verifiedEmail",
    "CustomerEmailAddress": "emailAddress marketingState",
    "CustomerPhoneNumber": "marketingCollectedFrom marketingOptInLevel marketingState marketingUpdatedAt phoneNumber"
    " smsMarketingConsent",
    "CustomerSmsMarketingConsent": "collectedFrom optInLevel state updatedAt",
    "CustomerSmsMarketingConsentState": "consentCollectedFrom consentUpdatedAt marketingOptInLevel marketingState",
    "DiscountCodeNode": "codeDiscount id",
    "DiscountCodeBasic": DISCOUNT,
    "DiscountCodeFreeShipping": DISCOUNT,
    "DiscountRedeemCode": "asyncUsageCount code id",
    "DiscountRedeemCodeBulkCreation": "codes codesCount createdAt discountCode done failedCount id importedCount",
    "DiscountRedeemCodeBulkCreationCode": "code discountRedeemCode errors",
    "Domain": "host id url",
    "InventoryItem": "createdAt id inventoryLevel inventoryLevels legacyResourceId requiresShipping sku tracked"
    " updatedAt variant variants",
    "InventoryLevel": "id isActive item location quantities updatedAt",
    "InventoryQuantity": "id name quantity updatedAt",
    "LineItem": "currentQuantity discountedTotalSet discountedUnitPriceSet id name originalTotalSet"
    " originalUnitPriceSet product quantity sku title variant variantTitle vendor",
    "Location": "id isActive legacyResourceId name",
    "MailingAddress": "address1 city country countryCodeV2 firstName id lastName name phone province provinceCode"
    " timeZone zip",
    "Metafield": "compareDigest createdAt id key legacyResourceId namespace type updatedAt value",
    "MoneyBag": "presentmentMoney shopMoney",
    "MoneyV2": "amount currencyCode",
    "Order": "billingAddress cancelReason cancelledAt cartToken checkoutToken closed closedAt confirmed createdAt"
    " currencyCode currentTotalPriceSet customer customerLocale discountCode discountCodes displayFinancialStatus"
    " displayFulfillmentStatus email fulfillments fullyPaid id legacyResourceId lineItems name note number phone"
    " processedAt refunds shippingAddress sourceName statusPageUrl subtotalPriceSet tags test totalDiscountsSet"
    " totalPriceSet totalRefundedSet totalShippingPriceSet unpaid updatedAt",
    "Fulfillment": "createdAt displayStatus id name status trackingInfo updatedAt deliveredAt estimatedDeliveryAt",
    "FulfillmentTrackingInfo": "company number url",
    "Refund": "createdAt id note totalRefundedSet updatedAt",
    "PageInfo": "endCursor hasNextPage hasPreviousPage startCursor",
    "Product": "createdAt handle id legacyResourceId onlineStoreUrl productType publishedAt status tags title"
    " totalInventory updatedAt variants vendor",
    "ProductVariant": "availableForSale compareAtPrice createdAt displayName id inventoryItem inventoryPolicy"
    " inventoryQuantity legacyResourceId position price product sellableOnlineQuantity sku title updatedAt",
    "Shop": "contactEmail createdAt currencyCode email ianaTimezone id name myshopifyDomain plan primaryDomain"
    " shopOwnerName url",
    "ShopPlan": "partnerDevelopment publicDisplayName shopifyPlus",
    "WebPixel": "id settings",
    "WebhookSubscription": "apiVersion callbackUrl createdAt filter format id includeFields legacyResourceId"
    " metafieldNamespaces name topic updatedAt uri",
    # interfaces and unions come with those of their members that are kept
    "Node": "id",
    "DisplayableError": "field message",
}
#: Connections, payloads and errors are kept whole as far as their types are kept.
WHOLE = ("Payload", "UserError", "Error")


class Cut:
    """Marks what stays, then copies it."""

    def __init__(self, full: GraphQLSchema) -> None:
        self.full = full
        self.fields: dict[str, set[str]] = {name: set(text.split()) for name, text in KEEP.items()}
        self.types: set[str] = set()
        self.todo = ["QueryRoot", "Mutation", *KEEP]

    def kept(self, kind: Any) -> set[str]:
        """Return the fields of an object or interface that stay."""
        if kind.name in self.fields:
            unknown = self.fields[kind.name] - set(kind.fields)
            if unknown:
                raise SystemExit(f"{kind.name} has no {', '.join(sorted(unknown))}.")
            return self.fields[kind.name]
        if kind.name.endswith("Connection"):
            return set(PAGE.split()) & set(kind.fields)
        if kind.name.endswith("Edge"):
            return set(EDGE.split())
        if kind.name.endswith(WHOLE):
            return {name for name, field in kind.fields.items() if self.known(field)}
        return set()

    def known(self, field: GraphQLField) -> bool:
        named = get_named_type(field.type)
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return True
        return named.name in KEEP or named.name.endswith(WHOLE)

    def mark(self) -> None:
        while self.todo:
            name = self.todo.pop()
            if name in self.types:
                continue
            self.types.add(name)
            kind = self.full.type_map[name]
            if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
                for field in (kind.fields[one] for one in self.kept(kind)):
                    self.todo += [get_named_type(field.type).name]
                    self.todo += [get_named_type(argument.type).name for argument in field.args.values()]
            elif isinstance(kind, GraphQLInputObjectType):
                self.todo += [get_named_type(field.type).name for field in kind.fields.values()]

    def apply(self) -> GraphQLSchema:
        """Take everything else away, in place."""
        self.mark()
        for name in self.types:
            self._trim(self.full.type_map[name])
        query, mutation = self.full.type_map["QueryRoot"], self.full.type_map["Mutation"]
        assert isinstance(query, GraphQLObjectType) and isinstance(mutation, GraphQLObjectType)
        extra = [self.full.type_map[name] for name in sorted(self.types)]
        directives = [self._bare(directive) for directive in self.full.directives if directive.name == "idempotent"]
        return GraphQLSchema(query, mutation, types=extra, directives=[*specified_directives, *directives])

    def _bare(self, directive: GraphQLDirective) -> GraphQLDirective:
        return GraphQLDirective(directive.name, [DirectiveLocation.FIELD], directive.args)

    def _trim(self, kind: GraphQLNamedType) -> None:
        kind.description = None
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            keep = self.kept(kind)
            kept = {name: field for name, field in kind.fields.items() if name in keep}
            for field in kept.values():
                _quiet(field)
                for argument in field.args.values():
                    _quiet(argument)
            interfaces = [one for one in kind.interfaces if one.name in self.types]
            kind.__dict__["fields"], kind.__dict__["interfaces"] = kept, tuple(interfaces)
        elif isinstance(kind, GraphQLUnionType):
            kind.__dict__["types"] = tuple(one for one in kind.types if one.name in self.types)
        elif isinstance(kind, GraphQLInputObjectType):
            for value in kind.fields.values():
                _quiet(value)
        elif isinstance(kind, GraphQLEnumType):
            for choice in kind.values.values():
                _quiet(choice)


def _quiet(thing: Any) -> None:
    """Keep that something is deprecated, not the story why."""
    thing.description = None
    if thing.deprecation_reason:
        thing.deprecation_reason = "No longer supported"


def load(path: Path) -> GraphQLSchema:
    """Read a published introspection."""
    with gzip.open(path) as stream:
        return build_client_schema(json.load(stream)["data"], assume_valid=True)


def cut_out(path: Path) -> str:
    """Return what the stand-in needs of a published introspection, as SDL."""
    return HEADER + print_schema(Cut(load(path)).apply()) + "\n"


def default_source() -> Path:
    return Path(os.environ.get("SMSFLOW_SHOPIFY_SCHEMA") or TOP / FIXTURE)


def main(arguments: list[str]) -> int:
    source = Path(arguments[0]) if arguments else default_source()
    text = cut_out(source)
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.relative_to(TOP)}: {len(text.encode()) // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
