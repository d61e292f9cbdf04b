"""What an open page asks for every few seconds: what is new in a conversation, and how many wait."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin.views.generic.base import BaseObjectMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.inbox.person import person_of
from smsflow_plugin.admin_panels.inbox.stream import THEM, Line, page_of
from smsflow_plugin.admin_panels.inbox.thread_page import head_context, open_thread, presence_words, stream_context
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.conversations import reading
from smsflow_plugin.engine import thread_actions
from smsflow_plugin.models import Thread


class NewsView(PermissionCheckedMixin, BaseObjectMixin, View):  # type: ignore[misc]
    """Says that the user is here, and answers with what has changed since ``stamp``.

    ``typing`` says that they write, ``reading`` that the page is in front of them: then nothing is unread any more.
    """

    http_method_names = ["post"]
    model = Thread
    any_permission_required = ["view", "change"]

    def get_object(self) -> Thread:
        return open_thread(self.request, self.pk)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        thread: Thread = self.object
        now = clock.now()
        reading.visit(thread, request.user, now, typing=bool(request.POST.get("typing")))
        if thread.unread and request.POST.get("reading") and may(request.user, "change", thread):
            thread_actions.MarkRead(thread, request.user).execute(skip_permission_checks=True)
        answer: dict[str, Any] = {
            "stamp": reading.stamp(thread),
            "presence": presence_words(reading.others_in(thread, request.user, now)),
        }
        if answer["stamp"] != request.POST.get("stamp"):
            answer.update(self._pieces(request, thread))
        response = JsonResponse(answer)
        patch_cache_control(response, no_store=True)
        return response

    def _pieces(self, request: HttpRequest, thread: Thread) -> dict[str, Any]:
        page = page_of(thread.contact, thread.store.timezone)
        head = head_context(request, thread)
        lines = stream_context(request, thread, page)
        aside = {"thread": thread, "contact": thread.contact, "person": person_of(thread, request.user)}
        return {
            "lines": render_to_string("smsflow/inbox/lines.html", lines, request=request),
            "head": render_to_string("smsflow/inbox/head.html", head, request=request),
            "notices": render_to_string("smsflow/inbox/notices.html", head, request=request),
            "person": render_to_string("smsflow/inbox/person.html", aside, request=request),
            "forbidden": bool(head["standing"].forbidden),
            "said": [[line.id, spoken(line, thread)] for line in page.lines if line.side == THEM],
        }


def spoken(line: Line, thread: Thread) -> str:
    """Return what a screen reader says of a text that has just come."""
    return _("%(contact)s wrote: %(words)s") % {"contact": thread.contact, "words": line.text}


class CountView(View):
    """How many conversations wait for the user: the number in the menu."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        allowed = policy_registry.get_by_type(Thread).user_has_any_permission(request.user, ["view", "change"])
        waiting = reading.waiting_for(request.user).count() if allowed else 0
        response = JsonResponse({"waiting": waiting})
        patch_cache_control(response, no_store=True)
        return response
