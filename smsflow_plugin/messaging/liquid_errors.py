"""Says in our own words, and in the reader's language, what the Liquid library complains about."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.utils.translation import gettext as _

_CURLY = "‘’‚‛“”„‟«»´`"
_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def explain_syntax(detail: str) -> str:
    """Return a sentence for the library's ``detail`` about copy that cannot be parsed."""
    for pattern, sentence in _SYNTAX:
        if found := re.search(pattern, detail):
            return sentence(found)
    return _("This cannot be understood. Look at the braces, colons and quotation marks here.")


def explain_value(detail: str) -> str:
    """Return a sentence for the library's ``detail`` about data that a filter cannot work with."""
    if "divide by 0" in detail or "modulo by 0" in detail:
        return _("A number cannot be divided by 0.")
    if found := re.match(r"(\w+?)_?\(\) missing", detail):
        return _("The filter “%(name)s” needs a value behind a colon.") % {"name": found[1]}
    if found := re.match(r"(\w+)[ :(]", detail):
        return _("“%(name)s” cannot work with this value.") % {"name": found[1]}
    return _("This text cannot be filled in with this person's data.")


def find_culprit(source: str, detail: str, parse: Callable[[str], str]) -> int:
    """Return where in ``source`` the markup stands that the library complains about; -1 if nowhere in particular.

    The library gives no position for what ends too early. ``parse`` returns its complaint
    about one piece of markup, "" if there is none.
    """
    if found := re.search(r"expected tag end(\w+)", detail):
        opened = list(re.finditer(rf"\{{%-?\s*{found[1]}\b", source))
        return opened[-1].start() if opened else -1
    for markup in _MARKUP.finditer(source):
        if parse(markup[0]) == detail:
            return markup.start()
    return -1


def _unexpected_tag(found: re.Match[str]) -> str:
    name = found[1]
    if name.startswith("end") or name in ("else", "elsif", "when"):
        return _("“%(tag)s” belongs to nothing here.") % {"tag": f"{{% {name} %}}"}
    return _("“%(tag)s” cannot be used in a text.") % {"tag": f"{{% {name} %}}"}


def _unexpected_character(found: re.Match[str]) -> str:
    character = found[1]
    if character in _CURLY:
        return _("Write straight quotation marks (') instead of %(character)s.") % {"character": character}
    if character in "'\"":
        return _("This quotation mark is not closed.")
    return _("“%(character)s” cannot stand here.") % {"character": character}


# The library's words come from its version 2; what it says otherwise gets the general sentence.
_SYNTAX: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"expected '}}', found", lambda found: _("This is not closed. Write }} behind the name.")),
    (r"missing tag name or closing delimiter", lambda found: _("This tag is not closed. Write %} at its end.")),
    (
        r"expected tag (\w+), found",
        lambda found: _("“%(tag)s” is missing at the end.") % {"tag": f"{{% {found[1]} %}}"},
    ),
    (
        r"(\w+) tag was never closed",
        lambda found: _("“%(tag)s” is missing at the end.") % {"tag": f"{{% end{found[1]} %}}"},
    ),
    (r"unexpected tag '(\w+)'", _unexpected_tag),
    (r"missing expression", lambda found: _("A condition is missing here.")),
    (r"expected word, found", lambda found: _("The name of a filter is missing behind “|”.")),
    (r"expected a primitive expression", lambda found: _("A name is missing here.")),
    (r"expected an identifier|path segment", lambda found: _("This name is not complete.")),
    (
        r"expected end of expression, found '='",
        lambda found: _("Write two equals signs (==) to compare."),
    ),
    (
        r"expected end of expression, found",
        lambda found: _("This was not expected here: a “|” or a colon may be missing in front of it."),
    ),
    (r"""unexpected ['"](.)['"]""", _unexpected_character),
)
