"""The secret that a store shares with its help desk, made here and shown once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.stores.actions import SaveConnection, readable_connections
from smsflow_plugin.stores.models import Connection, Store

KIND = "helpdesk"
#: For so long after a change the secret before counts as well, so that no case is lost while it is entered.
OLD_SECRET_COUNTS = timedelta(hours=24)
#: The settings of the connection: until when the secret before counts, and whether a secret needs no signature.
PREVIOUS_UNTIL, PLAIN = "previous_until", "plain"


def connection_of(store: Store) -> Connection | None:
    """Return the store's connection to its help desk, None before there is one."""
    return next((row for row in readable_connections(store.pk) if row.kind == KIND), None)


def secrets_of(connection: Connection, now: datetime) -> list[str]:
    """Return the secrets that count at ``now``."""
    until = str(connection.settings.get(PREVIOUS_UNTIL) or "")
    counts = bool(until) and now < datetime.fromisoformat(until)
    names = ("secret", "previous_secret") if counts else ("secret",)
    return [secret for name in names if (secret := connection.secrets.get(name))]


class MakeHelpDeskSecret(BaseAction):  # type: ignore[misc]
    """Make a secret for the store's help desk, or a new one. ``execute`` returns it; it is not shown again."""

    action_name = "make_helpdesk_secret"
    permission_policy_action = "change"

    def user_has_permission(self) -> bool:
        return _may_change(self.user, self.instance)

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> str:
        self.check(skip_permission_checks=skip_permission_checks)
        secret = secrets.token_hex(32)
        until = (clock.now() + OLD_SECRET_COUNTS).isoformat()
        had = connection_of(self.instance) is not None
        SaveConnection(
            self.instance,
            self.user,
            kind=KIND,
            account=f"store-{self.instance.pk}",
            secrets={"secret": secret},
            settings={PREVIOUS_UNTIL: until if had else None},
        ).execute(skip_permission_checks=True)
        return secret


class TrustPlainSecret(BaseAction):  # type: ignore[misc]
    """Say whether the secret in a header is proof enough: there are help desks that cannot sign."""

    action_name = "trust_plain_secret"
    permission_policy_action = "change"

    def __init__(self, instance: Store, user: Any = None, *, trust: bool) -> None:
        super().__init__(instance, user=user)
        self.trust = trust

    def user_has_permission(self) -> bool:
        return _may_change(self.user, self.instance)

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> bool:
        """Save it; return whether there was a connection to say it of."""
        self.check(skip_permission_checks=skip_permission_checks)
        connection = Connection.objects.select_for_update().filter(store=self.instance, kind=KIND).first()
        if connection is None:
            return False
        if bool(connection.settings.get(PLAIN)) != self.trust:
            connection.settings = {**connection.settings, PLAIN: self.trust}
            connection.save(update_fields=["settings"])
            log(
                instance=connection,
                action="smsflow.save_connection",
                user=self.user,
                timestamp=clock.now(),
                data={"changed": [PLAIN]},
            )
        return True


def _may_change(user: Any, store: Store) -> bool:
    policy = policy_registry.get_by_type(Connection)
    return bool(policy.user_has_permission_for_instance(user, "change", Connection(store=store)))
