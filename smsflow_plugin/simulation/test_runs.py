"""Test runs: real people go through a flow in a hurry, with real texts, before it is live or beside it.

They are enrollments with a pace. Governance holds as always: consent, caps, quiet hours.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.interpreter import State
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.moving import cancel_queued_of
from smsflow_plugin.events.models import Event
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow, FlowVersion
from smsflow_plugin.messaging.models import TestNumber
from smsflow_plugin.simulation.walk import trigger_data

#: How many people one test run takes.
MAX_PEOPLE = 20

#: Why a test run ended that was not at its end.
STOPPED = "test_stopped"


class CannotTest(Exception):
    """The test run cannot start. The message is a sentence for the person who tried."""


class StartTestRun(BaseAction):  # type: ignore[misc]
    """Let a few people into a flow as a test.

    :param instance: the flow.
    :param contact_ids: at most ``MAX_PEOPLE``; those of other stores are left out.
    :param pace: waits take so many times less.
    :param draft: whether they go through the newest draft; otherwise through what is live.
    """

    action_name = "start_test_run"
    permission_policy_action = "publish"

    def __init__(
        self, instance: Flow, user: Any = None, *, contact_ids: Iterable[int], pace: int, draft: bool = True
    ) -> None:
        super().__init__(instance, user=user)
        self.contact_ids = sorted(set(contact_ids))
        self.pace = pace
        self.draft = draft

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> list[int]:
        """Start the test, and stop the one in which somebody still is; return the people's ids.

        :raises CannotTest: if there is nobody to test with, or nothing live.
        :raises CannotCompile: if the draft is not a program yet.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        flow = self.instance
        if self.pace < 1:
            raise CannotTest(_("Choose how fast the test goes."))
        contacts = list(
            Contact.objects.filter(store_id=flow.store_id, pk__in=self.contact_ids[:MAX_PEOPLE])
            .order_by("pk")
            .select_for_update()
        )
        if not contacts:
            raise CannotTest(_("Choose at least one person."))
        version = draft_version(flow) if self.draft else flow.current_version
        if version is None:
            raise CannotTest(_("Nothing of this flow is live yet. Test the draft."))
        ids = [contact.pk for contact in contacts]
        _stop(test_runs(flow).filter(contact_id__in=ids))
        self._enter(flow, version, ids)
        log(
            instance=flow,
            action="smsflow.start_test_run",
            user=self.user,
            timestamp=clock.now(),
            data={"people": len(ids), "pace": self.pace, "draft": self.draft},
        )
        return ids

    def _enter(self, flow: Flow, version: FlowVersion, ids: list[int]) -> None:
        now = clock.now()
        name = uuid.uuid4()
        data = {
            **trigger_data(version.compiled.triggers[0], now),
            "flow": flow.pk,
            "by": self.user.get_username() if self.user else "",
            "test_pace": self.pace,
        }
        keys = {pk: f"test:{name}:{pk}" for pk in ids}
        events = bulk.insert(
            Event,
            ("store_id", "contact_id", "kind", "key", "subject", "occurred_at", "recorded_at", "data"),
            [(flow.store_id, pk, "entered_by_hand", key, f"test:{name}", now, now, data) for pk, key in keys.items()],
            returning=("id", "contact_id"),
        )
        state = State().to_json()
        bulk.insert(
            Enrollment,
            ("store_id", "flow_id", "version_id", "contact_id", "entry_key", "trigger_event_id", "status", "state",
             "wake_at", "entered_at", "test_pace"),
            [
                (flow.store_id, flow.pk, version.pk, pk, keys[pk], event, "waiting", state, now, now, self.pace)
                for event, pk in events
            ],
        )  # fmt: skip
        bulk.update(Contact, ("wake_at",), [(pk, now) for pk in ids], least=("wake_at",))


class StopTestRuns(BaseAction):  # type: ignore[misc]
    """End every test run of a flow.

    :param instance: the flow.
    """

    action_name = "stop_test_runs"
    permission_policy_action = "publish"

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> int:
        """Stop them; return how many there were."""
        self.check(skip_permission_checks=skip_permission_checks)
        ids = test_runs(self.instance).filter(status=Enrollment.Status.WAITING).values_list("contact_id", flat=True)
        # the contacts first, as everywhere: they are the unit of locking
        list(Contact.objects.filter(pk__in=list(ids)).order_by("pk").select_for_update().values_list("pk"))
        return _stop(test_runs(self.instance))


def test_runs(flow: Flow) -> QuerySet[Enrollment]:
    """Return the test runs of a flow."""
    return Enrollment.objects.filter(flow_id=flow.pk, test_pace__isnull=False)


test_runs.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of its name


def draft_version(flow: Flow) -> FlowVersion:
    """Return the version with the content of the newest draft: one that exists, or a new one that is not current.

    :raises CannotCompile: if the draft is not a program yet.
    """
    program = compile_flow(flow.get_latest_revision_as_object())
    locked = Flow.objects.select_for_update(no_key=True, of=("self",)).get(pk=flow.pk)
    same: FlowVersion | None = (
        FlowVersion.objects.filter(flow=locked, content_hash=program.content_hash).order_by("-number").first()
    )
    if same is not None:
        return same
    last = FlowVersion.objects.filter(flow=locked).aggregate(last=Max("number"))["last"] or 0
    version: FlowVersion = FlowVersion.objects.create(
        store_id=flow.store_id,
        flow=locked,
        number=last + 1,
        content_hash=program.content_hash,
        program=program.to_json(),
    )
    return version


def _stop(runs: QuerySet[Enrollment]) -> int:
    """End the runs, with what they have queued. Their contacts must be locked."""
    now = clock.now()
    ids = sorted(runs.filter(status=Enrollment.Status.WAITING).values_list("pk", flat=True))
    cancel_queued_of(ids, now)
    return Enrollment.objects.filter(pk__in=ids).update(
        status=Enrollment.Status.EXITED, exit_reason=STOPPED, finished_at=now, wake_at=None
    )


def likely_people(store_id: int, user: Any) -> Q:
    """Return the condition for people who work here: contacts with a proved test number, and the user themself."""
    numbers = TestNumber.objects.filter(store_id=store_id, verified_at__isnull=False).values("phone")
    own = Q(email__iexact=user.email) if user.email else Q()
    return (Q(phone__in=numbers) | own) if own else Q(phone__in=numbers)
