"""Words that staff uses often, filled in for the person that they go to."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View
from wagtail.admin.views.generic.base import BaseObjectMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from smsflow_plugin.admin_panels.inbox.thread_page import open_thread
from smsflow_plugin.flows.context import CONTACT_FIELDS, copy_context
from smsflow_plugin.messaging.copy import CopyError, MissingValue, render
from smsflow_plugin.models import CannedReply, Contact, Thread


class CannedView(PermissionCheckedMixin, BaseObjectMixin, View):  # type: ignore[misc]
    http_method_names = ["get"]
    model = Thread
    permission_required = "change"

    def get_object(self) -> Thread:
        return open_thread(self.request, self.pk)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return JsonResponse({"replies": canned_for(self.object.contact)})


def canned_for(contact: Contact) -> list[dict[str, str]]:
    """Return the store's canned replies for this person: in their language, else in none in particular.

    One that speaks of something that is not known of the person is left out: nobody could send it as it is.
    """
    language = contact.language or contact.store.language
    base = language.replace("_", "-").partition("-")[0]
    rows = list(CannedReply.objects.filter(store=contact.store_id))
    best: dict[str, CannedReply] = {}
    for wanted in ("", base, language):
        best.update({row.name: row for row in rows if row.language == wanted})
    context = _context(contact)
    filled = [(name, _filled(row, context, language)) for name, row in sorted(best.items())]
    return [{"name": name, "body": body} for name, body in filled if body]


def _context(contact: Contact) -> dict[str, Any]:
    store = contact.store
    known = {name: getattr(contact, name) for name in CONTACT_FIELDS}
    place = {"name": store.name, "brand": store.brand, "url": store.website}
    return copy_context({**known, "fields": contact.fields}, place, {})


def _filled(row: CannedReply, context: dict[str, Any], language: str) -> str:
    try:
        return render(row.body, context, language=language).text.strip()
    except (CopyError, MissingValue):
        return ""
