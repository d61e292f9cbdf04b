"""A run that wants something done, and something that does it."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.engine.interpreter import State
from smsflow_plugin.engine.performing import Job
from smsflow_plugin.flows.program import Program, Trigger, Wait
from smsflow_plugin.models import Contact, Effect, Enrollment, Flow, FlowVersion, Store
from tests.factories import make_contact

PROGRAM = Program((Trigger("opted_in"),), (Wait("w", 1, "days"),))


@pytest.fixture
def contact(store: Store) -> Contact:
    return make_contact(store)


@pytest.fixture
def run(contact: Contact) -> Enrollment:
    """Ada waits in a flow until tomorrow."""
    flow = Flow.objects.create(store=contact.store, name="Welcome", live=True)
    version = FlowVersion.objects.create(
        store=contact.store, flow=flow, number=1, content_hash="x", program=PROGRAM.to_json()
    )
    return Enrollment.objects.create(
        store=contact.store, flow=flow, version=version, contact=contact, state=State().to_json()
    )


@pytest.fixture
def want(run: Enrollment) -> Any:
    """Queues an effect of the run: ``want("webhook", url=…, waits=True)``."""

    def queue(kind: str, *, waits: bool = False, step: str = "s", **payload: Any) -> Effect:
        return Effect.objects.create(
            store=run.store, contact=run.contact, flow=run.flow, enrollment=run, step=step, kind=kind,
            payload=payload, waits=waits, not_before=clock.now(),
        )  # fmt: skip

    return queue


class Recorder:
    """Does every job in the way that the test says, and remembers it."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.answers: list[Any] = []

    def __call__(self, job: Job) -> Any:
        self.jobs.append(job)
        answer = self.answers.pop(0) if self.answers else {"ok": True}
        if isinstance(answer, BaseException):
            raise answer
        return answer


RECORDER = Recorder()


@pytest.fixture
def recorder(settings: Any) -> Recorder:
    RECORDER.__init__()  # type: ignore[misc]
    name = "tests.outgoing.conftest.RECORDER"
    settings.SMSFLOW = {
        **settings.SMSFLOW,
        "PERFORMERS": {"webhook": name, "email": name, "notice": name, "discount": name},
    }
    return RECORDER
