"""The form of copy: a text, what stands in for it, and both in other languages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from smsflow_plugin.flows.copy_block import MAX_COPY, CopyTextBlock

#: Languages that copy can be written in; the main text serves everybody else.
LANGUAGE_CHOICES = [
    ("en", _("English")),
    ("da", _("Danish")),
    ("de", _("German")),
    ("es", _("Spanish")),
    ("fi", _("Finnish")),
    ("fr", _("French")),
    ("it", _("Italian")),
    ("nb", _("Norwegian")),
    ("nl", _("Dutch")),
    ("pl", _("Polish")),
    ("pt", _("Portuguese")),
    ("sv", _("Swedish")),
]
MAX_EMAIL = 2000


def copy_block(**kwargs: Any) -> CopyTextBlock:
    return CopyTextBlock(max_length=MAX_COPY, **kwargs)


def mail_block(**kwargs: Any) -> CopyTextBlock:
    return CopyTextBlock(max_length=MAX_EMAIL, rows=6, kind="mail", **kwargs)


class TranslationBlock(blocks.StructBlock):
    """The same text for people who read another language."""

    language = blocks.ChoiceBlock(choices=LANGUAGE_CHOICES, label=_("Language"))
    text = copy_block(label=_("Text"))
    fallback = copy_block(required=False, label=_("If a value is missing"))

    class Meta:
        icon = "globe"
        label = _("Translation")
        label_format = "{language}: {text}"


def fallback_block() -> CopyTextBlock:
    return copy_block(
        required=False,
        label=_("Instead, if a value is missing"),
        help_text=_("Leave this empty to send nothing to people for whom a value is missing."),
    )


def translations_block(child: blocks.Block) -> blocks.ListBlock:
    return blocks.ListBlock(child, default=[], required=False, label=_("In other languages"))


class CopyBlock(blocks.StructBlock):
    """A text inside another step. An empty one is not sent."""

    text = copy_block(required=False, label=_("Text"))
    fallback = fallback_block()
    translations = translations_block(TranslationBlock())

    def bulk_to_python(self, values: Any) -> Any:
        # scripts and imports leave copy out that is not wanted
        return super().bulk_to_python([value if isinstance(value, dict) else {} for value in values])

    def to_python(self, value: Any) -> Any:
        return super().to_python(value if isinstance(value, dict) else {})

    class Meta:
        icon = "mail"
        label_format = "{text}"
        form_layout = blocks.BlockGroup(children=["text"], settings=["fallback", "translations"])


class EmailTranslationBlock(blocks.StructBlock):
    """The same e-mail for people who read another language."""

    language = blocks.ChoiceBlock(choices=LANGUAGE_CHOICES, label=_("Language"))
    subject = blocks.CharBlock(max_length=200, label=_("Subject"))
    body = mail_block(label=_("Text"))

    class Meta:
        icon = "globe"
        label = _("Translation")
        label_format = "{language}: {subject}"
