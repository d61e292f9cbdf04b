"""The codes in Sinch's delivery reports, and what each says of the person, the text or the account. Pure.

Where they are from: 400 to 413 from the OpenAPI file of the SMS API; 414 to 418 are its codes for picture
messages; 15, 60 to 64, 152 and 300 to 399 from Sinch's page "10DLC and toll-free error codes"; 255 and 257 from
its articles about toll-free numbers; 9, 10, 27 and 28 from lists that resellers have published of the operators'
codes. Every other number is one of an operator's, and says nothing for sure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from smsflow_plugin.events.reports import Cause


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code says: to the core as a cause, to people as a sentence."""

    cause: Cause
    sentence: str | Promise


_PICTURE = _("The picture message did not arrive: its address, its kind or the phone is to blame.")

MEANINGS: Mapping[int, Meaning] = {
    402: Meaning(Cause.UNREACHABLE, _("No network takes texts to this number.")),
    403: Meaning(Cause.TEMPORARY, _("Something went wrong at Sinch before the text left it.")),
    404: Meaning(Cause.TEMPORARY, _("It could not be delivered for the moment. Another try may succeed.")),
    405: Meaning(Cause.OURS, _("A value for this recipient was missing in the call.")),
    406: Meaning(Cause.UNKNOWN, _("It expired before it left Sinch.")),
    407: Meaning(Cause.UNKNOWN, _("It was cancelled before it left Sinch.")),
    408: Meaning(Cause.OURS, _("The network refused the text, and would refuse it again.")),
    410: Meaning(Cause.OURS, _("The account has no sender for this recipient.")),
    411: Meaning(Cause.OURS, _("The text has more parts than allowed.")),
    412: Meaning(Cause.OURS, _("The account may not send to this part of the world.")),
    413: Meaning(Cause.ACCOUNT, _("The account is blocked. It may be out of credit.")),
    **dict.fromkeys(range(414, 419), Meaning(Cause.OURS, _PICTURE)),
    9: Meaning(Cause.UNREACHABLE, _("The network does not know numbers of this kind.")),
    10: Meaning(Cause.UNREACHABLE, _("The network does not know numbers of this kind.")),
    15: Meaning(Cause.OURS, _("The operator took the text for spam.")),
    27: Meaning(Cause.UNREACHABLE, _("The phone was switched off or out of reach for a long time.")),
    28: Meaning(Cause.UNREACHABLE, _("The phone did not answer.")),
    60: Meaning(Cause.OURS, _("The sender's campaign is not active.")),
    62: Meaning(Cause.OURS, _("Sinch took the text for spam.")),
    64: Meaning(Cause.OURS, _("The sender has used up what it may send, or is not verified yet.")),
    152: Meaning(Cause.UNREACHABLE, _("The number takes no texts.")),
    255: Meaning(Cause.OURS, _("The operator took the text for spam.")),
    257: Meaning(Cause.OPTED_OUT, _("The person has written STOP, and the network lets no text through.")),
    300: Meaning(Cause.INVALID, _("There is no such number.")),
    310: Meaning(Cause.OURS, _("The operator does not accept the sender.")),
}

#: Words after which a text certainly did not arrive. "Unknown" is none of them: there the operator has not said.
_CERTAIN = frozenset({"failed", "rejected", "aborted"})


def cause_of(word: str, code: int | None) -> Cause:
    """Return why a text did not arrive, by the status (case-folded) and the code of its report.

    "Deleted" is what Sinch reports of invalid numbers and of people who have opted out, and it does not say which:
    without a code that does, it counts as blocked; a code that blames the text, the sender or the account is believed,
    or one wrong setting would put everybody on the suppression list. Nothing is tried again of which it is
    not certain that it failed.
    """
    known = MEANINGS.get(code) if code is not None else None
    cause = known.cause if known else Cause.UNKNOWN
    if word == "deleted" and cause in (Cause.UNKNOWN, Cause.TEMPORARY, Cause.UNREACHABLE):
        return Cause.BLOCKED
    if word not in _CERTAIN and word != "deleted" and cause is not Cause.ACCOUNT:
        return Cause.UNKNOWN
    return cause


def sentence(code: int | None) -> str:
    """Return what a code means in a sentence; empty if nobody knows."""
    known = MEANINGS.get(code) if code is not None else None
    return str(known.sentence) if known else ""
