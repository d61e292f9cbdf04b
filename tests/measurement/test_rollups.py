"""Figures by day, counted from facts, again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsflow_plugin.engine import moving
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.purging import purge
from smsflow_plugin.events.facts import Consent, Person, PersonFact, Report
from smsflow_plugin.events.reports import ReportStatus
from smsflow_plugin.flows.program import Send, Wait
from smsflow_plugin.measurement import rollups
from smsflow_plugin.measurement.figures import Period, last_days, people
from smsflow_plugin.messaging.dispatch import dispatch
from smsflow_plugin.models import (
    ChangedDay,
    Click,
    Contact,
    Conversion,
    Enrollment,
    FlowStat,
    Link,
    Message,
    Store,
    StoreStat,
)
from smsflow_plugin.stores.changes import note_of
from tests.attribution.test_crediting import cancelled, clicked, ordered, refunded, sent
from tests.conftest import NOON
from tests.dispatch.conftest import gateway  # noqa: F401 - a fixture
from tests.engine.helpers import deliver, happened, make_flow, pump, texted
from tests.factories import make_contact, make_store
from tests.measurement.readings import by_day, by_flow, by_step, by_variant, by_version, of_stores

pytestmark = pytest.mark.django_db

PHONE = "+12025550101"
#: NOON on the store's own clock.
TODAY = date(2026, 3, 4)
DAY = Period(TODAY, TODAY)


@pytest.fixture(autouse=True)
def _world(settings: Any, still: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}


@pytest.fixture
def ada(store: Store) -> Contact:
    return make_contact(store, phone=PHONE)


def count() -> None:
    """Count whatever was noted, whether it rests or not."""
    StoreStat.objects.update(rests_until=None)
    while rollups.roll_up():
        StoreStat.objects.update(rests_until=None)


def rows() -> list[dict[str, Any]]:
    """Everything that was counted, as it stands."""
    stats = [list(model.objects.values()) for model in (FlowStat, StoreStat)]
    names = ("id", "rests_until")
    found = [{key: value for key, value in row.items() if key not in names} for own in stats for row in own]
    return sorted(found, key=repr)


def test_a_day_is_counted_from_its_texts(store: Store, ada: Contact) -> None:
    cost = {"cost": Decimal("0.01"), "parts": 2}
    clicked(sent(ada, NOON - timedelta(hours=3), variant="A", **cost), NOON - timedelta(hours=2))
    sent(ada, NOON - timedelta(hours=2), variant="B", state="failed", **cost)
    sent(ada, NOON - timedelta(hours=2), variant="B", state="accepted", finished_at=None, **cost)
    sent(ada, NOON - timedelta(hours=2), variant="B", state="queued", finished_at=None, accepted_at=None, **cost)
    sent(ada, NOON - timedelta(hours=2), purpose="test_run", **cost)
    ordered(store)
    ingest()
    count()
    figures = of_stores([store.pk], DAY)[store.pk]
    assert (figures.queued, figures.sent, figures.pending, figures.delivered, figures.failed) == (4, 3, 1, 1, 1)
    assert (figures.clicked, figures.click_seconds, figures.parts, figures.cost) == (1, 3600, 6, Decimal("0.03"))
    assert (figures.orders, figures.revenue, figures.ordered, figures.earned) == (1, 100, 1, 100)
    by = by_variant(store.pk, 0, "s1", DAY)
    assert {name: own.queued for name, own in by.items()} == {"A": 1, "B": 3}
    assert by_version(store.pk, 0, DAY)[3].queued == 4


def test_orders_stand_by_the_day_of_their_text_and_by_their_own(store: Store, ada: Contact) -> None:
    clicked(sent(ada, NOON - timedelta(days=2)), NOON - timedelta(hours=2))
    ordered(store)
    ingest()
    count()
    days = by_day(store.pk, last_days(3, TODAY))
    assert [(own.orders, own.ordered) for own in days.values()] == [(1, 0), (0, 0), (0, 1)]
    cancelled(store)
    ingest()
    count()
    days = by_day(store.pk, last_days(3, TODAY))
    assert [(own.orders, own.ordered, own.earned) for own in days.values()] == [(0, 0, 0)] * 3
    assert people([store.pk], DAY)[store.pk].orders == 0


def test_the_shops_own_orders_are_counted_with_what_is_left_of_them(store: Store, ada: Contact) -> None:
    ordered(store)
    ordered(store, "1002", total="40.00")
    ordered(store, "1003", total="7.00")
    refunded(store, "10.00")
    cancelled(store, "1003")
    ingest()
    count()
    own = people([store.pk], DAY)[store.pk]
    assert (own.orders, own.revenue) == (2, Decimal("130.00"))


def test_consent_counts_where_it_changes(store: Store) -> None:
    def says(action: str, hours: int) -> None:
        at = NOON - timedelta(hours=hours)
        deliver(store, PersonFact(Person(phone=PHONE), (Consent(action, "marketing", "test", at, key=f"c{hours}"),)))

    for action, hours in (("granted", 30), ("granted", 4), ("revoked", 3), ("revoked", 2), ("granted", 1)):
        says(action, hours)
    ingest()
    count()
    own = people([store.pk], DAY)[store.pk]
    assert (own.opted_in, own.opted_out, own.growth) == (1, 1, 0)
    before = people([store.pk], DAY.before())[store.pk]
    assert (before.opted_in, before.opted_out) == (1, 0)
    says("revoked", 20)  # heard of late: now the second grant is a change
    ingest()
    count()
    assert people([store.pk], DAY)[store.pk].opted_in == 2


def test_robots_texts_from_people_and_what_was_not_sent_are_counted(store: Store, ada: Contact) -> None:
    link = Link.objects.create(store=store, code="x", target="https://x.example")
    for kind in ("human", "bot", "preview"):
        Click.objects.create(store=store, link=link, kind=kind)
    note_of([(store.pk, NOON)])
    texted(store, "Is it blue?")
    ingest()
    count()
    own = people([store.pk], DAY)[store.pk]
    assert (own.robots, own.received) == (2, 1)


def test_people_in_flows_are_counted_by_version(store: Store, ada: Contact, still: Any) -> None:
    flow = make_flow(store, Send("s1", {"": "Hi"}), Wait("w", 1, "hours"), trigger="order_created")
    ordered(store)
    pump()
    count()
    inside = by_step(store.pk, flow.pk, DAY)
    assert (inside[""].entered, inside[""].finished, inside["s1"].queued, inside["s1"].sent) == (1, 0, 1, 0)
    still.move(hours=1)
    pump()
    count()
    assert by_step(store.pk, flow.pk, DAY)[""].finished == 1
    assert by_flow(store.pk, DAY)[flow.pk].queued == 1


def test_what_became_of_texts_is_counted_as_it_is_heard(store: Store, ada: Contact, gateway: Any) -> None:  # noqa: F811
    make_flow(store, Send("s1", {"": "Hi"}), trigger="order_created")
    ordered(store)
    pump()
    count()
    assert of_stores([store.pk], DAY)[store.pk].sent == 0
    dispatch()
    count()
    figures = of_stores([store.pk], DAY)[store.pk]
    assert (figures.sent, figures.pending, figures.delivered) == (1, 1, 0)
    message = Message.objects.get()
    assert message.batch is not None
    deliver(store, Report(message.to, ReportStatus.DELIVERED, NOON, str(message.batch.reference)))
    ingest()
    count()
    figures = of_stores([store.pk], DAY)[store.pk]
    assert (figures.pending, figures.delivered) == (0, 1)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_a_day_is_the_stores_own_also_when_clocks_change(
    store: Store, ada: Contact, day: date, hours: int, still: Any
) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(store.timezone))
    still.at = start + timedelta(days=3)
    end = start.astimezone(ZoneInfo("UTC")) + timedelta(hours=hours)
    moments = [start - timedelta(seconds=1), start, end - timedelta(seconds=1), end]
    for at in moments:
        sent(ada, at)
    note_of([(store.pk, at) for at in moments])
    count()
    days = by_day(store.pk, Period(day - timedelta(days=1), day + timedelta(days=1)))
    assert [own.queued for own in days.values()] == [1, 2, 1]


def test_a_day_rests_after_it_was_counted_and_is_counted_once_more_then(store: Store, ada: Contact, still: Any) -> None:
    sent(ada, NOON)
    note_of([(store.pk, NOON)])
    assert rollups.roll_up() == 1
    note_of([(store.pk, NOON)] * 3)
    assert rollups.roll_up() == 0
    at = rollups.next_roll_up()
    assert at is not None and NOON < at <= NOON + timedelta(seconds=5)
    still.at = at
    assert rollups.roll_up() == 1
    assert not ChangedDay.objects.exists()
    assert rollups.next_roll_up() is None


def test_what_is_committed_while_a_day_is_counted_is_counted_again(
    store: Store, ada: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(ada, NOON)
    note_of([(store.pk, NOON)])
    counted = rollups.flow_rows

    def with_news(day: Any) -> Any:
        found = counted(day)
        monkeypatch.setattr(rollups, "flow_rows", counted)
        sent(ada, NOON)
        note_of([(store.pk, NOON)])
        return found

    monkeypatch.setattr(rollups, "flow_rows", with_news)
    assert rollups.roll_up() == 1
    assert of_stores([store.pk], DAY)[store.pk].queued == 1
    count()
    assert of_stores([store.pk], DAY)[store.pk].queued == 2


def test_the_number_of_statements_does_not_depend_on_the_number_of_texts(store: Store) -> None:
    def statements(size: int) -> int:
        for n in range(size):
            number = Message.objects.count()
            person = make_contact(store)
            clicked(sent(person, NOON), NOON, phone=str(person.phone))
            ordered(store, f"o{number}-{n}", NOON + timedelta(minutes=1), phone=person.phone)
            texted(store, "Hi", phone=str(person.phone))
        while ingest():
            pass
        StoreStat.objects.update(rests_until=None)
        with CaptureQueriesContext(connection) as queries:
            assert rollups.roll_up()
        ChangedDay.objects.all().delete()
        return len(queries)

    statements(1)
    assert statements(2) == statements(25) <= 26


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans without statistics, and well")
def test_no_day_reads_the_orders_of_others_again_and_again(store: Store) -> None:
    """Just after a large import PostgreSQL knows nothing of the tables: no plan may be quadratic even so."""
    for n in range(60):
        ordered(store, f"o{n}", NOON - timedelta(hours=12 * n))
    while ingest():
        pass
    note_of([(store.pk, NOON)])
    with CaptureQueriesContext(connection) as queries:
        assert rollups.roll_up()
    told = [query["sql"] for query in queries if query["sql"].startswith("SELECT") and "smsflow_event" in query["sql"]]
    assert any("order_refunded" in sql for sql in told)
    for sql in told:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}".replace(" FOR UPDATE SKIP LOCKED", ""))
            [[plan]] = cursor.fetchall()
        assert _loops(plan[0]["Plan"]) < 20, sql


def _loops(node: dict[str, Any]) -> int:
    """Return how often the most repeated part of a plan was begun anew."""
    return max([int(node["Actual Loops"]), *(_loops(each) for each in node.get("Plans", []))])


def test_screens_ask_one_query_for_each_thing(store: Store, ada: Contact) -> None:
    for question in (
        lambda: of_stores([store.pk], DAY), lambda: by_day(store.pk, DAY), lambda: by_flow(store.pk, DAY),
        lambda: by_step(store.pk, 1, DAY), lambda: people([store.pk], DAY),
    ):  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            question()
        assert len(queries) == 1


def test_the_wall_between_stores_stands(store: Store, ada: Contact) -> None:
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    sent(ada, NOON)
    note_of([(store.pk, NOON), (other.pk, NOON)])
    count()
    assert {pk: own.queued for pk, own in of_stores([store.pk, other.pk], DAY).items()} == {store.pk: 1, other.pk: 0}


def test_what_was_purged_keeps_its_figures(store: Store, ada: Contact, still: Any) -> None:
    clicked(sent(ada, NOON - timedelta(hours=3)), NOON - timedelta(hours=2))
    ordered(store)
    ingest()
    count()
    before = rows()
    still.move(days=800)
    purge()
    rollups.rebuild()
    assert rows() == before
    Message.objects.all().delete()  # as whoever drops a month's partition
    rollups.rebuild()
    assert of_stores([store.pk], DAY)[store.pk].queued == 1


def test_the_command_counts_everything_anew(store: Store, ada: Contact, capsys: Any) -> None:
    clicked(sent(ada, NOON - timedelta(hours=3)), NOON - timedelta(hours=2))
    ordered(store)
    ingest()
    count()
    before = rows()
    FlowStat.objects.update(queued=99)
    Conversion.objects.all().delete()
    call_command("smsflow_recount", "--credit", "--store", str(store.pk))
    assert rows() == before
    assert "1 orders credited otherwise" in capsys.readouterr().out


def runs_of(store: Store) -> list[int]:
    return list(Enrollment.objects.filter(store=store).values_list("pk", flat=True))


STEPS: tuple[Callable[[Store, list[Message]], Any], ...] = (
    lambda store, texts: clicked(texts[0], NOON - timedelta(hours=9)),
    lambda store, texts: clicked(texts[2], NOON - timedelta(hours=3)),
    lambda store, texts: ordered(store, "1001", NOON - timedelta(hours=1)),
    lambda store, texts: ordered(store, "1002", NOON - timedelta(days=3)),
    lambda store, texts: refunded(store, "10.00", "1001"),
    lambda store, texts: cancelled(store, "1002"),
    lambda store, texts: texted(store, "Blue?", at=NOON - timedelta(hours=2)),
    lambda store, texts: texted(store, "STOP", at=NOON - timedelta(minutes=2)),
    lambda store, texts: texted(store, "START", at=NOON - timedelta(minutes=1)),
    lambda store, texts: happened(store, "opted_in", consent="granted", at=NOON - timedelta(days=2)),
    lambda store, texts: pump(),
    lambda store, texts: moving.cancel_queued_of(runs_of(store), NOON),
    lambda store, texts: count(),
    lambda store, texts: count(),
    lambda store, texts: dispatch(),
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, len(STEPS) - 1), max_size=25))
def test_rolling_up_as_things_happen_comes_to_the_same_as_counting_all_anew(
    gateway: Any,  # noqa: F811
    turns: Sequence[int],
) -> None:
    number = Store.objects.count()
    store = make_store(name=f"Store {number}", domain=f"store-{number}.myshopify.com")
    make_flow(store, Send("s1", {"": "Hi"}), Wait("w", 1, "minutes"), trigger="order_created")
    person = make_contact(store, phone=PHONE)
    moments = [NOON - timedelta(days=n, hours=1) for n in range(3)]
    texts = [sent(person, at) for at in moments]
    note_of([(store.pk, at) for at in moments])
    for turn in turns:
        STEPS[turn](store, texts)
        while ingest():
            pass
    count()
    before = rows()
    FlowStat.objects.all().delete()
    rollups.rebuild()
    assert before == rows()
