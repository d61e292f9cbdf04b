"""What staff does in a conversation. Whatever changes a thread holds the contact's lock, as all pumps do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.audience.consent import REVOKED
from smsflow_plugin.audience.models import ConsentRecord, Contact
from smsflow_plugin.conversations import reading, threads
from smsflow_plugin.conversations.models import Thread, ThreadNote
from smsflow_plugin.conversations.standing import HAND_BACK_AFTER, after_staff
from smsflow_plugin.engine import staff_texts
from smsflow_plugin.engine.actions import HandOverContact, RecordOptOut, ResumeAutomation
from smsflow_plugin.engine.staff_texts import Words
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.nudge import nudge

#: Notes of more than so many characters belong elsewhere.
MAX_NOTE = 4000


class _ThreadAction(BaseAction):  # type: ignore[misc]
    """An action on a thread, by whoever may answer in its store.

    :param instance: the thread. It is brought up to date.
    """

    permission_policy_action = "change"

    @contextmanager
    def _locked(self) -> Iterator[tuple[Thread, Contact]]:
        """Give the thread as it is now, with its contact locked: the contact first, as everywhere."""
        with transaction.atomic():
            contact = _lock(self.instance.contact_id)
            thread = self.instance
            thread.refresh_from_db()
            thread.contact = contact
            yield thread, contact

    def _log(self, **data: Any) -> None:
        _log(self.instance.contact, self.action_name, self.user, data)

    def _note(self, kind: str, body: str = "") -> ThreadNote:
        return threads.note(self.instance, threads.Line(kind, body, self.user), clock.now())


def _lock(contact_id: int) -> Contact:
    return Contact.objects.select_for_update(of=("self",)).select_related("store").get(pk=contact_id)


def _log(contact: Contact, action: str | None, user: Any, data: dict[str, Any]) -> None:
    # at the contact: what erases the person finds it there
    log(instance=contact, action=f"smsflow.{action}", user=user, timestamp=clock.now(), data=data)


# Texts -------------------------------------------------------------------------------------------


class AnsweredMeanwhile(ValidationError):
    """Somebody else has answered since the page was drawn: ``answer`` is their text."""

    def __init__(self, answer: Message) -> None:
        super().__init__(_("Somebody else has answered meanwhile."))
        self.answer = answer


class ReplyInThread(_ThreadAction):
    """Text the person. Who is answered is taken over from the flows, until the conversation is closed or rests a day.

    :param body: the text, sent as it stands.
    :param key: names the form that it comes from, so that a double submit is one text.
    :param media_url: the public address of a picture that goes with it.
    :param seen: the newest text that the writer has seen; None writes whatever others have answered since.
    """

    action_name = "reply"

    def __init__(
        self,
        instance: Thread,
        user: Any = None,
        *,
        body: str,
        key: str,
        media_url: str = "",
        seen: int | None = None,
    ) -> None:
        super().__init__(instance, user=user)
        self.words = Words(body.strip(), key, media_url)
        self.seen = seen

    def execute(self, skip_permission_checks: bool = False) -> Message:
        """Queue the text and return it; at night, for somebody who has not written for a day, it waits for the morning.

        :raises AnsweredMeanwhile: if somebody else has answered since ``seen``.
        :raises ValidationError: with a sentence, if the person cannot be texted.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        with self._locked() as (thread, contact):
            sent = staff_texts.already_sent(contact, self.words)
            if sent is not None:
                return sent
            # behind the lock: of two who answer at the same moment, the second is asked
            answer = reading.answered_since(thread, self.user, self.seen) if self.seen is not None else None
            if answer is not None:
                raise AnsweredMeanwhile(answer)
            staff_texts.check_words(self.words)
            not_before = staff_texts.check_may_write(contact, thread.heard_at)
            if refused := staff_texts.why_not_go_on(thread):
                raise ValidationError(refused)
            return _write(contact, thread, self.user, self.words, not_before, self.action_name)


