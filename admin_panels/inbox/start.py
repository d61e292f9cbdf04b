"""Staff writes first: a conversation with somebody who has agreed to texts."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.inbox.forms import BodyForm
from smsflow_plugin.admin_panels.inbox.standing import Standing, standing_of
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.engine import staff_texts, thread_actions
from smsflow_plugin.models import Contact, Thread


class StartView(ObjectFormView):
    model = Contact
    form_class = BodyForm
    any_permission_required = ["view", "change"]
    page_title = gettext_lazy("Write a text")
    template_name = "smsflow/inbox/start.html"
    submit_button_label = gettext_lazy("Send")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_start(request.user, self.object):
            raise PermissionDenied
        thread = Thread.objects.filter(contact=self.object).first()
        if thread is not None and request.method == "GET" and may(request.user, "view", thread):
            return redirect("smsflow_inbox:inspect", thread.pk)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_initial(self) -> dict[str, Any]:
        return {"key": uuid.uuid4()}

    def form_valid(self, form: BodyForm) -> HttpResponse:
        said = form.cleaned_data
        action = thread_actions.StartConversation(
            self.object, self.request.user, body=said["body"], key=str(said["key"])
        )
        try:
            # the right was asked for above: it is the thread's, which there need not be yet
            action.execute(skip_permission_checks=True)
        except ValidationError as error:
            form.add_error(None, error)
            response: HttpResponse = self.form_invalid(form)
            return response
        return redirect("smsflow_inbox:inspect", Thread.objects.get(contact=self.object).pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context.update(
            standing=_standing(self.object),
            media=Media(css={"all": ["smsflow/admin.css", "smsflow/inbox.css"]}),
        )
        return context


def _standing(contact: Contact) -> Standing:
    """Return what keeps staff from writing to somebody who may not have asked."""
    standing = standing_of(contact, None, clock.now())
    if standing.forbidden:
        return standing
    try:
        staff_texts.check_may_start(contact)
    except ValidationError as error:
        return Standing(" ".join(error.messages))
    return standing


def may_start(user: Any, contact: Contact) -> bool:
    """Return whether ``user`` may start a conversation in the store of ``contact``."""
    return may(user, "add", Thread(store=contact.store))
