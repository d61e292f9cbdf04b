"""What SMSFlow writes into shops: consent to texts, tags, and discount codes.

Consent and tags go through an outbox that holds no messages but questions: "does Shopify know what is true of this
person here?" Each is answered from the state of that moment, so that nothing older ever goes out after something
newer, and doing it twice does no harm. Codes are made in advance and kept in pools.
"""

from __future__ import annotations


def register() -> None:
    """Be told what changes here, and say who may see what is written. Called when the app is ready."""
    from wagtail.permissions import register_permission_policy

    from smsflow_plugin.audience import outward
    from smsflow_plugin.engine import echoes as core_echoes
    from smsflow_plugin.integrations.shopify.writes import echoes, noting
    from smsflow_plugin.integrations.shopify.writes.models import CodePool, PoolCode, Write
    from smsflow_plugin.models import Delivery, Incentive
    from smsflow_plugin.stores.permissions import StorePermissionPolicy

    outward.watch(consents=noting.consents, tags=noting.tags)
    core_echoes.register(echoes.without)
    # who may see and replay what comes in may see and retry what goes out
    register_permission_policy(Write, StorePermissionPolicy(Write, auth_model=Delivery))
    for model in (CodePool, PoolCode):
        register_permission_policy(model, StorePermissionPolicy(model, auth_model=Incentive))
