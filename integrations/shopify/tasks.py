"""The Huey tasks of Shopify: each says "look now", and nothing more. The worker finds them by the module's name."""

from __future__ import annotations

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from smsflow_plugin.integrations.shopify import asking, joining, privacy, subscribing
from smsflow_plugin.integrations.shopify.connecting import forget_uninstalled, tidy_pending
from smsflow_plugin.integrations.shopify.looking import look_again_and_again
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.integrations.shopify.sync import tasks as sync
from smsflow_plugin.integrations.shopify.writes.tasks import fill_pools, write_to_shops
from smsflow_plugin.nudge import nudge

#: With those of other rooms, which Huey looks for here.
__all__ = [
    "answer_privacy_requests",
    "ask_shops",
    "compare_all_subscriptions",
    "compare_subscriptions",
    "fill_pools",
    "forget_tokens",
    "join_carts_and_visits",
    "sync",
    "tidy_up",
    "write_to_shops",
]


@db_periodic_task(crontab(minute="*"))
def join_carts_and_visits() -> None:
    if look_again_and_again(joining.join).handled:
        nudge("advance")


@db_periodic_task(crontab(minute="*"))
def ask_shops() -> None:
    if look_again_and_again(asking.ask).handled:
        nudge("tell_stock")
        nudge("advance")


@db_periodic_task(crontab(minute="*"))
def answer_privacy_requests() -> None:
    look_again_and_again(privacy.comply)


@db_periodic_task(crontab(minute="41"))
def tidy_up() -> None:
    joining.tidy()
    privacy.tidy()


@db_task()
def compare_subscriptions(connection_id: int) -> None:
    if Grant.objects.filter(connection=connection_id, broken_at=None).exists():
        subscribing.compare_shop(connection_id)


@db_periodic_task(crontab(minute="23"))
def compare_all_subscriptions() -> None:
    """Once an hour; each shop is a task of its own, so that one that is slow holds up nobody else's."""
    for connection_id in subscribing.granted_connections():
        compare_subscriptions(connection_id)
    tidy_pending()


@db_periodic_task(crontab(minute="*"))
def forget_tokens() -> None:
    """Of shops that have taken the app away: the tokens are dead."""
    forget_uninstalled()
