"""The form of a line of the keyword table."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.answer_copy import MAIN, REPLY_FIELDS, ReplyFormMixin
from smsflow_plugin.admin_panels.scoping import StoreScopedForm, may
from smsflow_plugin.admin_panels.signup.forms import ListField
from smsflow_plugin.audience.replies import fold, reserved
from smsflow_plugin.conversations.keyword_table import Taken, taken_words
from smsflow_plugin.models import Flow, Keyword, Store

MAX_WORD = 40
#: Words in so short a line are in nearly every text.
SHORTEST_ANYWHERE = 3


def flow_url(user: Any, flow: Flow) -> str:
    """Return the address of a flow that the user may open, "" if they may not."""
    if not (may(user, "change", flow) or may(user, "reword", flow)):
        return ""
    return reverse(flow.snippet_viewset.get_url_name("edit"), args=[flow.pk])


class FlowChoice(forms.ModelChoiceField):
    """Flows with what they are: a draft starts nobody."""

    def label_from_instance(self, flow: Flow) -> str:
        return f"{flow.name} ({flow.store.name}, {Flow.State(flow.state).label})"


class KeywordForm(ReplyFormMixin, StoreScopedForm):
    """Takes words that nobody else has, and lines that do something."""

    words = ListField(
        label=gettext_lazy("Words"),
        widget=forms.TextInput,
        help_text=gettext_lazy(
            "With commas between them: hours, opening hours. Capitals and accents do not matter. "
            "STOP, HELP, START and the like cannot be used in any language."
        ),
    )
    match = forms.ChoiceField(
        label=gettext_lazy("How it is compared"),
        choices=Keyword.Match.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("If several lines fit, whole texts come first, then beginnings, then words inside."),
    )
    flow = FlowChoice(
        label=gettext_lazy("Flow that it starts"),
        queryset=Flow.objects.none(),
        required=False,
        help_text=gettext_lazy("A draft and a paused flow take nobody until they are live."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        flows = Flow.objects.visible_to(self.for_user).select_related("store").order_by("store__name", "name")
        if self.instance.pk:
            flows = flows.filter(store=self.instance.store_id)
        self.fields["flow"].queryset = flows

    def clean_words(self) -> list[str]:
        words: list[str] = self.cleaned_data["words"]
        seen: set[str] = set()
        for word in words:
            folded = fold(word)
            if len(word) > MAX_WORD:
                raise ValidationError(_("“%(word)s” is too long.") % {"word": word[:MAX_WORD]})
            if not folded:
                raise ValidationError(_("“%(word)s” has no letters and no digits.") % {"word": word})
            if reserved(word):
                raise ValidationError(_("“%(word)s” always means opting in or out, or help.") % {"word": word})
            if folded in seen:
                raise ValidationError(_("“%(word)s” stands here twice.") % {"word": word})
            seen.add(folded)
        return words

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        store = cleaned.get("store") or (self.instance.store if self.instance.store_id else None)
        if store is not None:
            self._check_flow(store, cleaned)
            self._check_taken(store, cleaned)
        short = [word for word in cleaned.get("words") or () if len(fold(word)) < SHORTEST_ANYWHERE]
        if short and cleaned.get("match") == Keyword.Match.ANYWHERE:
            self.add_error("words", _("“%(word)s” is too short to be looked for anywhere.") % {"word": short[0]})
        if not self.errors and not self._does_something(cleaned):
            self.add_error(
                None, _("The line does nothing yet: give it an answer, a tag, a flow, or let it reach the inbox.")
            )
        return cleaned

    def _does_something(self, cleaned: dict[str, Any]) -> bool:
        return any(
            (str(cleaned.get(MAIN) or "").strip(), cleaned.get("tag"), cleaned.get("flow"), cleaned.get("tell_staff"))
        )

    def _check_flow(self, store: Store, cleaned: dict[str, Any]) -> None:
        flow = cleaned.get("flow")
        if flow is not None and flow.store_id != store.pk:
            self.add_error("flow", _("This flow belongs to another store."))

    def _check_taken(self, store: Store, cleaned: dict[str, Any]) -> None:
        words, match = cleaned.get("words") or (), cleaned.get("match")
        if not words or not match:
            return
        for taken in taken_words(store.pk, words, match, without=self.instance.pk):
            self.add_error("words", ValidationError(self._whose(taken)))

    def _whose(self, taken: Taken) -> str:
        if taken.flow is not None:
            url, name = flow_url(self.for_user, taken.flow), str(taken.flow)
            sentence = _("“{word}” starts the flow {owner}.")
        else:
            url, name = reverse("smsflow_keywords:edit", args=[taken.line.pk]), str(taken.line)  # type: ignore[union-attr]
            sentence = _("“{word}” stands in another line: {owner}.")
        owner = format_html('<a href="{}">{}</a>', url, name) if url else f"“{name}”"
        return format_html(sentence, word=taken.word, owner=owner)


# one declared field for each language: panels know only what a form's class declares
KeywordForm = type("KeywordForm", (KeywordForm,), dict(REPLY_FIELDS))  # type: ignore[misc]
