"""Takes out of texts what no phone should get: control characters and tricks with direction. Pure: no Django."""

from __future__ import annotations

import re

_BREAKS = re.compile("[ \t]*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+[ \t]*")
# Controls, direction overrides (they can turn a link around) and halves of surrogate pairs.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SUSPECT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean_value(text: str) -> str:
    """Return a value as one line of plain text."""
    if not _SUSPECT.search(text):
        return text
    return _UNWANTED.sub("", _BREAKS.sub(" ", text).replace("\t", " "))


def clean_literal(text: str) -> str:
    """Return what a person typed, with plain line breaks."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
