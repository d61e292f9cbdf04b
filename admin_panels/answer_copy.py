"""The fields for copy that answers a text outside of any flow: a text, and the same in other languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, HelpPanel, MultiFieldPanel

from smsflow_plugin.admin_panels.flows.copy_situation import Situation
from smsflow_plugin.admin_panels.flows.copy_widget import copy_tools
from smsflow_plugin.flows.context import sample_context
from smsflow_plugin.flows.copy_block import MAX_COPY, CopyWidget
from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.flows.snippets import names_in
from smsflow_plugin.messaging.liquid import check_copy
from smsflow_plugin.models import Store

#: The field of the text that everybody gets whose language has none of its own.
MAIN = "reply_main"


def field_name(language: str) -> str:
    return f"reply_{language}" if language else MAIN


def copy_field(language: str = "", **options: Any) -> forms.CharField:
    widget = CopyWidget({"rows": 3}, language=language)
    return forms.CharField(required=False, max_length=MAX_COPY, widget=widget, **options)


#: One declared field for each language: panels know only what a form's class declares.
REPLY_FIELDS: dict[str, forms.Field] = {
    MAIN: copy_field(
        label=gettext_lazy("Answer"),
        help_text=gettext_lazy("For everybody whose language has no answer of its own. The brand is put in front."),
    ),
    **{field_name(code): copy_field(code, label=label) for code, label in LANGUAGE_CHOICES},
}


def reply_panels() -> list[Any]:
    """Return the panels of the answer: the text, and one for each other language."""
    return [
        FieldPanel(MAIN),
        MultiFieldPanel(
            [FieldPanel(field_name(code)) for code, _label in LANGUAGE_CHOICES],
            heading=gettext_lazy("In other languages"),
            classname="collapsed",
        ),
    ]


class ReplyFormMixin:
    """Reads and writes ``reply``, copy by language, and refuses what could not be filled in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.reply if isinstance(self.instance.reply, Mapping) else {}  # type: ignore[attr-defined]
        for language in languages():
            if field := self.fields.get(field_name(language)):  # type: ignore[attr-defined]
                field.initial = str(stored.get(language) or "")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()  # type: ignore[misc]
        for language in languages():
            name = field_name(language)
            if problem := copy_problem(cleaned.get(name) or ""):
                self.add_error(name, problem)  # type: ignore[attr-defined]
        translated = any((cleaned.get(field_name(code)) or "").strip() for code, _label in LANGUAGE_CHOICES)
        if translated and not (cleaned.get(MAIN) or "").strip() and MAIN not in self.errors:  # type: ignore[attr-defined]
            self.add_error(MAIN, _("Write the answer for everybody else as well."))  # type: ignore[attr-defined]
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.reply = self.replies()  # type: ignore[attr-defined]

    def replies(self) -> dict[str, str]:
        """Return the answer by language, "" for everybody else."""
        texts = {code: (self.cleaned_data.get(field_name(code)) or "").strip() for code in languages()}  # type: ignore[attr-defined]
        return {code: text for code, text in texts.items() if text}


def languages() -> list[str]:
    return ["", *(code for code, _label in LANGUAGE_CHOICES)]


def copy_problem(text: str) -> ValidationError | None:
    """Return what is wrong with copy that knows a person and a store, and nothing that has happened."""
    if names_in(text):
        return ValidationError(_("Snippets work in flows only: write the words themselves."))
    problems = check_copy(text, sample_context(()))
    if not problems:
        return None
    first = problems[0]
    where = {"line": first.line, "column": first.column, "message": first.message}
    return ValidationError(_("Line %(line)d, column %(column)d: %(message)s") % where if first.line else first.message)


class CopyToolsPanel(HelpPanel):  # type: ignore[misc]
    """The settings of the counters on the page; says what else is to be known about the answer."""

    def __init__(self, template: str = "smsflow/keywords/copy_help.html", **kwargs: Any) -> None:
        super().__init__(template=template, **kwargs)

    class BoundPanel(HelpPanel.BoundPanel):  # type: ignore[misc]
        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            store = self.instance.store if self.instance.store_id else only_store(self.form)
            context["tools"] = answer_tools(self.request, store)
            return context


def only_store(form: Any) -> Store | None:
    """Return the store of a form on which nothing can be chosen, None if somebody still has to."""
    field = form.fields.get("store") if form is not None else None
    stores = list(field.queryset[:2]) if field is not None else []
    return stores[0] if len(stores) == 1 else None


def answer_tools(request: HttpRequest, store: Store | None) -> dict[str, Any]:
    return copy_tools(request, Situation(store, marketing=False, answer=True))
