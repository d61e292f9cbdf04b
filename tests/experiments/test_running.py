"""Experiments in flows that run: variants, ways, holdouts, and who was exposed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.trials import flow_holdout, store_holdout
from smsflow_plugin.flows.program import Exit, Jump, Reentry, Send, Split, Variant, Wait
from smsflow_plugin.models import Contact, Decision, Exposure, Message, Policy, Store
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import make_contact

AB = Send("s1", {"": "Hello A"}, variants=(Variant("B", 50, {"": "Hello B"}),))
HELLO = Send("s1", {"": "Hello"})


def people(store: Store, count: int = 40, **values: Any) -> list[Contact]:
    found = []
    for number in range(count):
        phone = f"+1202555{1000 + number}"
        found.append(make_contact(store, phone=phone, uuid=uuid.UUID(int=number + 1), **values))
    return found


def enter(store: Store, who: list[Contact], kind: str = "opted_in", **values: Any) -> None:
    for contact in who:
        happened(store, kind, phone=str(contact.phone), **values)
    pump()


def exposures() -> dict[int, tuple[str, str]]:
    return {each.contact_id: (each.experiment, each.arm) for each in Exposure.objects.all()}


def one(who: list[Contact], wanted: Callable[[str], Any]) -> Contact:
    return next(contact for contact in who if wanted(str(contact.uuid)))


# Variants ----------------------------------------------------------------------------------------


def test_each_person_gets_one_of_the_variants_and_is_exposed_to_it(store: Store, still: TestClock) -> None:
    who = people(store)
    flow = make_flow(store, AB)
    enter(store, who)
    texts = {message.contact_id: message for message in Message.objects.all()}
    assert len(texts) == 40
    assert {message.variant for message in texts.values()} == {"A", "B"}
    for contact in who:
        message, (experiment, arm) = texts[contact.pk], exposures()[contact.pk]
        assert f"Hello {message.variant}" in message.body
        assert arm == message.variant
        assert experiment.startswith(f"flow:{flow.pk}:s1@")
        assert message.version_id == flow.current_version_id
    row = Exposure.objects.first()
    assert row is not None
    assert (row.store, row.flow_id, row.step, row.at) == (store, flow.pk, "s1", NOON)
    assert Enrollment.objects.filter(pk=row.enrollment_id, contact_id=row.contact_id).exists()


def test_the_same_person_gets_the_same_again_and_the_first_exposure_stays(store: Store, still: TestClock) -> None:
    who = people(store, 6)
    make_flow(store, AB, reentry=Reentry("always"))
    enter(store, who)
    before = exposures()
    still.move(days=1)
    enter(store, who)
    for contact in who:
        assert len({message.variant for message in Message.objects.filter(contact=contact)}) == 1
        assert Message.objects.filter(contact=contact).count() == 2
    assert exposures() == before
    assert {each.at for each in Exposure.objects.all()} == {NOON}


def test_who_takes_part_does_not_depend_on_the_words_they_were_drawn_for(store: Store, still: TestClock) -> None:
    who = people(store, first_name="")
    make_flow(store, Send("s1", {"": "Hello"}, variants=(Variant("B", 50, {"": "Hello {{ contact.first_name }}"}),)))
    enter(store, who)
    # only A can be written for people without a name; in B they count all the same
    assert set(Message.objects.values_list("variant", flat=True)) == {"A"}
    arms = [arm for _experiment, arm in exposures().values()]
    assert (len(arms), set(arms)) == (40, {"A", "B"})
    assert arms.count("A") == Message.objects.count()


def test_who_is_not_texted_is_not_exposed(store: Store, still: TestClock) -> None:
    who = people(store, 4, marketing_consent="revoked")
    make_flow(store, AB, trigger="order_created")
    enter(store, who, "order_created")
    assert Decision.objects.count() == 4
    assert exposures() == {}


def test_who_waits_for_the_morning_is_exposed_in_the_morning(store: Store, still: TestClock) -> None:
    still.move(hours=12)
    who = people(store, 4)
    make_flow(store, AB)
    enter(store, who)
    assert exposures() == {}
    still.move(hours=12)
    pump()
    assert {each.at for each in Exposure.objects.all()} == {still()}


def test_a_text_without_variants_names_none(store: Store, still: TestClock) -> None:
    make_flow(store, HELLO)
    enter(store, people(store, 2))
    assert {message.variant for message in Message.objects.all()} == {""}
    assert exposures() == {}


# Ways --------------------------------------------------------------------------------------------


def test_whoever_comes_to_a_split_is_exposed_to_its_way(store: Store, still: TestClock) -> None:
    who = people(store)
    flow = make_flow(
        store,
        Split("x", (50, 50), (1, 3)),
        Send("one", {"": "One"}),
        Jump("x", 4),
        Send("two", {"": "Two"}),
        Wait("w", 1, "days"),
        HELLO,
    )
    enter(store, who)
    shown = exposures()
    for message in Message.objects.all():
        experiment, arm = shown[message.contact_id]
        assert arm == {"one": "A", "two": "B"}[message.step]
        assert experiment.startswith(f"flow:{flow.pk}:x@")
    assert {arm for _name, arm in shown.values()} == {"A", "B"}
    before = Exposure.objects.count()
    still.move(days=1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        advance()
    # nobody comes to the split again, so nothing is written
    assert not [each for each in queries if "exposure" in each["sql"]]
    assert Exposure.objects.count() == before


# Holdouts ----------------------------------------------------------------------------------------


def test_some_get_nothing_of_a_flow_and_go_on_all_the_same(store: Store, still: TestClock) -> None:
    who = people(store)
    flow = make_flow(store, HELLO, Wait("w", 1, "days"), Exit("x"), holdout=30)
    enter(store, who)
    held = {contact.pk for contact in who if flow_holdout(flow.pk, 30, str(contact.uuid))[0]}
    assert 3 < len(held) < 25
    assert {message.contact_id for message in Message.objects.all()} == {contact.pk for contact in who} - held
    skipped = Decision.objects.filter(contact_id__in=held)
    assert {(each.verdict, each.reason) for each in skipped} == {("skip", "holdout")}
    assert exposures() == {
        contact.pk: (f"flow:{flow.pk}@30", "held" if contact.pk in held else "sent") for contact in who
    }
    assert set(Enrollment.objects.values_list("status", flat=True)) == {"waiting"}


def test_who_would_have_got_nothing_anyway_is_not_part_of_the_holdout(store: Store, still: TestClock) -> None:
    who = people(store, 20, marketing_consent="revoked")
    make_flow(store, HELLO, holdout=50, trigger="order_created")
    make_flow(store, Send("s2", {"": "Hi {{ trigger.nothing }}"}), holdout=50, trigger="customer_created")
    enter(store, who, "order_created")
    enter(store, people_with_consent(who), "customer_created")
    assert set(Decision.objects.values_list("reason", flat=True)) == {"opted_out", "missing_data"}
    assert exposures() == {}


def people_with_consent(who: list[Contact]) -> list[Contact]:
    Contact.objects.filter(pk__in=[contact.pk for contact in who]).update(marketing_consent="granted")
    return who


@pytest.mark.parametrize("kind", ["service", "optin"])
def test_only_marketing_is_held_out(store: Store, still: TestClock, kind: str) -> None:
    Policy.objects.update(holdout=50)
    who = people(store, 20)
    make_flow(store, HELLO, holdout=50, message_class=kind, trigger="order_created")
    enter(store, who, "order_created")
    assert Message.objects.count() == 20
    assert exposures() == {}


def test_the_holdout_of_a_store_counts_in_all_flows(store: Store, still: TestClock) -> None:
    Policy.objects.update(holdout=20, caps=[], minimum_gap=0)
    who = people(store)
    make_flow(store, HELLO)
    make_flow(store, Send("t1", {"": "Sale"}), trigger="order_created", name="Sale")
    enter(store, who)
    enter(store, who, "order_created")
    held = {contact.pk for contact in who if store_holdout(store.pk, 20, str(contact.uuid), NOON, store.timezone)[0]}
    assert 1 < len(held) < 20
    sent = set(Message.objects.values_list("contact_id", flat=True))
    assert sent == {contact.pk for contact in who} - held
    assert exposures() == {
        contact.pk: ("store:2026-Q1@20", "held" if contact.pk in held else "sent") for contact in who
    }
    # the next quarter holds others
    still.move(days=60)
    Exposure.objects.all().delete()
    Enrollment.objects.all().delete()
    enter(store, who)
    assert {name for name, _arm in exposures().values()} == {"store:2026-Q2@20"}
    assert {contact for contact, (_name, arm) in exposures().items() if arm == "held"} != held


def test_who_is_held_out_of_the_store_is_no_part_of_what_the_flow_tries(store: Store, still: TestClock) -> None:
    Policy.objects.update(holdout=50)
    who = people(store)
    flow = make_flow(store, AB, holdout=50)
    enter(store, who)
    names = {contact.pk: set[str]() for contact in who}
    for each in Exposure.objects.all():
        names[each.contact_id].add(each.experiment.partition("@")[0])
    for contact in who:
        everywhere = store_holdout(store.pk, 50, str(contact.uuid), NOON, store.timezone)[0]
        own = flow_holdout(flow.pk, 50, str(contact.uuid))[0]
        wanted = {
            (True, True): set(),
            (True, False): {"store:2026-Q1"},
            (False, True): {f"flow:{flow.pk}"},
            (False, False): {"store:2026-Q1", f"flow:{flow.pk}", f"flow:{flow.pk}:s1"},
        }[bool(everywhere), bool(own)]
        assert names[contact.pk] == wanted


def test_previews_and_test_runs_hold_nobody_out_and_count_nowhere(store: Store, still: TestClock) -> None:
    who = people(store, 12)
    flow = make_flow(store, AB, holdout=50)
    for contact in who:
        Enrollment.objects.create(
            store=store, flow=flow, version=flow.current_version, contact=contact, entry_key="t", wake_at=NOON,
            test_pace=60,
        )  # fmt: skip
    Contact.objects.update(wake_at=NOON)
    pump()
    assert Message.objects.count() == 12
    assert exposures() == {}


def test_exposures_cost_one_statement_however_many_people_there_are(store: Store, still: TestClock) -> None:
    Policy.objects.update(holdout=10)
    make_flow(store, AB, holdout=10)
    counts = []
    who = people(store)
    # the first one stores the rules and reads the program
    for some in (who[:1], who[1:4], who[4:]):
        for contact in some:
            happened(store, "opted_in", phone=str(contact.phone))
        while ingest():
            pass
        with CaptureQueriesContext(connection) as queries:
            advance()
        counts.append(len(queries))
        assert len([each for each in queries if "smsflow_exposure" in each["sql"]]) == 1
    assert counts[1] == counts[2]


def test_a_run_that_fails_exposes_nobody(store: Store, still: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    make_flow(store, AB, Wait("w", 1, "days"))
    who = people(store, 2)
    from smsflow_plugin.engine import interpreter

    def broken(*_args: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(interpreter._Run, "_planned", broken)
    enter(store, who)
    assert not Message.objects.exists()
    assert exposures() == {}
