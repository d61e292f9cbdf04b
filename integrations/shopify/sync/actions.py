"""What people ask for: compare now, import the history, cancel, go on."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.integrations.shopify.sync import comparing
from smsflow_plugin.integrations.shopify.sync.models import ImportRun, SyncState
from smsflow_plugin.integrations.shopify.sync.waking import wake
from smsflow_plugin.models import Connection, Store


class _OfConnection(BaseAction):  # type: ignore[misc]
    """For those who may change how the store is connected."""

    permission_policy_action = "change"
    instance: Store

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(Connection)
        return bool(policy.user_has_permission_for_instance(self.user, "change", Connection(store=self.instance)))

    def log(self, action: str, **data: Any) -> None:
        log(instance=self.instance, action=action, user=self.user, timestamp=clock.now(), data=data)

    def connection(self) -> Connection:
        """Return the connection to the shop.

        :raises ValidationError: if the shop has granted nothing, or was lost.
        """
        grant = Grant.objects.filter(connection__store=self.instance, broken_at=None).first()
        if grant is None:
            raise ValidationError(_("The shop is not connected: it has granted nothing yet, or was lost."))
        return Connection.objects.get(pk=grant.connection_id)


class CompareNow(_OfConnection):
    """Have the shop compared at once."""

    action_name = "compare_now"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> None:
        """Make it due.

        :raises ValidationError: if the shop is not connected.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        state = comparing.state_of(self.connection())
        SyncState.objects.filter(pk=state.pk).update(next_at=clock.now())
        self.log("smsflow.compare_shop")
        wake("compare")


class StartImport(_OfConnection):
    """Import the customers of the shop, and its orders if they are wanted.

    :param orders: "all", "since" (then ``since`` is a day) or "none".
    """

    action_name = "start_import"

    def __init__(
        self,
        instance: Store,
        user: Any = None,
        *,
        orders: str = "all",
        since: date | None = None,
        start_flows: bool = False,
    ) -> None:
        super().__init__(instance, user=user)
        self.orders, self.since, self.start_flows = orders, since, start_flows

    def execute(self, skip_permission_checks: bool = False) -> ImportRun:
        """Plan it.

        :raises ValidationError: if the shop is not connected, or an import is not over.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        connection = self.connection()
        # what happens from now on is told by webhooks
        comparing.state_of(connection)
        try:
            with transaction.atomic():
                run = ImportRun.objects.create(
                    store=self.instance,
                    connection=connection,
                    created_by=self.user.get_username()[:150] if self.user else "",
                    with_orders=self.orders != "none",
                    orders_since=self.since if self.orders == "since" else None,
                    start_flows=self.start_flows,
                )
                since = str(run.orders_since or "")
                self.log("smsflow.import_history", orders=self.orders, since=since, start_flows=self.start_flows)
                wake("import")
        except IntegrityError:
            raise ValidationError(_("An import is under way. Wait for it, or cancel it.")) from None
        return run


class CancelImport(_OfConnection):
    """Stop the import that is under way. What it has written stays."""

    action_name = "cancel_import"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> bool:
        """Return whether there was one."""
        self.check(skip_permission_checks=skip_permission_checks)
        active = ImportRun.objects.filter(store=self.instance, state__in=ImportRun.ACTIVE)
        # a chunk that is being written ends first: its worker holds the row
        if not active.update(state=ImportRun.State.CANCELLED, finished_at=clock.now(), busy_until=None, lease=""):
            return False
        self.log("smsflow.cancel_import")
        wake("import")
        return True


class ResumeImport(_OfConnection):
    """Go on with the last import where it stopped."""

    action_name = "resume_import"

    def execute(self, skip_permission_checks: bool = False) -> bool:
        """Return whether there is one that stopped.

        :raises ValidationError: if the shop is not connected, or another import is not over.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        self.connection()
        last = ImportRun.objects.filter(store=self.instance).order_by("-created_at", "-pk").first()
        if last is None or last.state != ImportRun.State.FAILED:
            return False
        # Shopify is asked anew where it had not finished
        state = ImportRun.State.PREPARING if last.offset else ImportRun.State.QUEUED
        fresh = {} if last.offset else {"operation": ""}
        try:
            with transaction.atomic():
                ImportRun.objects.filter(pk=last.pk, state=ImportRun.State.FAILED).update(
                    state=state, finished_at=None, failures=0, trouble="", next_at=clock.now(), url="", **fresh
                )
                self.log("smsflow.resume_import")
                wake("import")
        except IntegrityError:
            raise ValidationError(_("An import is under way. Wait for it, or cancel it.")) from None
        return True
