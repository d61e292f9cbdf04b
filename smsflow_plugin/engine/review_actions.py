"""What staff decides about a reply that may be an opt-out."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.actions import RecordOptOut, Wording
from smsflow_plugin.engine.reviews import close_reviews
from smsflow_plugin.events.models import ReplyReview
from smsflow_plugin.nudge import nudge

#: Where such an opt-out came from, in the consent ledger.
SOURCE = "unclear_reply"


class DecideReply(BaseAction):  # type: ignore[misc]
    """Say what a person meant: that they want no more texts, or something else.

    An opt-out counts from the moment at which they wrote it, with their own words as evidence. Nobody is
    texted about it. A reply that has been decided stays decided.

    :param instance: the reply.
    :param no_more: whether they want no more texts.
    """

    action_name = "decide_reply"
    permission_policy_action = "change"

    def __init__(self, instance: ReplyReview, user: Any = None, *, no_more: bool) -> None:
        super().__init__(instance, user=user)
        self.no_more = no_more

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> ReplyReview:
        """Close the reply, and record the opt-out if it was one."""
        self.check(skip_permission_checks=skip_permission_checks)
        # the contact first, as everywhere: it is the unit of locking
        contact = Contact.objects.select_for_update().get(pk=self.instance.contact_id)
        review = ReplyReview.objects.get(pk=self.instance.pk)
        if review.state != ReplyReview.State.OPEN:
            return review
        now = clock.now()
        state = ReplyReview.State.STOP if self.no_more else ReplyReview.State.KEEP
        close_reviews(contact, state, now, self.user, only=review.pk)
        if self.no_more:
            RecordOptOut(contact, self.user, wording=self._wording(review)).execute(skip_permission_checks=True)
        log(
            instance=contact,
            action="smsflow.decide_reply",
            user=self.user,
            timestamp=now,
            data={"state": state.value, "text": review.body[:500]},
        )
        nudge("advance")
        review.refresh_from_db()
        return review

    def _wording(self, review: ReplyReview) -> Wording:
        return Wording(review.body, review.received_at, review.key, SOURCE, {"because": review.because})
