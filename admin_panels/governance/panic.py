"""The panic switch: a page that asks once more, and the banner on every page while it is pressed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages

from smsflow_plugin.admin_panels.governance.pages import PolicyPage, open_stop
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.waiting import waiting
from smsflow_plugin.engine.releasing import ReleasePanic
from smsflow_plugin.governance.actions import PressPanic
from smsflow_plugin.models import Message, Policy, Store


class PanicForm(forms.Form):
    """Why. Others will ask."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Everybody who works with the texts sees this."),
    )


class PanicView(PolicyPage, FormView):  # type: ignore[type-arg]
    """Stops all texts, or lets them go again: whichever is possible now."""

    form_class = PanicForm
    template_name = "smsflow/governance/panic.html"
    header_icon = "warning"

    def allowed(self) -> bool:
        return self.may("publish" if open_stop(self.object) else "change")

    def get_page_title(self) -> str:
        return _("Let texts go again") if open_stop(self.object) else _("Stop all texts")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waiting = Message.objects.filter(state=Message.State.QUEUED)
        if self.object.store_id:
            waiting = waiting.filter(store_id=self.object.store_id)
        return super().get_context_data(stop=open_stop(self.object), waiting=waiting.count(), **kwargs)

    def form_valid(self, form: PanicForm) -> HttpResponse:
        user, policy = self.request.user, self.object
        # what the page offered, not what is possible by now: of two who press at once nobody releases by it
        if "release" in self.request.POST:
            ReleasePanic(policy, user).execute()
            messages.success(self.request, _("Texts go again, as the rules allow."))
        else:
            PressPanic(policy, user, reason=form.cleaned_data["reason"]).execute()
        return redirect(self.policy_url)


def _policy_of(store: Store | None) -> Policy | None:
    """Return the policy of a store, of the site without one."""
    if store is None:
        return Policy.objects.filter(store=None).first()
    return getattr(store, "policy", None)


def warn_of_stops(request: HttpRequest) -> None:
    """Say on the page that is about to be shown which texts are stopped."""
    from smsflow_plugin.admin_panels.governance.pages import home_url, stops_over
    from smsflow_plugin.models import PanicStop

    if not waiting(request).of(PanicStop):
        return
    for stop in stops_over(request.user):
        if stop.store is None:
            sentence = _("All texts of all stores are stopped.")
        else:
            sentence = _("All texts of %(store)s are stopped.") % {"store": stop.store}
        if stop.reason:
            sentence += " " + _("Why: %(reason)s") % {"reason": stop.reason}
        policy = _policy_of(stop.store)
        seen = policy is not None and any(may(request.user, action, policy) for action in ("view", "change"))
        buttons = [messages.button(home_url(request.user, policy), _("Governance"))] if policy and seen else []
        messages.error(request, conditional_escape(sentence), buttons=buttons)
