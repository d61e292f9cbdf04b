"""What the texts of a flow are called for people."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.flows.texts import Words
from smsflow_plugin.models import Flow

_LANGUAGES = dict(LANGUAGE_CHOICES)
_BRANCHES = {
    "yes": gettext_lazy("yes"),
    "no": gettext_lazy("no"),
    "options": gettext_lazy("answer"),
    "ranges": gettext_lazy("range"),
    "ways": gettext_lazy("way"),
    "otherwise": gettext_lazy("otherwise"),
    "other": gettext_lazy("another answer"),
    "silence": gettext_lazy("no answer"),
    "replied": gettext_lazy("an answer"),
    "happened": gettext_lazy("it happened"),
    "timed_out": gettext_lazy("time is up"),
    "failed": gettext_lazy("it failed"),
}
_PLACES = {
    "text": gettext_lazy("Text"),
    "fallback": gettext_lazy("Instead, if a value is missing"),
    "subject": gettext_lazy("Subject"),
    "body": gettext_lazy("Text"),
    "reply": gettext_lazy("Reply"),
    "again": gettext_lazy("If the answer makes no sense"),
    "options": gettext_lazy("Answer"),
    "ranges": gettext_lazy("Range"),
    "variants": gettext_lazy("Variant"),
    "yes": gettext_lazy("If yes"),
    "no": gettext_lazy("If no"),
}
#: Says nothing that the rest does not.
_SILENT = ("translations", "steps")


def step_heading(words: Words) -> str:
    """Return where the step stands and what it does: "3 › yes › 1, Send a text"."""
    block = Flow._meta.get_field("steps").stream_block.child_blocks.get(words.kind)
    return _("Step %(number)s, %(kind)s") % {"number": step_number(words.number), "kind": block.label if block else ""}


def step_number(number: str) -> str:
    """Return "3.yes.1" in words."""
    parts = [part for part in number.split(".") if part not in _SILENT]
    return " › ".join(str(_BRANCHES.get(part, part)) for part in parts)


def words_label(words: Words) -> str:
    """Return what one text of a step is: "Answer “A, yes” · Reply · Danish · Text"."""
    said: list[str] = []
    path = list(words.path)
    while path:
        part = path.pop(0)
        if part in ("options", "ranges", "variants") and path:
            said.append(_("%(what)s “%(name)s”") % {"what": _PLACES[part], "name": path.pop(0)})
        elif part == "translations" and path:
            language = path.pop(0)
            said.append(str(_LANGUAGES.get(language, language)))
        elif part not in _SILENT:
            said.append(str(_PLACES.get(part, part)))
    return " · ".join(said)
