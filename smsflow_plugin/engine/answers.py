"""What a person's answer to a question means. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from smsflow_plugin.audience.replies import fold
from smsflow_plugin.flows.program import Choice

# neither half of a date, a time, a decimal or "7/10"
_NUMBER = re.compile(r"(?<![\w.,:/-])(?<![:/]\s)-?\d{1,6}(?![\d])(?!\s*[:/]\s*\d)(?![.,]\d)")


def understand(body: str, choices: Sequence[Choice]) -> tuple[Choice, str] | None:
    """Return the choice that ``body`` means and the value to remember, or None.

    Words are compared folded, with the whole answer first and then with its first word: "B",
    "b!" and "B please" all choose B. A number is one that stands alone in the answer: "a 9, thanks"
    is 9, "9 or 10" is none.
    """
    said = fold(body)
    first = said.partition(" ")[0]
    for wanted in (said, first):
        for choice in choices:
            if wanted and any(fold(word) == wanted for word in choice.words):
                return choice, choice.value or body.strip()
    number = only_number(body)
    for choice in choices:
        if choice.low is None and choice.high is None:
            continue
        if number is not None and _within(number, choice):
            return choice, choice.value or str(number)
    for choice in choices:
        if not choice.words and choice.low is None and choice.high is None and said:
            return choice, choice.value or body.strip()
    return None


def only_number(body: str) -> int | None:
    """Return the one whole number in ``body``; None if there is none, or more than one."""
    found = {int(match) for match in _NUMBER.findall(unicodedata.normalize("NFKC", body))}
    return found.pop() if len(found) == 1 else None


def _within(number: int, choice: Choice) -> bool:
    return (choice.low is None or number >= choice.low) and (choice.high is None or number <= choice.high)
