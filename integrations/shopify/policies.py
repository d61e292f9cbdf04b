"""Who may see what of the adapter's own rows."""

from __future__ import annotations

from wagtail.permissions import register_permission_policy

from smsflow_plugin.integrations.shopify.kept import (
    AnonymousCart,
    PixelEvent,
    PrivacyRequest,
    Question,
    StockItem,
    Visitor,
)
from smsflow_plugin.models import Contact
from smsflow_plugin.stores.permissions import StorePermissionPolicy


def register() -> None:
    """What is kept about people is for those who may see the store's people."""
    for model in (AnonymousCart, PixelEvent, PrivacyRequest, Question, StockItem, Visitor):
        register_permission_policy(model, StorePermissionPolicy(model, auth_model=Contact))
