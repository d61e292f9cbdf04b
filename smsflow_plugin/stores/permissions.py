"""Rights per store: a Django group is a role, a membership gives it in one store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from wagtail.permission_policies.base import BaseDjangoAuthPermissionPolicy

from smsflow_plugin.stores.querysets import ANY_ACTION


class StorePermissionPolicy(BaseDjangoAuthPermissionPolicy):
    """Grants what the user's role in the instance's store allows.

    A permission that the user holds outside any store applies to every store.
    """

    permission_cache_name = "_smsflow_store_permissions"

    def __init__(
        self, model: type[Model], store_column: str = "store_id", *, auth_model: type[Model] | None = None
    ) -> None:
        """``auth_model``: whose rights count, where a model has none of its own."""
        super().__init__(model, auth_model)
        self.store_column = store_column

    @property
    def _content_type(self) -> ContentType:
        # Wagtail keeps it for the life of the process; the types' own cache knows when a flush made it stale
        return ContentType.objects.get_for_model(self.auth_model)

    def get_all_permissions_for_user(self, user: Any) -> set[tuple[int, int, str]]:
        """Return the user's ``(store id, content type id, codename)`` grants, for all models."""
        return set(
            user.store_memberships.values_list(
                "store_id", "role__permissions__content_type_id", "role__permissions__codename"
            )
        )

    def user_has_permission(self, user: Any, action: str) -> bool:
        return self.user_has_any_permission(user, [action])

    def user_has_any_permission(self, user: Any, actions: Iterable[str]) -> bool:
        if not (user.is_active and user.is_authenticated):
            return False
        return self._has_global_permission(user, actions) or bool(self._store_ids(user, actions))

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Model) -> bool:
        return self.user_has_any_permission_for_instance(user, [action], instance)

    def user_has_any_permission_for_instance(self, user: Any, actions: Iterable[str], instance: Model) -> bool:
        if not (user.is_active and user.is_authenticated):
            return False
        return self._has_global_permission(user, actions) or (
            getattr(instance, self.store_column) in self._store_ids(user, actions)
        )

    def scope(self, queryset: QuerySet[Any], user: Any, actions: Iterable[str] = ANY_ACTION) -> QuerySet[Any]:
        """Narrow ``queryset`` to the stores in which ``user`` may do any of ``actions``."""
        if not (user.is_active and user.is_authenticated):
            return queryset.none()
        if self._has_global_permission(user, actions):
            return queryset
        return queryset.filter(**{f"{self.store_column}__in": self._store_ids(user, actions)})

    def stores_for(self, user: Any, actions: Iterable[str]) -> set[int] | None:
        """Return the ids of the stores in which ``user`` may do any of ``actions``; None stands for all there are."""
        if not (user.is_active and user.is_authenticated):
            return set()
        return None if self._has_global_permission(user, actions) else self._store_ids(user, actions)

    def instances_user_has_any_permission_for(self, user: Any, actions: Iterable[str]) -> QuerySet[Any]:
        return self.scope(self.model._default_manager.all(), user, actions)

    def instances_user_has_permission_for(self, user: Any, action: str) -> QuerySet[Any]:
        return self.instances_user_has_any_permission_for(user, [action])

    def users_with_any_permission(self, actions: Iterable[str]) -> QuerySet[Any]:
        return self._users(actions)

    def users_with_any_permission_for_instance(self, actions: Iterable[str], instance: Model) -> QuerySet[Any]:
        return self._users(actions, store_memberships__store_id=getattr(instance, self.store_column))

    def _users(self, actions: Iterable[str], **in_store: Any) -> QuerySet[Any]:
        permissions = self._get_permission_objects_for_actions(actions)
        return (
            get_user_model()
            .objects.filter(
                Q(is_superuser=True)
                | Q(user_permissions__in=permissions)
                | Q(groups__permissions__in=permissions)
                | Q(store_memberships__role__permissions__in=permissions, **in_store),
                is_active=True,
            )
            .distinct()
        )

    def _has_global_permission(self, user: Any, actions: Iterable[str]) -> bool:
        return any(user.has_perm(self._get_permission_name(action)) for action in actions)

    def _store_ids(self, user: Any, actions: Iterable[str]) -> set[int]:
        codenames = self._get_permission_codenames(actions)
        return {
            store_id
            for store_id, content_type_id, codename in self.get_cached_permissions_for_user(user)
            if content_type_id == self._content_type.pk and codename in codenames
        }


def register_policies() -> None:
    """Register the policy for every model that hangs on a store. Called when the app is ready."""
    from wagtail.permissions import register_permission_policy

    from smsflow_plugin import models

    register_permission_policy(models.Store, StorePermissionPolicy(models.Store, "pk"))
    # why a text was or wasn't sent is for those who may see the texts
    for model in (models.Decision, models.UnsentDay):
        register_permission_policy(model, StorePermissionPolicy(model, auth_model=models.Message))
    # what people write is part of what is known about them
    reviews = StorePermissionPolicy(models.ReplyReview, auth_model=models.Contact)
    register_permission_policy(models.ReplyReview, reviews)
    # what stands in a conversation is for those who may see the conversation
    for model in (models.ThreadNote, models.ThreadVisitor):
        register_permission_policy(model, StorePermissionPolicy(model, auth_model=models.Thread))
    # figures of the list and of the texts are seen together
    for model in (models.ExperimentStanding, models.ReportReader, models.StoreStat):
        register_permission_policy(model, StorePermissionPolicy(model, auth_model=models.FlowStat))
    for model in (
        models.Autoresponder,
        models.Batch,
        models.BreakerTrip,
        models.CannedReply,
        models.Connection,
        models.Contact,
        models.ContactDate,
        models.CopySnippet,
        models.ConsentRecord,
        models.Delivery,
        models.DisclosureVersion,
        models.Effect,
        models.Enrollment,
        models.Event,
        models.Flow,
        models.FlowDay,
        models.FlowStat,
        models.FlowVersion,
        models.Identity,
        models.Incentive,
        models.Intake,
        models.Interest,
        models.Keyword,
        models.Message,
        models.OptInAttempt,
        models.OptInForm,
        models.OptInPause,
        models.OwnerAlarm,
        models.PanicStop,
        models.Policy,
        models.PolicyVersion,
        models.Segment,
        models.Sender,
        models.StaffNotice,
        models.SpendDay,
        models.StoreMembership,
        models.Suppression,
        models.TestNumber,
        models.Thread,
        models.Variant,
    ):
        register_permission_policy(model, StorePermissionPolicy(model))
