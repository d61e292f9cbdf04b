"""A store goes, with everything that belongs to it: the ledger of consent, too."""

from __future__ import annotations

from django.db import transaction
from wagtail.actions import BaseAction

from smsflow_plugin.audience.ledger import Opening, ledger_opened
from smsflow_plugin.stores.models import Store


class DeleteStore(BaseAction):  # type: ignore[misc]
    """Delete a store. There is no screen for it: stores are paused. The audit log keeps that it was deleted.

    :param instance: the store.
    """

    action_name = "delete"
    permission_policy_action = "delete"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> None:
        """Delete the store and its rows. A plain ``store.delete()`` is refused by the ledger."""
        self.check(skip_permission_checks=skip_permission_checks)
        with ledger_opened(Opening.STORE_DELETED, self.instance, self.user):
            Store.objects.get(pk=self.instance.pk).delete()
