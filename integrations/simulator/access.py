"""Who may play with the simulator, and where it exists at all."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from wagtail.permissions import policy_registry

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.models import Contact, Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


def stores_of(user: Any) -> Any:
    """Return the stores in which ``user`` may play: whoever may change the store."""
    return policy_registry.get_by_type(Store).instances_user_has_permission_for(user, "change")


# where a site wraps every request in a transaction, the shop's webhook would wait for the very request that sends it
@method_decorator(transaction.non_atomic_requests, name="dispatch")
class SimulatorView(View):
    """Exists only where the simulator is switched on, and only for stores and people of the user."""

    request: HttpRequest
    store: Store | None = None
    contact: Contact | None = None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if not smsflow_settings.SIMULATOR:
            raise Http404
        if "store_pk" in kwargs:
            self.store = get_object_or_404(stores_of(request.user), pk=kwargs["store_pk"])
        if "contact_pk" in kwargs:
            self.contact = get_object_or_404(self.people(), pk=kwargs["contact_pk"])

    def people(self) -> StoreScopedQuerySet:
        """The people of the store who have a phone."""
        people = Contact.objects.visible_to(self.request.user).filter(store=self.store, phone__isnull=False)
        return people.select_related("store")

    def page(self) -> str:
        """The address of the page that the user is on."""
        if self.store is None:
            return reverse("smsflow_simulator:index")
        if self.contact is None:
            return reverse("smsflow_simulator:store", args=[self.store.pk])
        return reverse("smsflow_simulator:person", args=[self.store.pk, self.contact.pk])
