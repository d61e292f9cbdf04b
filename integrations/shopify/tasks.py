"""The Huey tasks of Shopify: each says "look now", and nothing more. The worker finds them by the module's name."""

from __future__ import annotations

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from smsflow_plugin.integrations.shopify import subscribing
from smsflow_plugin.integrations.shopify.connecting import forget_uninstalled, tidy_pending
from smsflow_plugin.integrations.shopify.models import Grant


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
