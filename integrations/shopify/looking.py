"""The loop of every task of this adapter: look again until there is nothing left, or others should have a turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

logger = logging.getLogger(__name__)

#: Seconds after which a task makes room for others.
TIME_BUDGET = 20.0


@dataclass(frozen=True, slots=True)
class Looked:
    """How much there was, and whether nothing is left. After an error nothing is: the next tick tries again."""

    handled: int
    finished: bool


def look_again_and_again(look: Callable[[], int]) -> Looked:
    """Call ``look``, which returns how much it has done, until it returns 0 or the time is up. Never raises."""
    end, handled = time.monotonic() + TIME_BUDGET, 0
    try:
        while done := look():
            handled += done
            if time.monotonic() >= end:
                return Looked(handled, finished=False)
    except Exception:
        logger.exception("%s stopped at an error; it runs again at the next tick.", look.__name__)
    return Looked(handled, finished=True)
