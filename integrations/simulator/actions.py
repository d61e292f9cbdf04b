"""The simulator's buttons: what each does when it is pressed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from wagtail.admin import messages

from smsflow_plugin.integrations.simulator import fast_forward
from smsflow_plugin.integrations.simulator.access import SimulatorView
from smsflow_plugin.integrations.simulator.forms import NewPersonForm, ReplyForm
from smsflow_plugin.integrations.simulator.network.client import NetworkUnavailable
from smsflow_plugin.integrations.simulator.people import new_customer
from smsflow_plugin.integrations.simulator.phone import reply
from smsflow_plugin.integrations.simulator.shop import Answer, SiteUnreachable
from smsflow_plugin.integrations.simulator.shopping import DOINGS, NotPossible, Visit, shop_of
from smsflow_plugin.integrations.simulator.views import StoreView
from smsflow_plugin.integrations.simulator.words import advice, network_down, site_down
from smsflow_plugin.models import Contact, Store


class ActionView(SimulatorView):
    """A button: does something, says what came of it, and goes back to the page."""

    http_method_names = ["post"]
    store: Store

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return attempt(self, self.act)

    def act(self) -> None:
        """Do what the button says.

        :raises NotPossible, SiteUnreachable, NetworkUnavailable: which the user is told.
        """
        raise NotImplementedError


def attempt(view: SimulatorView, act: Callable[[], None]) -> HttpResponse:
    """Run ``act``, tell the user if it failed, and return to the page."""
    try:
        act()
    except NotPossible as error:
        messages.warning(view.request, str(error))
    except SiteUnreachable as error:
        messages.error(view.request, site_down(error))
    except NetworkUnavailable as error:
        messages.error(view.request, network_down(error))
    return redirect(view.page())


def tell(view: SimulatorView, answers: list[Answer]) -> None:
    """Say what the shop sent, and what the site answered."""
    sent = ", ".join(f"{answer.topic} ({answer.status})" for answer in answers)
    words = {"shop": view.store, "sent": sent}
    if all(answer.ok for answer in answers):
        text = _("The shop of %(shop)s sent %(sent)s. The site has taken it; what follows shows here in a moment.")
        messages.success(view.request, text % words)
        return
    text = _("The shop of %(shop)s sent %(sent)s, and the site refused the last: %(advice)s")
    messages.error(view.request, text % {**words, "advice": advice(answers[-1])})


class DoView(ActionView):
    """The chosen person does something in the shop."""

    contact: Contact

    def act(self) -> None:
        doing = DOINGS.get(self.kwargs["doing"])
        if doing is None:
            raise Http404
        said = {name: str(value) for name, value in self.request.POST.items()}
        tell(self, doing.do(Visit(shop_of(self.store), self.contact, said)))


class ReplyView(ActionView):
    """The chosen person answers on the phone."""

    contact: Contact

    def act(self) -> None:
        form = ReplyForm(self.request.POST)
        if not form.is_valid():
            raise NotPossible(_("Type a text before you send it; it can have up to 1600 characters."))
        reply(self.contact, form.cleaned_data["body"])


class ForwardView(ActionView):
    """The time moves on, for everybody."""

    def act(self) -> None:
        what = ""
        match self.kwargs["how"]:
            case "hour":
                now = fast_forward.forward(timedelta(hours=1))
            case "day":
                now = fast_forward.forward(timedelta(days=1))
            case "next":
                people = self.people().filter(pk=self.contact.pk) if self.contact else self.people()
                thing = fast_forward.next_thing(people)
                if thing is None:
                    raise NotPossible(_("Nothing waits for a time, so there is nothing to go forward to."))
                now, what = fast_forward.forward_to(thing.at), thing.what
            case _other:
                raise Http404
        time = date_format(now.astimezone(ZoneInfo(self.store.timezone)), "DATETIME_FORMAT")
        words = {"time": time, "zone": self.store.timezone, "what": what}
        text = _("It is now %(time)s in %(zone)s: %(what)s.") if what else _("It is now %(time)s in %(zone)s.")
        messages.success(self.request, text % words)


class NewPersonView(StoreView):
    """Somebody new opens an account in the shop."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = NewPersonForm(request.POST, store=self.store)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(new_person_form=form))
        return attempt(self, partial(self.open_account, **form.cleaned_data))

    def open_account(self, *, first_name: str, last_name: str, phone: str, agrees: bool) -> None:
        shop = shop_of(self.store)
        customer = new_customer(self.store, first_name=first_name, last_name=last_name, phone=phone)
        answers = shop.new_customer(customer)
        if agrees and all(answer.ok for answer in answers):
            answers += shop.consents(customer, subscribed=True)
        tell(self, answers)
