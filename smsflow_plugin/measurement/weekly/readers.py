"""Who gets the weekly report of a store, and what of it they may see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import compress
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Exists, OuterRef, Q, Value

from smsflow_plugin.measurement.models import ReportReader
from smsflow_plugin.stores.models import Store, StoreMembership

#: What somebody needs to get the report at all.
FIGURES = "view_flowstat"
#: What somebody needs to read of what waits: of breakers, calls, replies, deliveries and prices.
BREAKERS, CALLS, REPLIES, DELIVERIES, RULES = SEEN = (
    "view_breakertrip", "view_batch", "view_contact", "view_delivery", "view_policy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who gets the report of one store. ``sees`` are those of ``SEEN`` that they have in it."""

    store_id: int
    user_id: int
    email: str
    language: str
    sees: frozenset[str]


def wanted() -> Exists:
    """Return whether anybody at all wants the report of a store, for a query of stores."""
    return Exists(ReportReader.objects.filter(store=OuterRef("pk")))


def readers_of(store_ids: Collection[int]) -> list[Reader]:
    """Return who has asked for the reports of these stores and may still see their figures. Two statements."""
    ids = {codename: pk for pk, codename in _permissions().values_list("pk", "codename")}
    rights = {f"may_{name}": _may(ids.get(name)) for name in (FIGURES, *SEEN)}
    rows = (
        ReportReader.objects.filter(store_id__in=store_ids, user__is_active=True)
        .exclude(user__email="")
        .annotate(**rights)
        .filter(**{f"may_{FIGURES}": True})
        .order_by("store_id", "user_id")
        .values_list(
            "store_id",
            "user_id",
            "user__email",
            "user__wagtail_userprofile__preferred_language",
            *(f"may_{name}" for name in SEEN),
        )
    )
    return [
        Reader(store_id, user_id, email, language or "", frozenset(compress(SEEN, seen)))
        for store_id, user_id, email, language, *seen in rows
    ]


def reader(user: Any, store: Store) -> Reader:
    """Return somebody who looks at the report now, whether or not they have asked for it every week.

    The caller has asked whether they may see the store's figures.
    """
    profile = getattr(user, "wagtail_userprofile", None)
    held = set(
        StoreMembership.objects.filter(user=user, store=store, role__permissions__content_type__app_label="smsflow")
        .order_by()
        .values_list("role__permissions__codename", flat=True)
    )
    sees = frozenset(name for name in SEEN if name in held or user.has_perm(f"smsflow.{name}"))
    return Reader(store.pk, user.pk, user.email, profile.preferred_language if profile else "", sees)


def _permissions() -> Any:
    return Permission.objects.filter(content_type__app_label="smsflow", codename__in=(FIGURES, *SEEN))


def _may(permission: int | None) -> Any:
    """Return whether the reader has a right in the store: by their role there, or everywhere."""
    if permission is None:
        return Exists(StoreMembership.objects.none())
    role = StoreMembership.objects.filter(
        user=OuterRef("user"), store=OuterRef("store"), role__permissions=Value(permission)
    )
    group = Group.objects.filter(user=OuterRef("user"), permissions=Value(permission))
    own = Permission.objects.filter(pk=permission, user=OuterRef("user"))
    return Q(user__is_superuser=True) | Q(Exists(role)) | Q(Exists(group)) | Q(Exists(own))
