"""Confine every view that a viewset builds to the objects which the user may see.

A permission policy alone does not do that: Wagtail's generic views ask it about the
model, not about the instance, and list everything. What belongs to another store
must be a 404, so that nobody learns that it exists.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.views import View
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.permissions import policy_registry
from wagtail.snippets.views.chooser import SnippetChooserViewSet

from smsflow_plugin.models import Store
from smsflow_plugin.stores.querysets import ANY_ACTION


def visible(user: Any, model: type[Model]) -> QuerySet[Any]:
    """Return the objects of ``model`` in stores where ``user`` may do anything with them."""
    return policy_registry.get_by_type(model).instances_user_has_any_permission_for(user, ANY_ACTION)


def may(user: Any, action: str, instance: Model) -> bool:
    """Return whether ``user`` may do ``action`` in the store of ``instance``, which need not be saved."""
    policy = policy_registry.get(instance)
    return bool(policy.user_has_permission_for_instance(user, action, instance))


def number(text: str) -> int | None:
    """Return an id that somebody has sent, None if it cannot be one: not every digit is one to ``int``."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


class InstancePolicy:
    """Answers the generic views' model-level questions for one instance."""

    def __init__(self, policy: Any, instance: Model) -> None:
        self.policy = policy
        self.instance = instance

    def __getattr__(self, name: str) -> Any:
        return getattr(self.policy, name)

    def user_has_permission(self, user: Any, action: str) -> bool:
        return bool(self.policy.user_has_permission_for_instance(user, action, self.instance))

    def user_has_any_permission(self, user: Any, actions: Any) -> bool:
        return bool(self.policy.user_has_any_permission_for_instance(user, actions, self.instance))


class ScopedViewMixin:
    """Outermost base of every generated view."""

    model: type[Model]
    #: What is read along with the one object that the address names.
    read_along: ClassVar[tuple[str, ...]] = ()
    request: HttpRequest

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        if "pk" in kwargs and request.user.is_authenticated:
            rows = visible(request.user, self.model)
            if self.read_along:
                rows = rows.select_related(*self.read_along)
            instance = rows.filter(pk=unquote(str(kwargs["pk"]))).first()
            if instance is None:
                raise Http404
            if getattr(self, "permission_required", None) != "add":
                self.permission_policy = InstancePolicy(policy_registry.get_by_type(self.model), instance)
        super().setup(request, *args, **kwargs)  # type: ignore[misc]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        if request.method == "GET" and self._shows_messages(response):
            from smsflow_plugin.admin_panels.governance.panic import warn_of_stops

            # the page is drawn after this
            warn_of_stops(request)
        return response

    def _shows_messages(self, response: HttpResponseBase) -> bool:
        """Return whether the answer is a whole page of the admin: in a piece of one nobody would see a message."""
        whole = isinstance(self, WagtailAdminTemplateMixin) and not getattr(self, "results_only", False)
        return whole and isinstance(response, TemplateResponse) and not response.is_rendered

    def get_base_queryset(self) -> QuerySet[Any]:
        # listings and their export; on the store column itself, as search backends refuse a pk subquery
        policy = policy_registry.get_by_type(self.model)
        queryset: QuerySet[Any] = policy.scope(super().get_base_queryset(), self.request.user)  # type: ignore[misc]
        return queryset


class ScopedChooserMixin:
    """The same for choosers, which ask no policy at all."""

    model_class: type[Model]
    request: HttpRequest

    def get_object_list(self) -> QuerySet[Any]:
        return visible(self.request.user, self.model_class)

    def get_object(self, pk: Any) -> Model:
        instance: Model = visible(self.request.user, self.model_class).get(pk=pk)
        return instance

    def get_objects(self, pks: Any) -> QuerySet[Any]:
        return visible(self.request.user, self.model_class).filter(pk__in=pks)


class ScopedViewSetMixin:
    """Put first among a viewset's bases: every view is built by ``construct_view``."""

    view_mixin: type = ScopedViewMixin

    def construct_view(self, view_class: type[View], **kwargs: Any) -> Any:
        scoped = type(view_class.__name__, (self.view_mixin, view_class), {})
        return super().construct_view(scoped, **kwargs)  # type: ignore[misc]


class ScopedSnippetChooserViewSet(ScopedViewSetMixin, SnippetChooserViewSet):  # type: ignore[misc]
    view_mixin = ScopedChooserMixin


class StoreScopedForm(WagtailAdminModelForm):  # type: ignore[misc]
    """Offers only the user's own stores, and never moves an object to another one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "store" not in self.fields:
            return
        if self.for_user is None:
            raise ImproperlyConfigured("A form with a store needs to know for whom it is (for_user).")
        if self.instance.pk is None:
            policy = policy_registry.get_by_type(self._meta.model)
            stores = Store.objects.visible_to(self.for_user)
            allowed = [
                store.pk
                for store in stores
                if policy.user_has_permission_for_instance(self.for_user, "add", self._meta.model(store=store))
            ]
            self.fields["store"].queryset = stores.filter(pk__in=allowed)
            self.fields["store"].empty_label = None if len(allowed) == 1 else self.fields["store"].empty_label
        else:
            del self.fields["store"]
