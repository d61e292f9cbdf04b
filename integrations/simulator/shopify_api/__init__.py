"""A Shopify on this machine that executes Admin GraphQL against Shopify's own schema. Plain Python and graphql-core.

It is a vendor, not a part of SMSFlow: it has its own memory and its own reading of the API. It answers behind the
phone network's address, under ``/shopify/{shop}/…``, and takes orders under ``/_shops/…``.
"""

from smsflow_plugin.integrations.simulator.shopify_api.serving import RunningShop, running_shop
from smsflow_plugin.integrations.simulator.shopify_api.world import ALL_SCOPES, Shops

__all__ = ["ALL_SCOPES", "RunningShop", "Shops", "running_shop"]
