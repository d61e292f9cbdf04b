"""What people record about a contact that changes its runs and texts."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.engine.entering import end_for_opted_out
from smsflow_plugin.engine.pausing import wake
from smsflow_plugin.events.models import Event
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.nudge import nudge


class RecordOptOut(BaseAction):  # type: ignore[misc]
    """Record that a person wants no more texts, when they said so by another way than a text.

    Does at once what STOP does, except for the confirmation: nothing more is sent to
    them, so nobody is texted about not being texted.

    :param instance: the contact.
    :param note: how and when the person said so, kept as evidence.
    """

    action_name = "record_opt_out"
    permission_policy_action = "change"

    def __init__(self, instance: Contact, user: Any = None, *, note: str = "") -> None:
        super().__init__(instance, user=user)
        self.note = note.strip()

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Contact:
        """Write the ledger and the contact, end its runs and cancel its queued texts.

        Somebody who has opted out already gets another line in the ledger and nothing else.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        # the contact first, as everywhere: it is the unit of locking
        contact = Contact.objects.select_for_update().get(pk=self.instance.pk)
        now = clock.now()
        record = self._record(contact, now)
        if contact.service_consent != Contact.Consent.REVOKED or contact.marketing_consent != Contact.Consent.REVOKED:
            contact.marketing_consent = contact.service_consent = Contact.Consent.REVOKED
            contact.consent_changed_at = now
            contact.opt_in_level = ""
            contact.save(update_fields=["marketing_consent", "service_consent", "consent_changed_at", "opt_in_level"])
            Event.objects.create(
                store_id=contact.store_id,
                contact=contact,
                kind="opted_out",
                key=record.key,
                occurred_at=now,
                recorded_at=now,
                data={"source": "staff"},
            )
        end_for_opted_out({contact.pk}, now)
        cancelled = (
            Message.objects.filter(contact=contact, state=Message.State.QUEUED)
            .exclude(message_class=Message.Class.REPLY)
            .update(state=Message.State.CANCELLED, reason=Reason.OPTED_OUT.value, finished_at=now)
        )
        log(
            instance=contact,
            action="smsflow.record_opt_out",
            user=self.user,
            timestamp=now,
            data={"note": self.note, "cancelled": cancelled},
        )
        return contact

    def _record(self, contact: Contact, now: Any) -> ConsentRecord:
        return ConsentRecord.objects.create(
            store_id=contact.store_id,
            contact=contact,
            key=f"staff:{uuid.uuid4()}",
            action=ConsentRecord.Action.REVOKED,
            scope=ConsentRecord.Scope.ALL,
            source="staff",
            effective_at=now,
            recorded_at=now,
            phone=str(contact.phone or ""),
            wording=self.note,
            actor=self.user.get_username() if self.user else "",
        )


class HandOverContact(BaseAction):  # type: ignore[misc]
    """Take a person over from the flows, to talk with them: no flow goes on for them, and none starts.

    :param instance: the contact.
    :param note: why, for the others who see it.
    """

    action_name = "hand_over"
    permission_policy_action = "change"

    def __init__(self, instance: Contact, user: Any = None, *, note: str = "") -> None:
        super().__init__(instance, user=user)
        self.note = note.strip()[:200]

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Contact:
        """Hand the person over; somebody who is handed over already stays so, for the first reason."""
        self.check(skip_permission_checks=skip_permission_checks)
        contact = Contact.objects.select_for_update().get(pk=self.instance.pk)
        if contact.handed_over_at is None:
            contact.handed_over_at, contact.handed_over_note = clock.now(), self.note
            contact.wake_at = None
            contact.save(update_fields=["handed_over_at", "handed_over_note", "wake_at"])
            log(
                instance=contact,
                action="smsflow.hand_over",
                user=self.user,
                timestamp=contact.handed_over_at,
                data={"note": self.note},
            )
        return contact


class ResumeAutomation(BaseAction):  # type: ignore[misc]
    """Give a person back to the flows: their runs go on where they stand, with what is due at once.

    :param instance: the contact.
    """

    action_name = "resume_automation"
    permission_policy_action = "change"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Contact:
        """Let the person's flows go on; somebody who was never handed over stays as they are."""
        self.check(skip_permission_checks=skip_permission_checks)
        contact = Contact.objects.select_for_update().get(pk=self.instance.pk)
        if contact.handed_over_at is not None:
            note = contact.handed_over_note
            contact.handed_over_at, contact.handed_over_note = None, ""
            contact.save(update_fields=["handed_over_at", "handed_over_note"])
            wake(Contact.objects.filter(pk=contact.pk))
            contact.refresh_from_db(fields=["wake_at"])
            log(
                instance=contact,
                action="smsflow.resume_automation",
                user=self.user,
                timestamp=clock.now(),
                data={"note": note},
            )
            nudge("advance")
        return contact
