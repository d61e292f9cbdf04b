"""The list of keywords: the store's own lines, and below them the words of its live flows, only to be seen."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.keywords.forms import flow_url
from smsflow_plugin.admin_panels.listing import ListView, StoreFilterSet, own_stores
from smsflow_plugin.audience.replies import fold
from smsflow_plugin.conversations.keyword_table import FlowWords, flow_words
from smsflow_plugin.models import Flow, Keyword


class KeywordFilterSet(StoreFilterSet):
    class Meta:
        model = Keyword
        fields = ["store", "active"]


class FlowLine:
    """A live flow that names words, as a line of the table that is changed in the flow."""

    pk = None
    active = True

    def __init__(self, words: FlowWords) -> None:
        self.flow = words.flow
        self.store = words.flow.store
        self.words = words.words

    def __str__(self) -> str:
        return ", ".join(self.words)

    def get_match_display(self) -> str:
        return str(Keyword.Match.WHOLE.label)


Line = Keyword | FlowLine


def what_happens(line: Line) -> str:
    """Say what somebody gets who texts the word."""
    if isinstance(line, FlowLine):
        return _("Starts the flow “%(flow)s”; its words are changed there.") % {"flow": line.flow}
    done = []
    if line.reply:
        text = next((str(text) for text in (line.reply.get(""), *line.reply.values()) if text), "")
        done.append(_("Answers “%(text)s”") % {"text": text if len(text) <= 60 else f"{text[:59]}…"})
    if line.tag:
        done.append(_("gives the tag “%(tag)s”") % {"tag": line.tag})
    if line.flow:
        words = {"flow": line.flow, "state": Flow.State(line.flow.state).label}
        done.append(
            _("starts the flow “%(flow)s”") % words if line.flow.live else _("flow “%(flow)s” (%(state)s)") % words
        )
    if line.tell_staff:
        done.append(_("goes to the inbox"))
    sentence = ", ".join(done) or _("Nothing any more: its flow was deleted.")
    return sentence[:1].upper() + sentence[1:]


class KeywordListView(ListView):
    any_permission_required = ["add", "change", "delete", "view"]
    template_name = "smsflow/keywords/index.html"
    select_related = ("store", "flow")
    default_ordering = ("store__name", "position", "pk")

    @cached_property
    def flow_lines(self) -> list[FlowLine]:
        """The words of live flows that the filters and the search leave, on the first page."""
        asked = self.request.GET
        if asked.get(self.page_kwarg, "1") != "1" or asked.get("active") == "false":
            return []
        stores = {store.pk for store in own_stores(self.request)}
        if asked.get("store"):
            stores &= {int(asked["store"])} if asked["store"].isdecimal() and len(asked["store"]) < 19 else set()
        visible = set(Flow.objects.visible_to(self.request.user).filter(store__in=stores).values_list("pk", flat=True))
        said = fold(self.search_query or "")
        lines = [FlowLine(own) for own in flow_words(stores) if own.words and own.flow.pk in visible]
        return [line for line in lines if said in fold(f"{line} {line.flow}")]

    def get_edit_url(self, instance: Line) -> str | None:
        if isinstance(instance, FlowLine):
            return flow_url(self.request.user, instance.flow) or None
        return super().get_edit_url(instance)

    def get_table(self, object_list: Any) -> Any:
        return super().get_table([*object_list, *self.flow_lines])

    @cached_property
    def header_buttons(self) -> list[Any]:
        return [
            *super().header_buttons,
            HeaderButton(_("Try it"), url=reverse("smsflow_keywords:try_it"), icon_name="comment"),
            HeaderButton(_("Autoresponder"), url=reverse("smsflow_autoresponders:index"), icon_name="mail"),
        ]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["items_count"] += len(self.flow_lines)
        context["object_list"] = [*context["object_list"], *self.flow_lines]
        return context
