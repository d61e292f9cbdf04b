"""The page of one conversation: what was said, who it is, and where the answer is written."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.views.generic import InspectView

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.inbox.forms import BodyForm, NoteForm, SnoozeForm, newest
from smsflow_plugin.admin_panels.inbox.listing import found, kept, rows_of
from smsflow_plugin.admin_panels.inbox.person import person_of
from smsflow_plugin.admin_panels.inbox.standing import Standing, standing_of
from smsflow_plugin.admin_panels.inbox.stream import Page, moment, page_of
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.conversations import reading
from smsflow_plugin.engine.staff_texts import why_not_go_on
from smsflow_plugin.engine.thread_actions import assignable, heard_mark
from smsflow_plugin.measurement.entry import Cursor
from smsflow_plugin.messaging.parts import tables
from smsflow_plugin.models import Delivery, Message, Thread

#: Conversations beside the open one.
RAIL = 30


def open_thread(request: HttpRequest, pk: Any) -> Thread:
    """Return the thread with everything that its page shows of it."""
    rows = Thread.objects.visible_to(request.user).select_related("store", "contact__store", "assigned_to")
    thread: Thread = rows.get(pk=pk)
    return thread


class ThreadPage(InspectView):  # type: ignore[misc]
    any_permission_required = ["view", "change"]
    template_name = "smsflow/inbox/thread.html"
    page_title = gettext_lazy("Conversation")
    note_form: NoteForm | None = None
    body_form: BodyForm | None = None
    #: A text of somebody else that this user has not seen, and is asked about.
    answered: Message | None = None

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Thread:
        return open_thread(self.request, self.pk)

    def get_fields_context(self) -> list[Any]:
        return []

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": self.list_url, "label": _("Inbox")},
            {"url": "", "label": str(self.object)},
        ]

    @cached_property
    def header_more_buttons(self) -> list[Any]:
        return []

    @cached_property
    def kept(self) -> str:
        return kept(self.request)

    @property
    def list_url(self) -> str:
        return reverse("smsflow_inbox:index") + (f"?{self.kept}" if self.kept else "")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        thread: Thread = self.object
        # first: what changes while the rest is read is then asked for again
        stamp = reading.stamp(thread)
        context.update(
            stream_context(self.request, thread, page_of(thread.contact, thread.store.timezone)),
            **self._composer(thread),
            **head_context(self.request, thread),
            rail=rows_of(list(found(self.request)[:RAIL]), self.kept),
            person=person_of(thread, self.request.user),
            presence=presence_words(reading.others_in(thread, self.request.user, clock.now())),
            stamp=stamp,
            list_url=self.list_url,
            query=self.kept,
            media=context.get("media", Media()) + _MEDIA,
            tables=tables(),
        )
        return context

    def _composer(self, thread: Thread) -> dict[str, Any]:
        writing = self.body_form or BodyForm(initial={"key": uuid.uuid4(), "seen": newest(thread)})
        return {
            "body_form": writing,
            "note_form": self.note_form or NoteForm(auto_id="id_note_%s"),
            "snooze_form": SnoozeForm(thread=thread, auto_id="id_snooze_%s"),
            "noting": self.note_form is not None,
            "answered": self.answered,
            "answered_by": reading.name_of(self.answered.author) if self.answered else "",
        }


def stream_context(request: HttpRequest, thread: Thread, page: Page) -> dict[str, Any]:
    """Return what the lines of a conversation need in their template."""
    return {
        "thread": thread,
        "lines": page.lines,
        "earlier": page.earlier,
        "may_see_messages": may(request.user, "view", Message(store=thread.store)),
        "may_see_deliveries": may(request.user, "view", Delivery(store=thread.store)),
    }


def head_context(request: HttpRequest, thread: Thread) -> dict[str, Any]:
    """Return what the head of the page needs: who looks after it, what can be done, what forbids an answer."""
    contact = thread.contact
    may_change = may(request.user, "change", thread)
    return {
        "thread": thread,
        "contact": contact,
        "initials": rows_of([thread], "")[0].initials,
        "snoozed_until": _told(thread.snoozed_until, thread),
        "flows_wait_until": _told(thread.hand_back_at, thread),
        "may_change": may_change,
        "mine": thread.assigned_to_id == request.user.pk,
        "assigned": reading.name_of(thread.assigned_to) if thread.assigned_to else "",
        "colleagues": [(user.pk, reading.name_of(user)) for user in assignable(thread)] if may_change else [],
        "may_opt_out": may(request.user, "change", contact) and not contact.erased_at,
        "opted_out": contact.service_consent == contact.Consent.REVOKED,
        "heard": heard_mark(thread),
        "standing": _standing(thread),
    }


def _standing(thread: Thread) -> Standing:
    standing = standing_of(thread.contact, thread.heard_at, clock.now())
    return standing if standing.forbidden else replace(standing, forbidden=why_not_go_on(thread))


def _told(at: datetime | None, thread: Thread) -> str:
    return moment(at, thread.store.timezone) if at else ""


def presence_words(others: list[reading.Visitor]) -> str:
    """Return who else is here, in one sentence; empty when nobody is."""
    if not others:
        return ""
    first, *rest = others
    if first.typing:
        return _("%(name)s is writing an answer.") % {"name": first.name}
    if rest:
        names = ", ".join(visitor.name for visitor in others)
        return _("Also looking at this: %(names)s.") % {"names": names}
    return _("%(name)s is looking at this.") % {"name": first.name}


_MEDIA = Media(
    css={"all": ["smsflow/admin.css", "smsflow/inbox.css"]},
    js=["smsflow/parts.js", "smsflow/inbox-thread.js", "smsflow/inbox-composer.js", "smsflow/inbox-keys.js"],
)


class _Piece(InspectView):  # type: ignore[misc]
    """A piece of the page, fetched by its scripts."""

    any_permission_required = ["view", "change"]

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Thread:
        return open_thread(self.request, self.pk)

    def get_fields_context(self) -> list[Any]:
        return []


class RailView(_Piece):
    """The conversations beside the open one, as they are now."""

    template_name = "smsflow/inbox/rail.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rows = rows_of(list(found(request)[:RAIL]), kept(request))
        response: HttpResponse = self.render_to_response({"rail": rows, "thread": self.object})
        return response


class EarlierView(_Piece):
    """The lines before a place."""

    template_name = "smsflow/inbox/lines.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            before = Cursor.parse(request.GET.get("before", ""))
        except (ValueError, OverflowError):
            return redirect("smsflow_inbox:inspect", self.object.pk)
        thread = self.object
        page = page_of(thread.contact, thread.store.timezone, before=before)
        response: HttpResponse = self.render_to_response(stream_context(request, thread, page))
        return response
