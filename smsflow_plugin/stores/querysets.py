"""Querysets that know the store wall: start every query for a person with ``visible_to``."""

from __future__ import annotations

from typing import Any

from django.db import models

ANY_ACTION = ("add", "change", "delete", "publish", "view")


class StoreScopedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows that belong to one store through their column ``store``."""

    store_column = "store_id"

    def visible_to(self, user: Any) -> StoreScopedQuerySet:
        """Return the rows of stores in which ``user`` may do anything at all with this model."""
        from wagtail.permissions import policy_registry

        return policy_registry.get_by_type(self.model).scope(self, user)


class StoreQuerySet(StoreScopedQuerySet):
    """Stores themselves."""

    store_column = "pk"
