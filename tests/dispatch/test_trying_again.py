"""A text that certainly did not arrive is tried again: not too often, not too late, and never beside one that came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin.events.facts import Report
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.messaging import dispatch as dispatching
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.messaging.gateway import Rejected, Unknown
from smsflow_plugin.messaging.outbox import cancel_queued
from smsflow_plugin.messaging.reconcile import reconcile
from smsflow_plugin.messaging.reported import PAUSES
from smsflow_plugin.messaging.reports import apply_reports
from smsflow_plugin.messaging.settling import pause as let_rest
from smsflow_plugin.models import Batch, Connection, Contact, FormerCall, Message, Store
from tests.conftest import NOON, TestClock
from tests.dispatch.conftest import Queue
from tests.dispatch.scripted import ScriptedGateway

pytestmark = pytest.mark.django_db
Gateway = type[ScriptedGateway]


def tell(message: Message, reference: str, status: str, still: TestClock, cause: Cause = Cause.UNKNOWN) -> None:
    """Let the gateway report what became of the text in the call with this reference."""
    code = 404 if cause is Cause.TEMPORARY else None
    report = Report(message.to, ReportStatus(status), still.at, reference=reference, cause=cause, code=code)
    with transaction.atomic():
        apply_reports([(message.store_id, report)], still.at)
    message.refresh_from_db()


def fails_for_now(message: Message, gateway: Gateway, still: TestClock, call: int = -1) -> None:
    tell(message, gateway.calls[call].reference, "failed", still, Cause.TEMPORARY)


def test_a_temporary_failure_is_tried_again_after_a_while_in_a_new_call(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    message = queue()
    dispatch()
    fails_for_now(message, gateway, still)
    assert (message.state, message.reason, message.batch) == ("queued", "try_again", None)
    assert message.not_before == NOON + PAUSES[0]
    assert dispatch().taken == 0
    still.move(seconds=PAUSES[0].total_seconds())
    assert dispatch().accepted == 1
    first, second = (call.reference for call in gateway.calls)
    assert first != second
    tell(message, second, "delivered", still)
    assert (message.state, message.reason, message.error_code) == ("delivered", "", None)


def test_after_three_tries_more_it_has_failed(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    message = queue()
    dispatch()
    for pause in PAUSES:
        fails_for_now(message, gateway, still)
        assert message.state == "queued"
        still.move(seconds=pause.total_seconds())
        assert dispatch().accepted == 1
    fails_for_now(message, gateway, still)
    assert (message.state, message.reason, message.error_code) == ("failed", "temporary", 404)
    assert len(gateway.calls) == 4


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in (Cause.TEMPORARY, Cause.ACCOUNT)])
def test_nothing_else_is_tried_again(gateway: Gateway, queue: Queue, still: TestClock, cause: Cause) -> None:
    message = queue()
    dispatch()
    tell(message, gateway.calls[0].reference, "failed", still, cause)
    assert (message.state, message.reason) == ("failed", cause.value)
    assert not FormerCall.objects.exists()


@pytest.mark.parametrize(
    "values", [{"message_class": "reply", "queued_at": NOON - timedelta(minutes=57)}, {"expires_at": NOON + PAUSES[0]}]
)
def test_nothing_is_tried_again_that_would_come_too_late(
    gateway: Gateway, queue: Queue, still: TestClock, values: dict[str, object]
) -> None:
    message = queue(**values)
    dispatch()
    fails_for_now(message, gateway, still)
    assert message.state == "failed"


def test_who_says_no_before_the_next_try_gets_none(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    message = queue()
    dispatch()
    fails_for_now(message, gateway, still)
    Contact.objects.update(marketing_consent="revoked")
    still.move(minutes=6)
    dispatch()
    message.refresh_from_db()
    assert (message.state, len(gateway.calls)) == ("cancelled", 1)


def test_a_late_report_that_it_came_all_the_same_ends_the_tries(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    message = queue()
    dispatch()
    fails_for_now(message, gateway, still)
    tell(message, gateway.calls[0].reference, "delivered", still)
    assert message.state == "delivered"
    still.move(minutes=6)
    assert (dispatch().taken, len(gateway.calls)) == (0, 1)


def test_a_late_report_takes_the_text_out_of_a_call_that_is_about_to_leave(
    gateway: Gateway, queue: Queue, still: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, other = queue("Sale!"), queue("Sale!")
    dispatch()
    for one in (message, other):
        tell(one, gateway.calls[0].reference, "failed", still, Cause.TEMPORARY)
    still.move(minutes=6)
    leave = dispatching.leave

    def meanwhile(batch_id: int, group: object, now: object) -> object:
        tell(message, gateway.calls[0].reference, "delivered", still)
        return leave(batch_id, group, now)  # type: ignore[arg-type]

    monkeypatch.setattr(dispatching, "leave", meanwhile)
    dispatch()
    assert gateway.calls[1].recipients == (other.to,)
    message.refresh_from_db()
    assert message.state == "delivered"


def test_a_call_that_was_said_to_be_missing_and_was_made_ends_the_next_one(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    message = queue()
    gateway.answer = staticmethod(lambda text: Unknown("timed out"))
    dispatch()
    still.move(minutes=2)
    reconcile()  # the gateway's list lags behind: "never heard of it"
    dispatch()  # cut off again
    assert len(gateway.calls) == 2
    tell(message, gateway.calls[0].reference, "delivered", still)
    assert message.state == "delivered"
    still.move(minutes=2)
    reconcile()
    assert (dispatch().taken, len(gateway.calls)) == (0, 2)


def test_old_words_about_an_old_call_change_nothing(gateway: Gateway, queue: Queue, still: TestClock) -> None:
    message = queue()
    dispatch()
    fails_for_now(message, gateway, still)
    for status in ("dispatched", "failed", "expired", "cancelled"):
        tell(message, gateway.calls[0].reference, status, still)
        assert (message.state, message.not_before) == ("queued", NOON + PAUSES[0])
    still.move(minutes=6)
    dispatch()
    for status in ("dispatched", "failed", "expired"):
        tell(message, gateway.calls[0].reference, status, still, Cause.TEMPORARY)
        assert message.state == "accepted"


def test_an_account_without_credit_rests_and_its_people_are_not_to_blame(
    gateway: Gateway, queue: Queue, still: TestClock, connection: Connection
) -> None:
    message = queue()
    dispatch()
    tell(message, gateway.calls[0].reference, "failed", still, Cause.ACCOUNT)
    assert message.state == "queued"
    connection.refresh_from_db()
    assert connection.settings["pause"]["blocked_since"] == NOON.isoformat()


def test_an_account_may_be_without_credit_for_longer_than_three_tries(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    message = queue()
    dispatch()
    for pause in (*PAUSES, PAUSES[-1], PAUSES[-1]):
        tell(message, gateway.calls[-1].reference, "failed", still, Cause.ACCOUNT)
        assert message.state == "queued"
        still.move(seconds=pause.total_seconds())
        assert dispatch().accepted == 1
    tell(message, gateway.calls[-1].reference, "delivered", still)
    assert message.state == "delivered"


def test_a_rate_limit_does_not_end_the_rest_of_a_blocked_gateway(store: Store, connection: Connection) -> None:
    let_rest(connection.pk, NOON + timedelta(minutes=5), "No credit.", blocked=NOON)
    let_rest(connection.pk, NOON + timedelta(seconds=30), "Too fast.")
    connection.refresh_from_db()
    assert connection.settings["pause"] == {
        "until": (NOON + timedelta(minutes=5)).isoformat(),
        "reason": "No credit.",
        "blocked_since": NOON.isoformat(),
    }


def test_who_opts_out_while_a_text_waits_for_its_next_try_has_it_cancelled(
    gateway: Gateway, queue: Queue, still: TestClock
) -> None:
    message = queue()
    dispatch()
    fails_for_now(message, gateway, still)
    assert cancel_queued({message.contact_id or 0}, "opted_out") == 1


OPS = st.sampled_from(
    ["dispatch", "wait", "opt_out", "refuse"]
    + [
        f"{status}:{call}"
        for status in ("dispatched", "delivered", "read", "temporary", "failed", "expired")
        for call in (0, 1, 2)
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(OPS, min_size=1, max_size=25))
def test_whatever_is_reported_in_whatever_order_nobody_is_texted_again_who_has_got_it(
    gateway: Gateway, queue: Queue, still: TestClock, ops: list[str]
) -> None:
    still.at = NOON
    ScriptedGateway.reset()
    with transaction.atomic():
        message = queue()
        arrived_before_call: list[bool] = []
        arrived = False
        for op in ops:
            if op == "dispatch":
                before = len(gateway.calls)
                dispatch()
                arrived_before_call += [arrived] * (len(gateway.calls) - before)
            elif op == "wait":
                still.move(minutes=40)
            elif op == "opt_out":
                cancel_queued({message.contact_id or 0}, "opted_out")
            elif op == "refuse":
                gateway.answer = staticmethod(lambda text: Rejected("No.")) if gateway.answer is None else None
            else:
                word, _colon, call = op.partition(":")
                if int(call) >= len(gateway.calls):
                    continue
                status, cause = ("failed", Cause.TEMPORARY) if word == "temporary" else (word, Cause.UNKNOWN)
                reference = gateway.calls[int(call)].reference
                tell(message, reference, status, still, cause)
                arrived = arrived or word in ("delivered", "read")
                assert not arrived or message.state == "delivered"
        message.refresh_from_db()
        assert not any(arrived_before_call), "a text that has arrived was sent again"
        assert len(gateway.calls) <= 1 + len(PAUSES)
        assert (message.state == "sending") is False
        assert Batch.objects.filter(state="sending").count() == 0
        if message.state == "queued":
            assert message.batch_id is None or message.batch is not None
        transaction.set_rollback(True)
