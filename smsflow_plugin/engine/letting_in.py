"""What people do to let somebody, many, or everybody into a flow by hand."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.models import Intake
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.nudge import nudge


class CannotLetIn(Exception):
    """Nobody can be let in. The message is a sentence for the person who tried."""


class LetIn(BaseAction):  # type: ignore[misc]
    """Let people into a live flow: some by name, or everybody who matches.

    :param instance: the flow.
    :param contacts: the people or their ids; None means everybody whom ``condition`` selects.
        People of other stores are left out.
    :param condition: see ``audience.filters``; None means the flow's own audience.
    :param apply_audience: whether the flow's own audience is asked. Consent, caps and quiet
        hours hold in any case.
    :param again: whether somebody who was in the flow before may enter once more.
    :param test_pace: waits take so many times less: a test run, for people by name only.
    """

    action_name = "let_in"
    permission_policy_action = "publish"

    def __init__(
        self,
        instance: Flow,
        user: Any = None,
        *,
        contacts: Iterable[Contact | int] | None = None,
        condition: Condition | None = None,
        apply_audience: bool = True,
        again: bool = False,
        test_pace: int | None = None,
    ) -> None:
        super().__init__(instance, user=user)
        self.contact_ids = None if contacts is None else sorted({_id(contact) for contact in contacts})
        self.condition = condition
        self.apply_audience = apply_audience
        self.again = again
        self.test_pace = test_pace

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Intake:
        """Write the crowd down; the pump lets it in.

        :raises CannotLetIn: if the flow takes nobody in, or there is nobody.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        flow = self.instance
        if not flow.live or flow.current_version_id is None:
            raise CannotLetIn(_("The flow is not live, so nobody can be let in. Publish it first."))
        if self.test_pace is not None and self.contact_ids is None:
            raise CannotLetIn(_("Choose the people for a test run: it is not for everybody."))
        ids = self._own()
        if ids is not None and not ids:
            raise CannotLetIn(_("None of these people belong to the store of this flow."))
        by = self.user.get_username() if self.user else ""
        intake = Intake.objects.create(
            store_id=flow.store_id,
            flow=flow,
            key=f"hand:{uuid.uuid4()}",
            kind="entered_by_hand",
            data={"by": by, **({"again": True} if self.again else {})},
            contact_ids=ids,
            condition=self.condition,
            apply_audience=self.apply_audience,
            test_pace=self.test_pace,
            total=None if ids is None else len(ids),
            created_by=by,
        )
        log(
            instance=flow,
            action="smsflow.let_in",
            user=self.user,
            timestamp=clock.now(),
            data={"people": intake.total, "apply_audience": self.apply_audience, "test": self.test_pace is not None},
        )
        nudge("let_in")
        return intake

    def _own(self) -> list[int] | None:
        if self.contact_ids is None:
            return None
        own = Contact.objects.filter(store_id=self.instance.store_id, pk__in=self.contact_ids)
        return sorted(own.values_list("pk", flat=True))


def _id(contact: Contact | int) -> int:
    return contact if isinstance(contact, int) else contact.pk
