"""The Huey tasks of Shopify: each says "look now", and nothing more. The worker finds them by the module's name."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from smsflow_plugin.integrations.shopify import asking, joining, privacy
from smsflow_plugin.integrations.shopify.writes.tasks import fill_pools, write_to_shops
from smsflow_plugin.nudge import nudge

#: Those of other rooms, which Huey looks for here.
__all__ = ["answer_privacy_requests", "ask_shops", "fill_pools", "join_carts_and_visits", "tidy_up", "write_to_shops"]

logger = logging.getLogger(__name__)

#: Seconds after which a task makes room; the next minute goes on.
TIME_BUDGET = 20.0


@db_periodic_task(crontab(minute="*"))
def join_carts_and_visits() -> None:
    if _work_off(joining.join):
        nudge("advance")


@db_periodic_task(crontab(minute="*"))
def ask_shops() -> None:
    if _work_off(asking.ask):
        nudge("tell_stock")
        nudge("advance")


@db_periodic_task(crontab(minute="*"))
def answer_privacy_requests() -> None:
    _work_off(privacy.comply)


@db_periodic_task(crontab(hour="3", minute="41"))
def tidy_up() -> None:
    joining.tidy()
    privacy.tidy()


def _work_off(look: Callable[[], int]) -> int:
    """Look until there is nothing left, or the time is up; return how much there was."""
    end, done = time.monotonic() + TIME_BUDGET, 0
    try:
        while handled := look():
            done += handled
            if time.monotonic() >= end:
                break
    except Exception:
        logger.exception("%s stopped at an error; it runs again in a minute.", look.__name__)
    return done
