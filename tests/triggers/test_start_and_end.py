"""Flows that start and end by their dates (Wagtail's schedule), as the minute tick sees to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smsflow_plugin import clock, tasks
from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.dated import enroll_by_date
from smsflow_plugin.engine.intake import let_in
from smsflow_plugin.engine.letting_in import LetIn
from smsflow_plugin.flows.program import Trigger
from smsflow_plugin.models import Contact, Enrollment, Flow, Intake, Store
from tests.factories import make_contact
from tests.triggers.helpers import happened, make_flow, on_date, set_date

pytestmark = pytest.mark.django_db


def test_a_flow_that_has_expired_takes_nobody_in_and_lets_everybody_go(store: Store) -> None:
    flow = make_flow(store, on_date(), Trigger("order_created"))
    ada, eve = make_contact(store), make_contact(store)
    happened(store, ada, "order_created", clock.now())
    LetIn(flow, contacts=[eve]).execute()
    # Wagtail's schedule goes by the machine's time
    Flow.objects.filter(pk=flow.pk).update(expire_at=clock.system() - timedelta(minutes=1))
    tasks.tick.call_local()
    flow.refresh_from_db()
    assert (flow.live, flow.expired) == (False, True)
    set_date(eve, "birthday", "1990-03-04")
    happened(store, eve, "order_created", clock.now())
    assert (enroll_by_date(), let_in()) == (0, 0)
    assert Intake.objects.get().state == "stopped"
    Contact.objects.filter(pk=ada.pk).update(wake_at=clock.now())
    Enrollment.objects.update(wake_at=clock.now())
    advance()
    run = Enrollment.objects.get()
    assert (run.contact_id, run.status, run.exit_reason) == (ada.pk, "exited", "flow_off")
