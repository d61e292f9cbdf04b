"""A walk and a live run of the same program give the same texts at the same times."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from smsflow_plugin.engine.advance import next_wake
from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.models import Contact, FlowVersion, Message, Store
from smsflow_plugin.simulation.script import read_script
from smsflow_plugin.simulation.walk import SUBJECT, Person, trigger_data, walk
from tests.conftest import TestClock
from tests.engine.helpers import happened, make_flow, pump, texted
from tests.factories import make_contact
from tests.simulation.programs import CART_REMINDER, EVENING, QUIZ

PHONE = "+12025550199"

SCRIPTS: list[tuple[Program, list[dict[str, Any]]]] = [
    (CART_REMINDER, [{"do": "next"}] * 4),
    (CART_REMINDER, [{"do": "wait", "minutes": 90}, {"do": "event", "kind": "order_created"}, {"do": "next"}]),
    (CART_REMINDER, [{"do": "wait", "minutes": 3000}]),
    (QUIZ, [{"do": "wait", "minutes": 5}, {"do": "reply", "text": "a, please"}] + [{"do": "next"}] * 4),
    (QUIZ, [{"do": "reply", "text": "what?"}, {"do": "reply", "text": "coffee"}] + [{"do": "next"}] * 4),
    (QUIZ, [{"do": "next"}] * 5),
    (QUIZ, [{"do": "reply", "text": "STOP"}, {"do": "next"}]),
    (EVENING, [{"do": "next"}] * 6),
    (EVENING, [{"do": "next"}, {"do": "next"}, {"do": "event", "kind": "parcel_delivered"}]),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("program", "script"), SCRIPTS)
@pytest.mark.parametrize("timezone", ["America/New_York", "Pacific/Auckland"])
def test_walking_gives_what_running_gives(
    store: Store, still: TestClock, program: Program, script: list[dict[str, Any]], timezone: str
) -> None:
    contact = make_contact(store, phone=PHONE, timezone=timezone, first_name="Grace")
    walked = walk(
        program,
        Person(Contact.objects.get(pk=contact.pk)),
        read_script(script)[0],
        rules=rules_of([store])[store.pk],
        store=store,
        start=still.at,
    )
    expected = [(moment.at, moment.step, moment.text, moment.parts) for moment in walked.texts]
    assert live(store, still, program, script) == expected
    contact.refresh_from_db()
    assert set(map(str, contact.tags)) == set(map(str, walked.contact.tags))
    assert contact.fields == walked.contact.fields


def live(
    store: Store, still: TestClock, program: Program, script: list[dict[str, Any]]
) -> list[tuple[datetime, str, str, int]]:
    """Let the same things happen to the same person for real; return their texts."""
    flow = make_flow(store, *program.instructions, triggers=program.triggers, exits=program.exits)
    assert FlowVersion.objects.get(flow=flow).compiled == program
    kind = program.triggers[0].kind
    happened(store, kind, phone=PHONE, subject=SUBJECT, data=trigger_data(program.triggers[0], still.at))
    pump()
    for item in script:
        match item["do"]:
            case "next":
                if (due := next_wake()) is not None:
                    still.at = max(still.at, due)
            case "wait":
                until = still.at + timedelta(minutes=item["minutes"])
                while (due := next_wake()) is not None and due <= until:
                    still.at = max(still.at, due)
                    pump()
                still.at = until
            case "reply":
                texted(store, item["text"], phone=PHONE)
            case "event":
                happened(store, item["kind"], phone=PHONE, subject=SUBJECT)
        pump()
    rows = Message.objects.filter(flow=flow).order_by("pk").values_list("queued_at", "step", "body", "parts")
    return list(rows)
