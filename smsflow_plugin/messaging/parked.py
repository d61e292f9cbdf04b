"""Calls of which nobody can find out whether they were made: a person says it, and answers for it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.messaging.models import Batch
from smsflow_plugin.messaging.settling import Trouble, accept, give_back
from smsflow_plugin.nudge import nudge


class Answer(models.TextChoices):
    SENT = "sent", gettext_lazy("It was sent: the texts are on their way, or have arrived")
    NOT_SENT = "not_sent", gettext_lazy("It was not sent: put the texts back into the queue")


class AnswerForCall(BaseAction):  # type: ignore[misc]
    """Say what became of a parked call.

    Texts that go back into the queue are asked about anew, like all others: what has become too old expires, and
    whoever has opted out since gets none.

    :param instance: the call.
    :param note: how the person knows.
    """

    action_name = "answer_for_call"
    permission_policy_action = "change"

    def __init__(self, instance: Batch, user: Any = None, *, answer: str, note: str = "") -> None:
        super().__init__(instance, user=user)
        self.answer = Answer(answer)
        self.note = note.strip()[:200]

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Batch:
        """Settle the call.

        :raises ValidationError: if a report, or somebody else, has settled it meanwhile.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        now = clock.now()
        batch = Batch.objects.select_for_update().get(pk=self.instance.pk)
        if batch.state != Batch.State.PARKED:
            raise ValidationError(_("It is known already what became of this call."))
        if self.answer is Answer.SENT:
            texts = accept([batch.pk], now)
        else:
            texts = give_back(batch.pk, now, Trouble.SAID_NOT_SENT, detail=batch.detail)
        data = {"answer": self.answer.value, "note": self.note, "texts": texts, "reference": str(batch.reference)}
        log(instance=batch.store, action="smsflow.answer_for_call", user=self.user, timestamp=now, data=data)
        nudge("dispatch")
        batch.refresh_from_db()
        return batch
