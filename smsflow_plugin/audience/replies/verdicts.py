"""What a reply can mean for consent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """``DOUBTFUL``: it may be an opt-out, and a person has to read it. ``OTHER``: it is about something else."""

    OPT_OUT = "opt_out"
    HELP = "help"
    OPT_IN = "opt_in"
    DOUBTFUL = "doubtful"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reading:
    """A verdict and which layer and words led to it, in a few words of plain English."""

    verdict: Verdict
    because: str
