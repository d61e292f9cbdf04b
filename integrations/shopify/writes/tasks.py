"""Says "look now" to what writes into shops. A task carries no work, see ``smsflow_plugin.tasks``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task, db_task

from smsflow_plugin.integrations.shopify.writes import filling, outbox
from smsflow_plugin.tasks import TICK, TIME_BUDGET

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(minute="*"))
def tick_writes() -> None:
    for task in (write_to_shops, fill_pools):
        HUEY.enqueue(task.s(expires=TICK))


@db_periodic_task(crontab(minute="23"))
def look_again() -> None:
    """Once an hour: people whose customer has turned up since, and pools that are long over."""
    outbox.look_again()
    filling.tidy()


@db_task()
def write_to_shops() -> None:
    if not _run(outbox.write_out):
        write_to_shops()


@db_task()
def fill_pools() -> None:
    if not _run(filling.fill_next):
        fill_pools()


def _run(look: Callable[[], int]) -> bool:
    """Look until there is nothing left, or the time is up; return whether there is nothing left."""
    end = time.monotonic() + TIME_BUDGET
    try:
        while look():
            if time.monotonic() >= end:
                return False
    except Exception:
        logger.exception("Writing into shops stopped at an error; the next minute tries again.")
    return True
