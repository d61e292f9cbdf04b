"""What people change about a store, apart from its plain fields: connections and who works in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.stores.crypto import CannotDecrypt
from smsflow_plugin.stores.models import Connection, Store, StoreMembership
from smsflow_plugin.stores.roles import assignable_roles


class SaveConnection(BaseAction):  # type: ignore[misc]
    """Connect a store to a vendor, or change how it is connected.

    :param instance: the store.
    :param kind: the vendor's key in the settings.
    :param account: the vendor's own name for the store.
    :param secrets: new secrets by name; an empty one keeps what is stored.
    :param settings: replaces the stored settings of the same names; None removes one.
    """

    action_name = "save_connection"
    permission_policy_action = "change"

    def __init__(
        self,
        instance: Store,
        user: Any = None,
        *,
        kind: str,
        account: str,
        secrets: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(instance, user=user)
        self.kind = kind
        self.account = account
        self.secrets = secrets
        self.settings = settings or {}

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(Connection)
        return bool(policy.user_has_permission_for_instance(self.user, "change", Connection(store=self.instance)))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Connection:
        """Save the connection, and log what changed but never to what.

        :raises ValidationError: if another store is connected to the same account.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        Connection.objects.select_for_update().filter(store=self.instance, kind=self.kind).values_list("pk").first()
        stored = [row for row in readable_connections(self.instance.pk) if row.kind == self.kind]
        connection = stored[0] if stored else Connection(store=self.instance, kind=self.kind)
        changed = self._apply(connection)
        if connection.pk is None or changed:
            connection.validate_constraints()
            connection.save()
            log(
                instance=connection,
                action="smsflow.save_connection",
                user=self.user,
                timestamp=clock.now(),
                data={"changed": changed},
            )
        return connection

    def _apply(self, connection: Connection) -> list[str]:
        changed = []
        if connection.account != self.account:
            connection.account = self.account
            changed.append("account")
        secrets = dict(connection.secrets)
        for name, value in self.secrets.items():
            if not value or value == secrets.get(name):
                secrets.setdefault(name, value)
                continue
            if name == "secret":
                # deliveries signed with the old secret are still on their way
                secrets["previous_secret"] = secrets.get("secret", "")
            secrets[name] = value
            changed.append(name)
        connection.secrets = secrets
        settings = {
            name: value for name, value in (connection.settings | dict(self.settings)).items() if value is not None
        }
        changed += sorted(name for name, value in self.settings.items() if value != connection.settings.get(name))
        connection.settings = settings
        return changed


def readable_connections(store_id: int | None) -> list[Connection]:
    """Return the connections of a store. Where a key was lost they come without secrets, to be given anew."""
    rows = Connection.objects.filter(store=store_id)
    try:
        return list(rows)
    except CannotDecrypt:
        connections = list(rows.defer("secrets"))
    for connection in connections:
        try:
            connection.refresh_from_db(fields=["secrets"])
        except CannotDecrypt:
            connection.secrets = {}
    return connections


class SetMembership(BaseAction):  # type: ignore[misc]
    """Give somebody a role in a store, or take it away.

    :param instance: the store.
    :param member: the user who gets or loses the role.
    :param role: the group, or None to end the membership.
    """

    action_name = "set_membership"
    permission_policy_action = "change"

    def __init__(self, instance: Store, user: Any = None, *, member: Any, role: Group | None) -> None:
        super().__init__(instance, user=user)
        self.member = member
        self.role = role

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(StoreMembership)
        return bool(policy.user_has_permission_for_instance(self.user, "change", StoreMembership(store=self.instance)))

    def check(self, skip_permission_checks: bool = False) -> None:
        """Refuse a role that may do more than the user, given or taken away."""
        super().check(skip_permission_checks=skip_permission_checks)
        if not self.user or skip_permission_checks:
            return
        held = StoreMembership.objects.filter(store=self.instance, user=self.member).select_related("role").first()
        allowed = {group.pk for group in assignable_roles(self.user, self.instance)}
        touched = {group.pk for group in (self.role, held.role if held else None) if group}
        if not touched <= allowed:
            raise PermissionDenied(_("You cannot give or take a role that may do more than yours."))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> StoreMembership | None:
        """Write the membership and log it.

        :raises ValidationError: if it would shut the user out of the store.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        if self.user and self.member.pk == self.user.pk and not self.user.is_superuser:
            raise ValidationError(_("You cannot change your own role. Ask somebody else to do it."))
        membership = None
        if self.role is None:
            StoreMembership.objects.filter(store=self.instance, user=self.member).delete()
        else:
            membership, _created = StoreMembership.objects.update_or_create(
                store=self.instance, user=self.member, defaults={"role": self.role}
            )
        log(
            instance=self.instance,
            action="smsflow.set_membership",
            user=self.user,
            timestamp=clock.now(),
            data={"member": self.member.get_username(), "role": self.role.name if self.role else None},
        )
        return membership
