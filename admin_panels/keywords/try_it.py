"""Who would take a text? Asks what routes real ones, and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.keywords.forms import flow_url
from smsflow_plugin.admin_panels.listing import own_stores
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.audience.replies import fold, read_reply
from smsflow_plugin.conversations.keyword_table import FlowWords, as_line, flow_words, lines_of
from smsflow_plugin.conversations.routing import By, Known, Route, Text, Why, in_office, route
from smsflow_plugin.engine.inbound import KEYWORDS
from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.messaging.copy import in_language
from smsflow_plugin.models import Autoresponder, Keyword, Store


class TryForm(forms.Form):
    store = forms.ModelChoiceField(label=gettext_lazy("Store"), queryset=Store.objects.none(), empty_label=None)
    text = forms.CharField(
        label=gettext_lazy("Text"), max_length=500, help_text=gettext_lazy("As a person would write it.")
    )
    language = forms.ChoiceField(
        label=gettext_lazy("The person's language"),
        required=False,
        choices=[("", gettext_lazy("The store's")), *LANGUAGE_CHOICES],
    )

    def __init__(self, *args: Any, stores: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page says. ``link`` leads to who takes the text."""

    verdict: str
    why: str = ""
    reply: str = ""
    link: str = ""
    link_words: str = ""


def ask(store: Store, text: str, language: str, user: Any) -> Answer:
    """Say who would take ``text`` of somebody who was asked no question. Three queries."""
    reading = read_reply(text, language or store.language, store.language)
    keyword = KEYWORDS[reading.verdict]
    lines, flows = lines_of(store.pk), flow_words([store.pk])
    responder = Autoresponder.objects.filter(store=store, active=True).first()
    said = fold(text)
    taken = route(
        Text(text, clock.now(), keyword=keyword.value if keyword else None),
        Known(
            keywords=[as_line(line) for line in lines],
            named=[own.flow.pk for own in flows if said and said in {fold(word) for word in own.words}],
            any_text=[own.flow.pk for own in flows if own.any_text],
            responds=responder is not None and bool(responder.reply),
            in_office=responder is not None and _in_office(responder, store),
        ),
    )
    if taken.by == By.KEYWORD:
        return _of_line(
            next(line for line in lines if line.pk == taken.keyword), taken, language or store.language, user
        )
    if taken.by in (By.FLOW, By.ANY_TEXT):
        return _of_flow(next(own for own in flows if own.flow.pk == taken.flows[0]), taken, user)
    if taken.by == By.AUTORESPONDER and responder is not None:
        reply = in_language(responder.reply, language or store.language)
        url = reverse("smsflow_autoresponders:edit", args=[responder.pk]) if may(user, "change", responder) else ""
        return Answer(
            _("The autoresponder answers, and the text goes to the inbox."), "", reply, url, _("Autoresponder")
        )
    return Answer(_verdict(taken), reading.because if keyword else "")


def _in_office(responder: Autoresponder, store: Store) -> bool:
    hours = responder.office_hours
    return isinstance(hours, dict) and in_office(hours, clock.now().astimezone(ZoneInfo(store.timezone)))


def _verdict(taken: Route) -> str:
    if taken.by == By.INBOX and taken.why == Why.OFFICE_HOURS:
        return _("It goes to the inbox without an answer: these are office hours.")
    return {
        By.STOP: _("It is an opt-out. The person gets no more texts of this store."),
        By.HELP: _("It asks for help. The person gets the store's help text."),
        By.START: _("It is an opt-in. The person is asked for nothing else."),
        By.UNCLEAR: _(
            "It may be an opt-out: it goes to “Unclear replies”, and marketing stops until somebody has read it."
        ),
    }.get(taken.by, _("Nothing takes it: it goes to the inbox."))


def _of_line(line: Keyword, taken: Route, language: str, user: Any) -> Answer:
    url = reverse("smsflow_keywords:edit", args=[line.pk]) if may(user, "change", line) else ""
    reply = in_language(line.reply, language) if isinstance(line.reply, dict) else ""
    verdict = _("A line of the keyword table takes it, by the word “%(word)s”.") % {"word": taken.word}
    return Answer(verdict, str(line.get_match_display()), reply, url, str(line))


def _of_flow(own: FlowWords, taken: Route, user: Any) -> Answer:
    if taken.by == By.FLOW:
        verdict = _("The flow “%(flow)s” starts: it names the word.") % {"flow": own.flow}
    else:
        verdict = _("The flow “%(flow)s” starts: it takes any text.") % {"flow": own.flow}
    return Answer(verdict, "", "", flow_url(user, own.flow), str(own.flow))


class TryItView(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    """A form that asks by its address, so that an answer can be sent to somebody."""

    model = Keyword
    any_permission_required = ["add", "change", "delete", "view"]
    template_name = "smsflow/keywords/try_it.html"
    page_title = gettext_lazy("Try it")
    header_icon = "comment"
    request: HttpRequest

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("smsflow_keywords:index"), "label": _("Keywords")},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        policy = policy_registry.get_by_type(Keyword)
        stores = [
            store.pk
            for store in own_stores(self.request)
            if policy.user_has_any_permission_for_instance(
                self.request.user, self.any_permission_required, Keyword(store=store)
            )
        ]
        asked = "text" in self.request.GET
        form = TryForm(self.request.GET if asked else None, stores=own_stores(self.request).filter(pk__in=stores))
        context["form"] = form
        if asked and form.is_valid():
            cleaned = form.cleaned_data
            context["text"] = cleaned["text"]
            context["answer"] = ask(cleaned["store"], cleaned["text"], cleaned["language"], self.request.user)
        return context
