"""What is written into shops: the outbox, what the store wants of it, and the stock of discount codes.

Only where Shopify's app is installed: ``installed`` is asked before anything of this package is imported.
"""

from __future__ import annotations

from django.apps import apps


def installed() -> bool:
    return apps.is_installed("smsflow_plugin.integrations.shopify")
