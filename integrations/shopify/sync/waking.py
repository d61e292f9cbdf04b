"""Has a worker look at once. Losing this loses nothing: the minute's tick finds the same rows."""

from __future__ import annotations

import logging
from importlib import import_module

from django.db import transaction

logger = logging.getLogger(__name__)

TASKS = {"compare": "compare_shops", "import": "import_history"}


def wake(what: str, *, after: float = 0) -> None:
    """Make a worker look soon after the current transaction commits, or ``after`` so many seconds. Never raises."""
    name = TASKS[what]
    transaction.on_commit(lambda: _enqueue(name, after))


def _enqueue(name: str, after: float) -> None:
    try:
        # by name: the tasks stand above everything that wakes them
        task = getattr(import_module("smsflow_plugin.integrations.shopify.sync.tasks"), name)
        if after:
            task.schedule(delay=after)
        else:
            task()
    except Exception:  # the queue may be down in any way
        logger.warning("The queue cannot be reached; %s runs at the next tick.", name, exc_info=True)
