from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin import clock as the_clock
from smsflow_plugin.integrations.simulator import clock
from smsflow_plugin.integrations.simulator.models import SimulatedClock

START = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's time stands still, and no test remembers the offset of another."""
    monkeypatch.setattr(the_clock, "system", lambda: START)
    monkeypatch.setattr(clock, "_known", (float("-inf"), timedelta()))
    yield
    clock.forget()


@pytest.mark.django_db
def test_the_simulated_time_is_the_machines_until_somebody_moves_it() -> None:
    assert clock.now() == START
    assert clock.forward(timedelta(hours=1)) == START + timedelta(hours=1)
    assert clock.now() == START + timedelta(hours=1)


@pytest.mark.django_db
def test_every_move_adds_to_the_moves_before() -> None:
    clock.forward(timedelta(hours=1))
    clock.forward(timedelta(days=1))
    assert clock.now() == START + timedelta(days=1, hours=1)
    assert SimulatedClock.objects.count() == 1


@pytest.mark.django_db
def test_forward_to_reaches_the_moment_and_never_stops_short_of_it() -> None:
    moment = START + timedelta(minutes=30, microseconds=1)
    assert clock.forward_to(moment) >= moment
    assert clock.now() - moment < timedelta(seconds=1)


@pytest.mark.django_db
def test_a_moment_that_is_past_moves_nothing() -> None:
    clock.forward(timedelta(hours=5))
    assert clock.forward_to(START + timedelta(hours=1)) == START + timedelta(hours=5)


@pytest.mark.django_db
def test_time_cannot_be_moved_backwards() -> None:
    with pytest.raises(ValueError, match="never goes backwards"):
        clock.forward(timedelta(seconds=-1))


@pytest.mark.django_db
def test_another_process_sees_the_move_once_its_cache_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([100.0, 100.1, 100.1 + clock.CACHE_SECONDS, 200.0, 200.0])
    monkeypatch.setattr(clock.time, "monotonic", lambda: next(ticks))
    clock._remember(timedelta())
    SimulatedClock.objects.create(ahead_seconds=60)  # as another process does it
    assert clock.now() == START
    assert clock.now() == START + timedelta(seconds=60)


@pytest.mark.django_db(transaction=True)
def test_without_its_table_the_time_can_be_told_and_the_transaction_lives_on(danish_store: Any) -> None:
    with connection.schema_editor() as editor:
        editor.delete_model(SimulatedClock)
    try:
        with transaction.atomic():
            assert clock.now() == START
            danish_store.refresh_from_db()  # the transaction is not broken
        clock.forget()
        assert clock.now() == START
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(SimulatedClock)


@pytest.mark.django_db(transaction=True)
def test_inside_a_broken_transaction_the_last_known_time_is_told() -> None:
    clock.forward(timedelta(hours=1))
    with pytest.raises(DatabaseError), transaction.atomic():
        transaction.set_rollback(True)
        clock.forget()
        assert clock.now() == START + timedelta(hours=1)
        raise DatabaseError


@pytest.mark.django_db(transaction=True)
def test_two_who_move_the_time_at_once_both_count() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite in memory refuses a second writer instead of letting it wait.")
    clock.forward(timedelta(0))
    threads = [threading.Thread(target=_forward_and_close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.forget()
    assert clock.now() == START + timedelta(hours=4)


def _forward_and_close() -> None:
    clock.forward(timedelta(hours=1))
    connection.close()


@given(st.lists(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)), max_size=5))
@pytest.mark.django_db
def test_whatever_the_moves_the_time_only_grows(deltas: list[timedelta]) -> None:
    SimulatedClock.objects.all().delete()
    clock.forget()
    before = clock.now()
    for delta in deltas:
        after = clock.forward(delta)
        assert after >= before + delta
        before = after
