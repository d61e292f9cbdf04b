"""“I'm not Veronica”: whoever is taken for somebody else wants none of their texts. Pure.

Only a capital letter tells a name from any other word (“I'm not sure”), so the text is read as it was written.
German writes all nouns so: there a person has to read it.
"""

from __future__ import annotations

import re
import unicodedata

from smsflow_plugin.audience.replies.folding import spoken
from smsflow_plugin.audience.replies.lexicon import Lexicon
from smsflow_plugin.audience.replies.verdicts import Reading, Verdict

_TITLE = r"(?:(?:mr|mrs|ms|miss|mme|madame|m|frau|herr|dr|señora?|sra?|don|doña|signora?|mevrouw|meneer|pani?)\.? )?"
_DENIALS = (
    r"i ?am not|i['’]?m not|this is ?n[o'’]?t|this is not|this ain['’]?t|not|wrong",
    r"(?:yo )?no soy|est[ae] no es|je ne suis pas|ce n['’]est pas|não sou|est[ae] não é|non sono|questo non è",
    r"ik ben niet|dit is niet|jeg er ikke|dette er ikke|jag är inte|det här är inte|nie jestem|to nie",
)
_GERMAN = r"ich bin nicht|das ist nicht|hier ist nicht"
_NAMED = re.compile(
    rf"(?:^|[.,!;:]\s*|\b(?:sorry|hi|hello|no)\s+)(?:(?P<german>{_GERMAN})|(?:{'|'.join(_DENIALS)})) {_TITLE}"
    r"(?P<name>(?-i:[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+))(?: (?:any ?more|lol|sorry|thanks?))*\s*(?=[.!,;)]|$)",
    re.IGNORECASE,
)
#: Days and the like have capitals as well.
_NO_NAMES = frozenset(
    [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "christmas",
        "english",
        "spanish",
        "french",
        "ups",
        "usps",
        "fedex",
        "apple",
        "android",
        "iphone",
        "interested",
        "yet",
        "today",
        "tomorrow",
        "now",
        "sure",
        "really",
        "ready",
        "here",
        "available",
        "happy",
        "good",
        "working",
    ]
)


def somebody_else(text: str, words: Lexicon) -> Reading | None:
    """Return the reading of a text that denies a name, or nothing."""
    found = _NAMED.search(unicodedata.normalize("NFKC", text))
    if found is None or "?" in text:
        return None
    name = " ".join(spoken(found["name"]))
    if not name or name in words.vocabulary or name in _NO_NAMES:
        return None
    verdict = Verdict.DOUBTFUL if found["german"] else Verdict.OPT_OUT
    return Reading(verdict, f"taken for somebody else: {' '.join(spoken(found.group()))}"[:200])
