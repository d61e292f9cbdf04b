"""Ready segments above the list: what each means, and the button that makes it the store's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.admin import messages

from smsflow_plugin.admin_panels.scoping import may, number
from smsflow_plugin.flows.ready_segments import READY, take_over
from smsflow_plugin.models import Segment, Store


@dataclass(frozen=True, slots=True)
class Card:
    """A ready segment, and the stores of one person that do not have it yet."""

    key: str
    name: str | Promise
    description: str | Promise
    stores: tuple[Store, ...]
    #: Whether the person has several stores, so that the store must be named.
    several: bool


def cards(user: Any) -> list[Card]:
    """Return the ready segments that ``user`` may take over somewhere. Two queries."""
    stores = [store for store in Store.objects.visible_to(user) if may(user, "add", Segment(store=store))]
    if not stores:
        return []
    names = [str(ready.name) for ready in READY.values()]
    had = set(Segment.objects.filter(store__in=stores, name__in=names).values_list("store_id", "name"))
    found = [
        Card(
            key,
            ready.name,
            ready.description,
            tuple(store for store in stores if (store.pk, str(ready.name)) not in had),
            len(stores) > 1,
        )
        for key, ready in READY.items()
    ]
    return [card for card in found if card.stores]


class TakeOverView(View):
    """Makes a ready segment one of a store's own, and leads to it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        if key not in READY:
            raise Http404
        store = Store.objects.visible_to(request.user).filter(pk=number(request.POST.get("store", ""))).first()
        if store is None:
            raise Http404
        if not may(request.user, "add", Segment(store=store)):
            raise PermissionDenied
        segment = take_over(key, store)
        messages.success(
            request, _("“%(segment)s” is now a segment of %(store)s.") % {"segment": segment, "store": store}
        )
        return redirect(reverse("smsflow_segments:inspect", args=[segment.pk]))
