"""What staff does in a conversation. Each is an action of the core; these views only ask for it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.views.generic.base import BaseObjectMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from smsflow_plugin.admin_panels.inbox.forms import AssignForm, BodyForm, NoteForm, SnoozeForm
from smsflow_plugin.admin_panels.inbox.listing import kept
from smsflow_plugin.admin_panels.inbox.thread_page import ThreadPage
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.engine import thread_actions
from smsflow_plugin.models import Thread


class ReplyView(ThreadPage):
    """Sends an answer. What was typed stays on the page when it is refused."""

    http_method_names = ["post"]
    permission_required = "change"
    any_permission_required = None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = BodyForm(request.POST)
        self.body_form = form
        if not form.is_valid() or not self._goes(form):
            return self._again()
        thread: Thread = self.object
        if "close" in request.POST and self._closes(form):
            return redirect(self.list_url)
        return redirect(_address(thread, request))

    def _goes(self, form: BodyForm) -> bool:
        said, thread, user = form.cleaned_data, self.object, self.request.user
        seen = None if "anyway" in self.request.POST else said["seen"] or 0
        action = thread_actions.ReplyInThread(thread, user, body=said["body"], key=str(said["key"]), seen=seen)
        try:
            action.execute(skip_permission_checks=True)
        except thread_actions.AnsweredMeanwhile as meanwhile:
            self.answered = meanwhile.answer
            return False
        except ValidationError as error:
            form.add_error(None, error)
            return False
        return True

    def _closes(self, form: BodyForm) -> bool:
        """Close the conversation as well, unless the person has written while the answer was."""
        thread, request = self.object, self.request
        action = thread_actions.CloseThread(thread, request.user, heard=form.cleaned_data["heard"])
        try:
            action.execute(skip_permission_checks=True)
        except ValidationError:
            sent = _("Sent to %(contact)s, who has written meanwhile: the conversation stays open.")
            messages.warning(request, sent % {"contact": thread})
            return False
        messages.success(request, _("Sent to %(contact)s; the conversation is closed.") % {"contact": thread})
        return True

    def _again(self) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data())
        return response


class NoteView(ThreadPage):
    """Writes a note that the person never sees."""

    http_method_names = ["post"]
    permission_required = "change"
    any_permission_required = None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.note_form = form = NoteForm(request.POST, auto_id="id_note_%s")
        if not form.is_valid():
            response: HttpResponse = self.render_to_response(self.get_context_data())
            return response
        body = form.cleaned_data["body"]
        thread_actions.AddNote(self.object, request.user, body=body).execute(skip_permission_checks=True)
        return redirect(_address(self.object, request))


class DeedView(PermissionCheckedMixin, BaseObjectMixin, View):  # type: ignore[misc]
    """Does one thing with a thread and comes back to its page, or to the list."""

    http_method_names = ["post"]
    model = Thread
    permission_required = "change"
    #: Whether the thread is done with, for now.
    leaves = False

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            said = self.do(self.object, request)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(_address(self.object, request))
        if said:
            messages.success(request, said)
        if self.leaves:
            query = kept(request)
            return redirect(reverse("smsflow_inbox:index") + (f"?{query}" if query else ""))
        return redirect(_address(self.object, request))

    def do(self, thread: Thread, request: HttpRequest) -> str:
        """Do it and return what to say of it.

        :raises ValidationError: with a sentence that says why not.
        """
        raise NotImplementedError


class AssignView(DeedView):
    def do(self, thread: Thread, request: HttpRequest) -> str:
        form = AssignForm(request.POST, thread=thread)
        if not form.is_valid():
            raise ValidationError(_("Choose somebody who may answer here."))
        to = form.cleaned_data["to"]
        thread_actions.AssignThread(thread, request.user, to=to).execute(skip_permission_checks=True)
        return ""


class SnoozeView(DeedView):
    leaves = True

    def do(self, thread: Thread, request: HttpRequest) -> str:
        form = SnoozeForm(request.POST, thread=thread)
        if not form.is_valid():
            raise ValidationError(form.non_field_errors() or [_("Say until when: a time that is still to come.")])
        until = form.cleaned_data["until"]
        heard = request.POST.get("heard")
        thread_actions.SnoozeThread(thread, request.user, until=until, heard=heard).execute(skip_permission_checks=True)
        return _("%(contact)s comes back when it is time, or when they write.") % {"contact": thread}


class CloseView(DeedView):
    leaves = True

    def do(self, thread: Thread, request: HttpRequest) -> str:
        heard = request.POST.get("heard")
        thread_actions.CloseThread(thread, request.user, heard=heard).execute(skip_permission_checks=True)
        return _("The conversation with %(contact)s is closed.") % {"contact": thread}


class ReopenView(DeedView):
    def do(self, thread: Thread, request: HttpRequest) -> str:
        thread_actions.ReopenThread(thread, request.user).execute(skip_permission_checks=True)
        return ""


class TakeOverView(DeedView):
    def do(self, thread: Thread, request: HttpRequest) -> str:
        thread_actions.TakeOver(thread, request.user).execute(skip_permission_checks=True)
        return ""


class HandBackView(DeedView):
    def do(self, thread: Thread, request: HttpRequest) -> str:
        thread_actions.HandBack(thread, request.user).execute(skip_permission_checks=True)
        return ""


class OptOutView(DeedView):
    """Records that the person wants no more texts. The page has asked whether that is meant."""

    def do(self, thread: Thread, request: HttpRequest) -> str:
        if not may(request.user, "change", thread.contact):
            raise PermissionDenied
        thread_actions.RecordThreadOptOut(thread, request.user).execute(skip_permission_checks=True)
        return _("%(contact)s gets no more texts of this store.") % {"contact": thread}


def _address(thread: Thread, request: HttpRequest) -> str:
    query = kept(request)
    address = reverse("smsflow_inbox:inspect", args=(thread.pk,))
    return f"{address}?{query}" if query else address
