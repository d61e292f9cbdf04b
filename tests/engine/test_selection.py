"""The same condition in SQL and in memory: every contact must get the same answer from both."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.behaviour import marks
from smsflow_plugin.audience.dates import DATE_OPERATORS
from smsflow_plugin.audience.filters import DATE_PATHS, BadCondition, Facts, PastEvent, matches
from smsflow_plugin.audience.values import contact_values
from smsflow_plugin.engine.selection import NotSelectable, count, select
from smsflow_plugin.models import Contact, Enrollment, Event, Flow, FlowVersion, Store
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

KINDS = ("order_created", "link_clicked")
WORDS = [
    "", "vip", "VIP", "Ærø", "ÆRØ", "ærø", "straße", "STRASSE", "STRAẞE", "İ", "i", "ΣΑΣ", "σας", "Ж", "ж", "\u212a",
    "k", "3", "03", "3.0", "-0.0", "+3", "1e3", "Infinity", "NaN", "1_000", "10", "9", "129.00", "129", " 3", "3 ",
    "true",
    "2026-03-04", "2026-03-03", "2026-02-30", "2024-02-29", "2026-03-04T16:00:00+00:00", "2026-03-04T23:30:00+14:00",
    "2026-03-04 15:59:59", "2026-03-04T15:59:59.999999Z", "2026-03-11", "1900-02-29", "a\nb", "3\n", "%", "_", "'", '"',
]  # fmt: skip
#: What PostgreSQL can keep.
texts = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
scalars = (
    texts
    | st.integers(-(10**12), 10**12)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = scalars | st.lists(texts, max_size=2) | st.dictionaries(st.sampled_from(["total", "0"]), texts, max_size=1)
moments = st.integers(-40 * 24 * 60, 0).map(lambda minutes: NOON + timedelta(minutes=minutes))
any_moments = st.integers(-40 * 24 * 60, 40 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
OWN = ("size", "birthday", 'odd "name".with a dot')
PATHS = ["first_name", "last_name", "orders_count", "total_spent", "nobody_knows", *(f"fields.{name}" for name in OWN)]

events = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "occurred_at": moments.filter(lambda moment: moment < NOON),
        "data": st.fixed_dictionaries({}, optional={"order": values, "url": values}),
    }
)
people = st.fixed_dictionaries(
    {
        "columns": st.fixed_dictionaries(
            {
                "first_name": texts,
                "last_name": texts,
                "orders_count": st.integers(0, 12),
                "total_spent": st.decimals(0, 1000, places=2),
                "tags": st.lists(texts, max_size=3),
                "fields": st.dictionaries(st.sampled_from(OWN), values, max_size=3),
                "handed_over_at": st.none() | moments,
                "last_order_at": st.none() | any_moments,
                "replenish_at": st.none() | any_moments,
                "last_texted_at": st.none() | moments,
            }
        ),
        "events": st.lists(events, max_size=4),
        "inside": st.booleans(),
    }
)
days = st.sampled_from(["2026-03-04", "2026-03-05", "2024-02-29", "2026-02-01"])
date_tests = st.tuples(st.sampled_from(["before", "after"]), days) | st.tuples(
    st.sampled_from([op for op in DATE_OPERATORS if op.endswith("days")]), st.integers(0, 36_500) | st.integers(0, 40)
)
text_tests = (
    st.tuples(st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le", "contains", "starts"]), scalars)
    | st.tuples(st.just("in"), st.lists(scalars, max_size=3))
    | st.tuples(st.sampled_from(["known", "unknown"]), st.none())
)


def comparison(path: str, test: tuple[str, Any]) -> dict[str, Any]:
    return {"field": path, "op": test[0], "value": test[1]}


fields = st.builds(
    comparison,
    st.sampled_from(PATHS),
    text_tests | date_tests,
) | st.builds(
    comparison,
    st.sampled_from(sorted(DATE_PATHS)),
    date_tests | st.tuples(st.sampled_from(["known", "unknown"]), st.none()),
)  # fmt: skip
happened = st.builds(
    lambda kind, since, extra: {"event": kind, **since, **extra},
    st.sampled_from(KINDS),
    st.sampled_from([{"since": "entry"}, {"hours": 1}, {"hours": 24}, {"hours": 24 * 30}, {"ever": True}]),
    st.fixed_dictionaries(
        {},
        optional={
            "at_least": st.integers(1, 3),
            "where": st.lists(
                st.builds(
                    lambda path, test: {"path": path, "op": test[0], "value": test[1]},
                    st.sampled_from(["url", "order", "order.total", "order.0", "order.total.x"]),
                    text_tests | date_tests,
                ),
                max_size=2,
            ),
        },
    ),
)
percents = st.sampled_from([100, 150]) | st.integers(1, 1000)
leaves = (
    fields
    | happened
    | st.builds(lambda tag: {"tag": tag}, texts)
    | st.sampled_from([{"handed_over": True}, {"in_flow": "any"}, {"in_flow": 0}])
    | st.builds(lambda percent, days: {"overdue": {"percent": percent, "days": days}}, percents, st.integers(1, 40))
    | st.builds(lambda share: {"top_spender": share}, st.sampled_from([1, 10, 50, 99]))
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=6,
)


class World:
    """A store with a flow, in which hypothesis puts people."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.flow = Flow.objects.create(store=store, name="Welcome", live=True)
        self.version = FlowVersion.objects.create(
            store=store, flow=self.flow, number=1, content_hash="0" * 64, program={}
        )

    def fill(self, crowd: list[dict[str, Any]]) -> dict[int, Facts]:
        """Make the people, and return what the engine knows of each when they enter."""
        contacts = Contact.objects.bulk_create(
            Contact(store=self.store, phone=f"+1202556{number:04d}", created_at=NOON, **person["columns"])
            for number, person in enumerate(crowd)
        )
        pairs = list(zip(contacts, crowd, strict=True))
        Event.objects.bulk_create(
            Event(store=self.store, contact=contact, key=f"{contact.pk}-{n}", **event)
            for contact, person in pairs
            for n, event in enumerate(person["events"])
        )
        Enrollment.objects.bulk_create(
            Enrollment(store=self.store, flow=self.flow, version=self.version, contact=contact)
            for contact, person in pairs
            if person["inside"]
        )
        facts = {}
        past: dict[int, list[PastEvent]] = defaultdict(list)
        for e in Event.objects.order_by("occurred_at", "pk"):
            past[e.contact_id].append(PastEvent(e.kind, e.occurred_at, e.subject, e.data, e.pk))
        inside = set(Enrollment.objects.values_list("contact_id", flat=True))
        for contact in Contact.objects.all():
            flows = frozenset({self.flow.pk} if contact.pk in inside else ())
            known = {"events": past[contact.pk], "flows": flows, "spend_marks": self.store.spend_marks}
            facts[contact.pk] = Facts(contact_values(contact), NOON, **known)
        return facts

    def counts(self, spent: list[Decimal]) -> None:
        """Count the best customers anew, as happens once a day: here of anybody, or of nobody."""
        least = [(number * 100 // len(spent), amount) for number, amount in enumerate(sorted(spent, reverse=True))]
        # of those in one hundredth the last is the least
        self.store.spend_marks = marks(least)
        self.store.save(update_fields=["spend_marks"])


@pytest.fixture
def world(store: Any, still: Any) -> World:
    return World(store)


def of_flow(condition: Any, flow: int) -> Any:
    """Put the id of a real flow where hypothesis wrote 0."""
    if isinstance(condition, dict):
        return {
            key: flow if key == "in_flow" and value == 0 else of_flow(value, flow) for key, value in condition.items()
        }
    return [of_flow(part, flow) for part in condition] if isinstance(condition, list) else condition


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    crowd=st.lists(people, min_size=1, max_size=4),
    asked=st.lists(conditions, min_size=1, max_size=8),
    spent=st.lists(st.decimals(0, 1000, places=2), max_size=5),
)
def test_sql_selects_exactly_those_for_whom_the_condition_holds_in_memory(
    world: World, crowd: list[dict[str, Any]], asked: list[dict[str, Any]], spent: list[Decimal]
) -> None:
    with transaction.atomic():
        world.counts(spent)
        everybody = world.fill(crowd)
        for condition in (of_flow(condition, world.flow.pk) for condition in asked):
            expected = {pk for pk, facts in everybody.items() if matches(condition, facts, NOON)}
            found = set(select(condition, store_id=world.store.pk, now=NOON).values_list("pk", flat=True))
            assert found == expected, condition
        transaction.set_rollback(True)


def test_a_crowd_is_selected_with_one_statement_whatever_is_asked(world: World) -> None:
    person = {"columns": {"first_name": "Åse"}, "events": [], "inside": True}
    world.fill([person] * 30)
    condition = {
        "all": [
            {"any": [{"tag": "vip"}, {"field": "first_name", "op": "starts", "value": "å"}]},
            {"not": {"event": "order_created", "ever": True, "at_least": 2}},
            {"in_flow": world.flow.pk},
        ]
    }
    with CaptureQueriesContext(connection) as caught:
        assert select(condition, store_id=world.store.pk, now=NOON).count() == 30
    assert len(caught) == 1
    assert count(condition, store_id=world.store.pk, now=NOON, limit=10) == 10


def test_people_of_another_store_are_never_selected(world: World, danish_store: Any) -> None:
    world.fill([{"columns": {}, "events": [], "inside": False}])
    assert count({"all": []}, store_id=world.store.pk, now=NOON) == 1
    assert count({"all": []}, store_id=danish_store.pk, now=NOON) == 0
    assert count({"not": {"any": []}}, store_id=danish_store.pk, now=NOON) == 0


def test_being_in_the_flow_that_asks_is_not_being_in_another(world: World) -> None:
    world.fill([{"columns": {}, "events": [], "inside": True}])
    asked = {"store_id": world.store.pk, "now": NOON}
    assert count({"in_flow": "any"}, **asked) == 1
    assert count({"in_flow": "any"}, **asked, flow_id=world.flow.pk) == 0


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "trigger.cart.total", "op": "ge", "value": "50"},
        {"not": {"field": "run.answers.size", "op": "known"}},
        {"any": [{"event": "order_created", "ever": True, "same_subject": True}]},
    ],
)
def test_what_only_a_run_knows_is_refused_with_a_sentence(world: World, condition: dict[str, Any]) -> None:
    with pytest.raises(NotSelectable, match=r"people inside.*\.$"):
        select(condition, store_id=world.store.pk, now=NOON)


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"event": "order_created"},
        {"field": "last_order_at", "op": "gt", "value": "2026-01-01"},
        {"field": "email", "op": "like", "value": "%"},
        {"event": "order_created", "ever": True, "where": [{"path": "total", "op": "before", "value": "soon"}]},
    ],
)
def test_what_is_no_condition_is_refused_in_sql_as_in_memory(world: World, condition: dict[str, Any]) -> None:
    with pytest.raises(BadCondition):
        select(condition, store_id=world.store.pk, now=NOON)
    event = PastEvent("order_created", NOON)
    with pytest.raises(BadCondition):
        matches(condition, Facts({}, NOON, events=[event]), NOON)


@pytest.mark.parametrize(("value", "expected"), [("128.999", 1), ("129", 0), ("1" + "0" * 25, 0), ("-" + "9" * 30, 1)])
def test_money_is_compared_with_more_digits_than_it_has(world: World, value: str, expected: int) -> None:
    world.fill([{"columns": {"total_spent": "129.00"}, "events": [], "inside": False}])
    condition = {"field": "total_spent", "op": "gt", "value": value}
    assert count(condition, store_id=world.store.pk, now=NOON) == expected