class StartConversation(BaseAction):  # type: ignore[misc]
    """Text somebody who has not asked: who agreed to marketing texts, or wrote in the last 30 days.

    :param instance: the contact.
    """

    action_name = "start_conversation"
    permission_policy_action = "add"

    def __init__(self, instance: Contact, user: Any = None, *, body: str, key: str, media_url: str = "") -> None:
        super().__init__(instance, user=user)
        self.words = Words(body.strip(), key, media_url)

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(Thread)
        return bool(policy.user_has_permission_for_instance(self.user, "add", Thread(store_id=self.instance.store_id)))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Message:
        """Open the person's thread, queue the text and return it. Law and quiet hours hold: at night it waits.

        :raises ValidationError: with a sentence, if the person cannot be texted or has not agreed to it.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        contact = _lock(self.instance.pk)
        sent = staff_texts.already_sent(contact, self.words)
        if sent is not None:
            return sent
        staff_texts.check_words(self.words)
        thread = Thread.objects.filter(contact=contact).first()
        not_before = staff_texts.check_may_write(contact, thread.heard_at if thread else None)
        staff_texts.check_may_start(contact)
        thread = thread or Thread(store_id=contact.store_id, contact=contact, state=Thread.State.CLOSED)
        return _write(contact, thread, self.user, self.words, not_before, self.action_name)


def _write(
    contact: Contact, thread: Thread, user: Any, words: Words, not_before: datetime, action: str | None
) -> Message:
    now = clock.now()
    message = staff_texts.queue(contact, user, words, not_before)
    taken_over = contact.handed_over_at is None
    was_closed = thread.pk is not None and thread.state == Thread.State.CLOSED
    # who was taken over by hand, for as long as it takes, does not come back by the clock
    timed = taken_over or thread.hand_back_at is not None
    threads.put(thread, after_staff(threads.standing_of(thread), now, words.body, taken_over=timed))
    if was_closed:
        threads.note(thread, threads.Line(ThreadNote.Kind.OPENED, user=user), now)
    if taken_over:
        HandOverContact(contact, user, note=_("In a conversation")).execute(skip_permission_checks=True)
    _log(contact, action, user, {"message": message.pk})
    nudge("dispatch")
    return message


# Notes and who looks after it --------------------------------------------------------------------


class AddNote(_ThreadAction):
    """Write something for colleagues that the person never sees."""

    action_name = "add_note"

    def __init__(self, instance: Thread, user: Any = None, *, body: str) -> None:
        super().__init__(instance, user=user)
        self.body = body.strip()

    def execute(self, skip_permission_checks: bool = False) -> ThreadNote:
        """Write the note and return it.

        :raises ValidationError: for ``body``, if there is none or it is too long.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        if not self.body:
            raise ValidationError({"body": _("Write a note.")})
        if len(self.body) > MAX_NOTE:
            raise ValidationError({"body": _("A note has at most %(limit)d characters.") % {"limit": MAX_NOTE}})
        with self._locked():
            self._log()
            return self._note(ThreadNote.Kind.NOTE, self.body)


class AssignThread(_ThreadAction):
    """Say who looks after a conversation.

    :param to: somebody who may answer in this store; None for nobody.
    """

    action_name = "assign_thread"

    def __init__(self, instance: Thread, user: Any = None, *, to: Any) -> None:
        super().__init__(instance, user=user)
        self.to = to

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Assign the thread; to whom it is assigned already, it stays so.

        :raises ValidationError: for ``to``, if they may not answer here.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        if self.to is not None and not assignable(self.instance).filter(pk=self.to.pk).exists():
            raise ValidationError({"to": _("This person may not answer in this store.")})
        with self._locked() as (thread, _contact):
            if thread.assigned_to_id == (self.to.pk if self.to else None):
                return thread
            thread.assigned_to = self.to
            thread.save(update_fields=["assigned_to"])
            name = self.to.get_username() if self.to else ""
            self._note(ThreadNote.Kind.ASSIGNED if self.to else ThreadNote.Kind.UNASSIGNED, name)
            self._log(to=name)
            return thread


def assignable(thread: Thread) -> Any:
    """Return the users who may answer in the thread's store, for whoever chooses one."""
    policy = policy_registry.get_by_type(Thread)
    users = policy.users_with_permission_for_instance("change", thread)
    return users.order_by(get_user_model().USERNAME_FIELD)


class SnoozeThread(_ThreadAction):
    """Put a conversation aside until a moment, or until the person writes.

    :param heard: as for ``CloseThread``.
    """

    action_name = "snooze_thread"

    def __init__(self, instance: Thread, user: Any = None, *, until: datetime, heard: str | None = None) -> None:
        super().__init__(instance, user=user)
        self.until = until
        self.heard = heard

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Snooze the thread.

        :raises ValidationError: for ``until``, if that is over.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        if self.until <= clock.now():
            raise ValidationError({"until": _("Choose a time that is still to come.")})
        with self._locked() as (thread, _contact):
            if thread.state == Thread.State.SNOOZED and thread.snoozed_until == self.until:
                return thread
            if self.heard is not None and self.heard != heard_mark(thread):
                raise ValidationError(_("They have written meanwhile: read it before you put the conversation aside."))
            standing = replace(threads.standing_of(thread), state=Thread.State.SNOOZED.value, closed_at=None)
            threads.put(thread, replace(standing, snoozed_until=self.until, unread=0))
            self._note(ThreadNote.Kind.SNOOZED, self.until.isoformat(timespec="minutes"))
            self._log(until=self.until.isoformat())
            return thread


