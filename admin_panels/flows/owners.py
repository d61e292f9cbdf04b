"""Who can answer for a flow: the people of its store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from smsflow_plugin.models import Flow, StoreMembership


class OwnerFormMixin:
    """Offers as the owner who has a role in the flow's store; before that is chosen, in one of the user's own."""

    fields: dict[str, Any]
    instance: Flow
    for_user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "owner" not in self.fields:
            return
        stores: Iterable[Any] = [self.instance.store_id]
        if "store" in self.fields:
            stores = self.fields["store"].queryset.values("pk")
        self.fields["owner"].queryset = people_of(stores, keep=self.instance.owner_id)

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]
        owner, store = self.cleaned_data.get("owner"), self.cleaned_data.get("store")  # type: ignore[attr-defined]
        if owner and store and not StoreMembership.objects.filter(user=owner, store=store).exists():
            self.add_error("owner", _("This person does not work in the store that you chose."))  # type: ignore[attr-defined]
        return cleaned


def people_of(stores: Iterable[Any], *, keep: int | None = None) -> QuerySet[Any]:
    """Return who has a role in one of these stores, and whoever is the owner already."""
    members = StoreMembership.objects.filter(store__in=stores).values("user")
    return get_user_model().objects.filter(Q(pk__in=members, is_active=True) | Q(pk=keep)).order_by("username")
