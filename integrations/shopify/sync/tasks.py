"""The Huey tasks of the two pumps. Each says "look now", and carries no work."""

from __future__ import annotations

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from smsflow_plugin.integrations.shopify.looking import look_again_and_again
from smsflow_plugin.integrations.shopify.sync import comparing, importing
from smsflow_plugin.integrations.shopify.sync.models import ImportRun
from smsflow_plugin.integrations.shopify.sync.waking import wake


@db_task()
def compare_shops() -> None:
    if not look_again_and_again(comparing.compare_shops).finished:
        wake("compare")


@db_task()
def import_history() -> None:
    if not look_again_and_again(importing.import_history).finished:
        wake("import")
    elif ImportRun.objects.filter(state=ImportRun.State.PREPARING).exists():
        # one chain of looks is enough: the tick would start another every minute
        _follow_up()


@db_periodic_task(crontab(minute="*"))
def look_at_shops() -> None:
    """The tick: what is due is found whatever became of the tasks above."""
    look_again_and_again(comparing.compare_shops)


@db_periodic_task(crontab(minute="*"))
def look_at_imports() -> None:
    """The same for imports, in a task of its own: the one must not wait for the other."""
    if not look_again_and_again(importing.import_history).finished:
        wake("import")


def _follow_up() -> None:
    wake("import", after=importing.POLL.total_seconds())
