"""A budget that is raised lets those go who wait for it, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.budgets import wake_up
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.models import Contact, Decision, Enrollment, Message, Policy, Store
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def publish(store: Store | None, **values: Any) -> None:
    """Publish new rules as the panel does."""
    policy = Policy.objects.get_or_create(store=store)[0]
    for name, value in values.items():
        setattr(policy, name, value)
    policy.save_revision().publish()


@pytest.fixture
def people(store: Store, still: TestClock) -> list[Contact]:
    publish(store, prices={"": "0.10"}, budget_day="0.25")
    wake_up()
    still.move(minutes=5)
    make_flow(store, Send("a", {"": "Hi"}), name="Hi")
    make_flow(store, Wait("w", 2, "hours"), Send("b", {"": "Later"}), name="Later", trigger="browsed")
    people = [make_contact(store, phone=f"+1202555{n:04d}") for n in range(100, 106)]
    for contact in people:
        happened(store, "opted_in", phone=str(contact.phone))
        happened(store, "browsed", phone=str(contact.phone))
    pump()
    return people


def test_whoever_waits_for_money_goes_when_there_is_some(store: Store, people: list[Contact], still: TestClock) -> None:
    assert (Message.objects.count(), Decision.objects.filter(verdict="defer").count()) == (2, 4)
    assert wake_up() == 0, "nothing has changed"
    still.move(minutes=1)
    publish(store, budget_day="0.50")
    assert wake_up() == 4
    assert wake_up() == 0
    assert not Enrollment.objects.filter(flow__name="Later", wake_at__lte=still.at).exists(), "a wait is a wait"
    while advance():
        pass
    assert Message.objects.count() == 5, "three more, and no sixth"
    assert Enrollment.objects.filter(flow__name="Hi", status="waiting").count() == 1
    still.move(minutes=1)
    assert wake_up() == 0


def test_the_rules_of_the_site_and_a_budget_that_is_gone_count_too(
    store: Store, people: list[Contact], still: TestClock
) -> None:
    still.move(minutes=1)
    publish(None, budget_day="9")
    wake_up()
    pump()
    assert Message.objects.count() == 2, "the store's own is lower"
    still.move(minutes=1)
    publish(store, budget_day=None)
    assert wake_up() == 4
    pump()
    assert Message.objects.count() == 6


def test_new_rules_without_money_put_everybody_off_again(store: Store, people: list[Contact], still: TestClock) -> None:
    """Five cents are left, too little for a text: they are asked once, and wait on."""
    still.move(minutes=1)
    publish(store, minimum_gap=90)
    while wake_up():
        pump()
    assert Message.objects.count() == 2
    assert Enrollment.objects.filter(flow__name="Hi", status="waiting", wake_at__gt=still.at).count() == 4


def test_another_store_is_not_woken(store: Store, danish_store: Store, people: list[Contact], still: TestClock) -> None:
    still.move(minutes=1)
    publish(danish_store, budget_day="9")
    assert wake_up() == 0
    still.move(hours=14)
    assert Contact.objects.filter(wake_at__lte=still.at - timedelta(hours=13)).count() == 0
