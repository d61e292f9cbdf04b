"""What people change about a store's senders. Texts that wait in the queue follow."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.messaging.choosing import choose
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.senders import Sender, senders_of
from smsflow_plugin.nudge import nudge
from smsflow_plugin.stores.models import Connection, Store


class _SenderAction(BaseAction):  # type: ignore[misc]
    @property
    def permission_policy_action(self) -> str:
        return "change" if self.instance.pk else "add"

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(Sender)
        return bool(policy.user_has_permission_for_instance(self.user, self.permission_policy_action, self.instance))

    def _log(self, action: str) -> None:
        log(
            instance=self.instance.store,
            action=action,
            user=self.user,
            timestamp=clock.now(),
            data={"sender": self.instance.address},
        )


class SaveSender(_SenderAction):
    """Add a number or name to a store, or change what it is used for.

    :param instance: the sender with its new values, saved or not.
    """

    action_name = "save_sender"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Sender:
        """Save the sender.

        :raises ValidationError: if the store has this one already, if its connection is another store's, or if the
            store's own sender would be switched off.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        sender: Sender = self.instance
        store = Store.objects.select_for_update().get(pk=sender.store_id)
        before = Sender.objects.filter(pk=sender.pk).values_list("address", flat=True).first()
        sender.validate_constraints()
        if sender.address == store.sender and not sender.active:
            raise ValidationError({"active": _("This is the store's own sender. Give the store another one first.")})
        own = Connection.objects.filter(pk=sender.connection_id, store=store)
        if sender.connection_id is not None and not own.exists():
            raise ValidationError({"connection": _("Choose one of the store's own connections.")})
        sender.save()
        self._log("smsflow.save_sender")
        if not sender.active:
            move_queued(store, sender.address)
        if before and before != sender.address:
            move_queued(store, before)
        return sender


class DeleteSender(_SenderAction):
    """Take a number or name away from a store. Texts that were sent from it stay."""

    action_name = "delete_sender"
    permission_policy_action = "delete"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> None:
        """Delete the sender."""
        self.check(skip_permission_checks=skip_permission_checks)
        store = Store.objects.select_for_update().get(pk=self.instance.store_id)
        self._log("smsflow.delete_sender")
        self.instance.delete()
        if self.instance.address != store.sender:
            move_queued(store, self.instance.address)


def move_queued(store: Store, address: str) -> int:
    """Let queued texts leave from another sender than this one; return how many.

    A statement for each country and class among them, however many they are.
    """
    senders = senders_of([store])[store.pk]
    queued = Message.objects.filter(store=store, sender=address, state=Message.State.QUEUED)
    moved = 0
    for country, kind in list(queued.values_list("country", "message_class").order_by().distinct()):
        other = choose(senders, message_class=kind, country=country).address
        if other != address:
            moved += queued.filter(country=country, message_class=kind).update(sender=other)
    if moved:
        nudge("dispatch")
    return moved
