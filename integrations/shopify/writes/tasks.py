"""Says "look now" to what writes into shops. A task carries no work, see ``smsflow_plugin.tasks``."""

from __future__ import annotations

from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task, db_task

from smsflow_plugin.integrations.shopify.looking import look_again_and_again
from smsflow_plugin.integrations.shopify.writes import filling, outbox
from smsflow_plugin.tasks import TICK


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
    if not look_again_and_again(outbox.write_out).finished:
        write_to_shops()


@db_task()
def fill_pools() -> None:
    if not look_again_and_again(filling.fill_next).finished:
        fill_pools()