class MarkRead(_ThreadAction):
    """Say that somebody has looked at what the person wrote."""

    action_name = "mark_read"

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Set the unread texts to none. Neither noted nor logged: nothing was done."""
        self.check(skip_permission_checks=skip_permission_checks)
        with self._locked() as (thread, _contact):
            if thread.unread:
                thread.unread = 0
                thread.save(update_fields=["unread"])
            return thread


class CloseThread(_ThreadAction):
    """Say that a conversation is done. The person goes back to the flows.

    :param heard: when the person wrote last, as ``heard_mark`` says it of the thread that somebody looked at. Words
        that came since are not closed over. None closes in any case.
    """

    action_name = "close_thread"

    def __init__(self, instance: Thread, user: Any = None, *, heard: str | None = None) -> None:
        super().__init__(instance, user=user)
        self.heard = heard

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Close the thread; a closed one stays so.

        :raises ValidationError: if the person has written since.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        with self._locked() as (thread, contact):
            if thread.state == Thread.State.CLOSED:
                return thread
            if self.heard is not None and self.heard != heard_mark(thread):
                raise ValidationError(_("They have written meanwhile: read it before you close the conversation."))
            standing = replace(threads.standing_of(thread), state=Thread.State.CLOSED.value, unread=0)
            threads.put(thread, replace(standing, closed_at=clock.now(), snoozed_until=None, hand_back_at=None))
            self._note(ThreadNote.Kind.CLOSED)
            self._log()
            ResumeAutomation(contact, self.user).execute(skip_permission_checks=True)
            return thread


def heard_mark(thread: Thread) -> str:
    """Return when the person wrote last, as ``CloseThread`` compares it."""
    return thread.heard_at.isoformat() if thread.heard_at else ""


class ReopenThread(_ThreadAction):
    """Take a conversation up again that was closed or put aside. The flows go on as they do."""

    action_name = "reopen_thread"

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Open the thread; an open one stays so."""
        self.check(skip_permission_checks=skip_permission_checks)
        with self._locked() as (thread, _contact):
            if thread.state == Thread.State.OPEN:
                return thread
            standing = replace(threads.standing_of(thread), state=Thread.State.OPEN.value, closed_at=None)
            threads.put(thread, replace(standing, snoozed_until=None, opened_at=clock.now()))
            self._note(ThreadNote.Kind.OPENED)
            self._log()
            return thread


# Flows and consent -------------------------------------------------------------------------------


class TakeOver(_ThreadAction):
    """Take the person over from the flows, until the conversation is closed, handed back, or rests a day."""

    action_name = "take_over"

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Hand the person over to staff; somebody who is handed over already stays so."""
        self.check(skip_permission_checks=skip_permission_checks)
        with self._locked() as (thread, contact):
            if contact.handed_over_at is None:
                HandOverContact(contact, self.user, note=_("In a conversation")).execute(skip_permission_checks=True)
                thread.hand_back_at = clock.now() + HAND_BACK_AFTER
                thread.save(update_fields=["hand_back_at"])
            return thread


class HandBack(_ThreadAction):
    """Give the person back to the flows; the conversation stays as it is."""

    action_name = "hand_back"

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Let the person's flows go on; whose flows go on already stays as they are."""
        self.check(skip_permission_checks=skip_permission_checks)
        with self._locked() as (thread, contact):
            ResumeAutomation(contact, self.user).execute(skip_permission_checks=True)
            thread.refresh_from_db(fields=["hand_back_at"])
            return thread


class RecordThreadOptOut(_ThreadAction):
    """Record that the person has said in this conversation that they want no more texts."""

    action_name = "record_thread_opt_out"

    def execute(self, skip_permission_checks: bool = False) -> Thread:
        """Do what STOP does, without a confirmation. Somebody who has opted out already stays so."""
        self.check(skip_permission_checks=skip_permission_checks)
        with self._locked() as (thread, contact):
            if contact.service_consent == REVOKED and contact.marketing_consent == REVOKED:
                return thread
            said = thread.last_words if thread.last_from_person else ""
            RecordOptOut(contact, self.user, note=said, channel=ConsentRecord.Channel.TEXT).execute(
                skip_permission_checks=True
            )
            self._note(ThreadNote.Kind.OPT_OUT)
            return thread
