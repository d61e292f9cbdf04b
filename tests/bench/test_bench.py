"""The benchmark measures real work, and leaves no trace."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from smsflow_plugin import clock
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.measurement import benchmark
from smsflow_plugin.models import Contact, Enrollment, Heartbeat, Message, Store
from tests.factories import make_contact

pytestmark = pytest.mark.django_db

KEYS = {
    "steps_per_second",
    "cpu_seconds_per_1000_steps",
    "statements_per_step",
    "bare_sql_cpu_seconds_per_1000_steps",
    "cpu_ratio_to_bare_sql",
}


def bench(**options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("smsflow_bench", "--json", stdout=out, stderr=StringIO(), **options)
    figures: dict[str, Any] = json.loads(out.getvalue())
    return figures


def test_the_figures_are_there_and_nothing_is_left(store: Store) -> None:
    neighbour = make_contact(store)
    figures = bench(contacts=40, waiting=25)
    assert figures.keys() >= KEYS
    assert all(figures[key] > 0 for key in KEYS)
    assert (figures["contacts"], figures["waiting"], figures["steps"]) == (40, 25, 200)
    assert list(Store.objects.all()) == [store]
    assert list(Contact.objects.all()) == [neighbour]
    assert not Message.objects.exists()
    assert not Enrollment.objects.exists()


def test_statements_do_not_grow_with_the_contacts(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # a version of another test, rolled back, may have had the same id: reading it would then cost nothing
    monkeypatch.setattr(Programs, "_kept", {})
    bench(contacts=2)  # stores the places where people may be
    few, many = bench(contacts=30), bench(contacts=300)
    assert few["statements"] == many["statements"]


def test_stopping_it_leaves_nothing_behind(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark, "advance", stop)
    with pytest.raises(CommandError, match="Stopped"):
        bench(contacts=10)
    assert not Store.objects.exists()
    assert not Contact.objects.exists()


def test_pumps_that_do_not_do_the_work_give_no_figures(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "advance", lambda: 0)
    with pytest.raises(CommandError, match="did not send"):
        bench(contacts=10)


def test_it_keeps_away_from_other_peoples_work(store: Store) -> None:
    make_contact(store, wake_at=clock.now())
    with pytest.raises(CommandError, match="contacts who are due"):
        bench(contacts=10)
    Contact.objects.all().delete()
    Heartbeat.objects.create(name="worker", at=clock.now())
    with pytest.raises(CommandError, match="worker is running"):
        bench(contacts=10)


@pytest.mark.parametrize("options", [{"contacts": 0}, {"contacts": 10, "waiting": -1}])
def test_senseless_sizes_are_refused(db: None, options: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="--"):
        bench(**options)
