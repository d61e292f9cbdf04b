"""What people record about a contact that changes its runs and texts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import REVOKED, Consent, Proof
from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.conversations import threads
from smsflow_plugin.conversations.models import ThreadNote
from smsflow_plugin.engine.entering import end_for_opted_out
from smsflow_plugin.engine.pausing import wake
from smsflow_plugin.engine.reviews import close_reviews
from smsflow_plugin.events.models import Event, ReplyReview
from smsflow_plugin.governance.rules import Reason
from smsflow_plugin.messaging.outbox import cancel_queued
from smsflow_plugin.nudge import nudge


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person wrote, and when: an opt-out that staff reads out of it counts from then."""

    text: str
    at: datetime
    key: str
    source: str
    evidence: Mapping[str, Any]


class RecordOptOut(BaseAction):  # type: ignore[misc]
    """Record that a person wants no more texts, when they said so by another way than a text.

    Does at once what STOP does, except for the confirmation: nothing more is sent to
    them, so nobody is texted about not being texted. What they have said since holds.

    :param instance: the contact.
    :param note: what the person said, kept as evidence.
    :param channel: how they said it, a value of ``ConsentRecord.Channel``.
    :param said_at: when they said it; now without it. Never in the future.
    :param scope: "all", or "marketing" if they still want to hear of their orders.
    :param wording: what they wrote themselves, if they did. An agreement of theirs that is newer stays.
    """

    action_name = "record_opt_out"
    permission_policy_action = "change"

    def __init__(
        self,
        instance: Contact,
        user: Any = None,
        *,
        note: str = "",
        channel: str = "",
        said_at: datetime | None = None,
        scope: str = ConsentRecord.Scope.ALL,
        wording: Wording | None = None,
    ) -> None:
        super().__init__(instance, user=user)
        self.note = note.strip()
        self.channel = channel
        self.said_at = said_at
        self.scope = str(scope)
        self.wording = wording

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Contact:
        """Write the ledger and the contact, end its runs and cancel its queued texts.

        Somebody who has opted out already gets another line in the ledger and nothing else.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        # the contact first, as everywhere: it is the unit of locking
        contact = Contact.objects.select_for_update().get(pk=self.instance.pk)
        now = clock.now()
        statement = self._statement(contact, now)
        changed = ledger.take_over(statement, now)
        ledger.append([statement], now)
        contact.save(update_fields=ledger.CONTACT_COLUMNS)
        if changed:
            self._tell(statement, now)
        if contact.marketing_consent == REVOKED:
            close_reviews(contact, ReplyReview.State.STOP, now, self.user)
        cancelled = self._stop(contact, now)
        data = {"note": self.note, "cancelled": cancelled, "channel": self.channel, "scope": self.scope}
        log(instance=contact, action="smsflow.record_opt_out", user=self.user, timestamp=now, data=data)
        return contact

    def _statement(self, contact: Contact, now: datetime) -> ledger.Statement:
        said = self.wording or Wording(self.note, self.said_at or now, f"staff:{uuid.uuid4()}", "staff", {})
        consent = Consent(
            REVOKED,
            self.scope,
            said.source,
            min(said.at, now),
            key=said.key,
            wording=said.text,
            evidence=said.evidence,
            # the person's own words, whoever wrote them down
            own_words=True,
            proof=Proof(channel=self.channel),
        )
        return ledger.Statement(contact, consent, self.user.get_username() if self.user else "")

    def _tell(self, statement: ledger.Statement, now: datetime) -> None:
        Event.objects.create(
            store_id=statement.contact.store_id,
            contact=statement.contact,
            kind="opted_out",
            key=statement.consent.key,
            occurred_at=statement.consent.effective_at,
            recorded_at=now,
            data={"source": "staff"},
        )

    def _stop(self, contact: Contact, now: datetime) -> int:
        """End what the person does not want any more, as it stands now; return how many texts were cancelled."""
        if contact.service_consent == REVOKED:
            end_for_opted_out({contact.pk}, now)
            return cancel_queued({contact.pk}, Reason.OPTED_OUT.value)
        if contact.marketing_consent == REVOKED:
            return cancel_queued({contact.pk}, Reason.OPTED_OUT.value, keep_classes=("reply", "service"))
        return 0


class HandOverContact(BaseAction):  # type: ignore[misc]
    """Take a person over from the flows, to talk with them: none of them goes on, and none starts.

    Flows of the class "service" do: news about the person's own order is no small talk.

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
            contact.save(update_fields=["handed_over_at", "handed_over_note"])
            wake(Contact.objects.filter(pk=contact.pk))
            contact.refresh_from_db(fields=["wake_at"])
            threads.note_for(contact, threads.Line(ThreadNote.Kind.TAKEN_OVER, self.note, self.user), clock.now())
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
            self._note(contact)
            log(
                instance=contact,
                action="smsflow.resume_automation",
                user=self.user,
                timestamp=clock.now(),
                data={"note": note},
            )
            nudge("advance")
        return contact

    def _note(self, contact: Contact) -> None:
        thread = threads.note_for(contact, threads.Line(ThreadNote.Kind.HANDED_BACK, user=self.user), clock.now())
        if thread is not None and thread.hand_back_at is not None:
            thread.hand_back_at = None
            thread.save(update_fields=["hand_back_at"])
