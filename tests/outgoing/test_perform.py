"""The perform pump: done once, written down, tried again, cut off."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin import clock
from smsflow_plugin.engine.performing import LEASE, PAUSES, Failed, next_effect, perform
from smsflow_plugin.models import Contact, Effect, Enrollment, Flow, Store
from tests.outgoing.conftest import Recorder

pytestmark = pytest.mark.django_db


def test_an_effect_is_done_once_and_its_answer_wakes_the_run_that_waits(
    still: Any, want: Any, run: Enrollment, recorder: Recorder
) -> None:
    effect = want("webhook", waits=True, url="https://example.com")
    recorder.answers = [{"points": 12}]

    assert perform() == 1
    assert perform() == 0

    effect.refresh_from_db()
    run.refresh_from_db()
    assert (effect.state, effect.result, effect.finished_at) == ("done", {"value": {"points": 12}}, clock.now())
    assert run.wake_at == clock.now()
    assert Contact.objects.get(pk=run.contact_id).wake_at == clock.now()
    assert [job.key for job in recorder.jobs] == [f"{run.pk}:s:0"]


def test_a_run_that_does_not_wait_is_left_alone(still: Any, want: Any, run: Enrollment, recorder: Recorder) -> None:
    want("notice", to=["a@example.com"])
    perform()
    run.refresh_from_db()
    assert run.wake_at is None


def test_waking_never_puts_off_what_is_due_earlier(still: Any, want: Any, run: Enrollment, recorder: Recorder) -> None:
    earlier = clock.now()
    Contact.objects.filter(pk=run.contact_id).update(wake_at=earlier)
    still.move(minutes=1)
    want("webhook", waits=True)
    perform()
    assert Contact.objects.get(pk=run.contact_id).wake_at == earlier


def test_a_failure_that_may_pass_is_tried_again_after_growing_pauses_and_then_tells_the_run(
    still: Any, want: Any, run: Enrollment, recorder: Recorder
) -> None:
    effect = want("webhook", waits=True)
    recorder.answers = [Failed("Busy.", again=True) for _ in range(len(PAUSES) + 1)]
    for pause in PAUSES:
        assert perform() == 1
        assert perform() == 0
        assert next_effect() == clock.now() + pause
        still.move(seconds=pause.total_seconds())
    perform()
    effect.refresh_from_db()
    run.refresh_from_db()
    assert (effect.state, effect.result, effect.attempts) == ("failed", {"error": "Busy."}, len(PAUSES) + 1)
    assert run.wake_at == clock.now()
    assert len({job.key for job in recorder.jobs}) == 1


def test_a_clear_refusal_is_not_repeated(still: Any, want: Any, recorder: Recorder) -> None:
    effect = want("webhook")
    recorder.answers = [Failed("No.")]
    perform()
    effect.refresh_from_db()
    assert (effect.state, effect.attempts) == ("failed", 1)


def test_an_unforeseen_error_stops_neither_the_pump_nor_the_next_effect(
    still: Any, want: Any, recorder: Recorder
) -> None:
    broken, fine = want("email", step="a"), want("notice", step="b")
    recorder.answers = [RuntimeError("Broken.")]
    assert perform() == 2
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert broken.state == "failed"
    assert fine.state == "done"


class Cut(BaseException):
    """The worker dies."""


@pytest.mark.parametrize(("kind", "calls", "state"), [("webhook", 2, "done"), ("email", 1, "failed")])
def test_after_a_kill_a_webhook_is_repeated_with_its_key_and_an_email_is_not(
    still: Any, want: Any, recorder: Recorder, kind: str, calls: int, state: str
) -> None:
    effect = want(kind)
    recorder.answers = [Cut()]
    with pytest.raises(Cut):
        perform()
    assert perform() == 0, "it is still somebody's"
    still.move(seconds=LEASE.total_seconds())
    assert perform() == 1
    effect.refresh_from_db()
    assert effect.state == state
    assert len(recorder.jobs) == calls
    assert len({job.key for job in recorder.jobs}) == 1


def test_a_paused_flow_and_a_store_that_is_off_do_nothing(
    still: Any, want: Any, run: Enrollment, recorder: Recorder
) -> None:
    want("webhook")
    Flow.objects.update(paused_at=clock.now())
    assert perform() == 0
    Flow.objects.update(paused_at=None)
    Store.objects.update(status=Store.Status.PAUSED)
    assert perform() == 0
    Store.objects.update(status=Store.Status.ACTIVE)
    assert perform() == 1


def test_a_kind_that_nobody_does_fails_with_a_sentence(still: Any, want: Any, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PERFORMERS": {}}
    effect = want("webhook")
    perform()
    effect.refresh_from_db()
    assert effect.state == Effect.State.FAILED
    assert "kind webhook" in effect.result["error"]
