"""The Huey tasks of the two pumps. Each says "look now", and carries no work."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from smsflow_plugin.integrations.shopify.sync import comparing, importing
from smsflow_plugin.integrations.shopify.sync.models import ImportRun
from smsflow_plugin.integrations.shopify.sync.waking import wake

logger = logging.getLogger(__name__)

#: Seconds after which a task makes room for others.
TIME_BUDGET = 20.0


@db_task()
def compare_shops() -> None:
    if not _run("compare_shops", comparing.compare_shops):
        wake("compare")


@db_task()
def import_history() -> None:
    if not _run("import_history", importing.import_history):
        wake("import")
    elif ImportRun.objects.filter(state=ImportRun.State.PREPARING).exists():
        # one chain of looks is enough: the tick would start another every minute
        _follow_up()


@db_periodic_task(crontab(minute="*"))
def look_at_shops() -> None:
    """The tick: what is due is found whatever became of the tasks above."""
    _run("compare_shops", comparing.compare_shops)


@db_periodic_task(crontab(minute="*"))
def look_at_imports() -> None:
    """The same for imports, in a task of its own: the one must not wait for the other."""
    if not _run("import_history", importing.import_history):
        wake("import")


def _follow_up() -> None:
    wake("import", after=importing.POLL.total_seconds())


def _run(name: str, look: Callable[[], int]) -> bool:
    """Look until there is nothing left, or the time is up; return whether there is nothing left."""
    end = time.monotonic() + TIME_BUDGET
    try:
        while look():
            if time.monotonic() >= end:
                return False
    except Exception:
        logger.exception("%s stopped at an error; it runs again at the next tick.", name)
    return True
