"""The weekly report: who gets it, when, once, and what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from wagtail.users.models import UserProfile

from smsflow_plugin.engine.notices import StaffNotice, tell_staff
from smsflow_plugin.measurement.usage import price_words
from smsflow_plugin.measurement.weekly import reading, telling
from smsflow_plugin.measurement.weekly.telling import letter_now, tell_weekly
from smsflow_plugin.measurement.weekly.weeks import due
from smsflow_plugin.models import (
    Batch,
    BreakerTrip,
    Connection,
    Flow,
    Policy,
    ReportReader,
    Store,
    StoreMembership,
    StoreStat,
)
from tests.admin.people import client_of, make_user
from tests.conftest import TestClock
from tests.dashboards.made_up import stat
from tests.factories import make_store

#: A Monday, 8:00 in New York.
MONDAY = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
LAST = date(2026, 3, 8)


@pytest.fixture
def monday(still: TestClock) -> TestClock:
    still.at = MONDAY
    return still


@pytest.fixture
def ines(store: Store) -> Any:
    user = make_user("ines", "Store admin", store)
    ReportReader.objects.create(user=user, store=store)
    return user


@pytest.fixture
def welcome(store: Store) -> Flow:
    flow: Flow = Flow.objects.create(store=store, name="Welcome & more", live=True)
    return flow


def week(flow: Flow, back: int, **values: Any) -> None:
    """The same on each day of a week, ``back`` weeks before the last."""
    for day in range(7):
        stat(flow.store, LAST - timedelta(days=7 * back + day), flow_id=flow.pk, step="s", **values)


# When --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "zone", "told", "monday"),
    [
        ("2026-03-09T11:59", "America/New_York", None, None),
        ("2026-03-09T12:00", "America/New_York", None, date(2026, 3, 9)),  # after the clocks went forward
        ("2026-03-02T12:59", "America/New_York", None, None),
        ("2026-03-02T13:00", "America/New_York", None, date(2026, 3, 2)),
        ("2026-03-09T12:00", "America/New_York", date(2026, 3, 9), None),
        ("2026-03-09T12:00", "America/New_York", date(2026, 3, 2), date(2026, 3, 9)),
        ("2026-03-11T11:59", "America/New_York", None, date(2026, 3, 9)),
        ("2026-03-11T12:00", "America/New_York", None, None),  # too late
        ("2026-03-08T21:00", "Pacific/Auckland", None, date(2026, 3, 9)),
    ],
)
def test_a_report_is_due_on_monday_at_eight(now: str, zone: str, told: date | None, monday: date | None) -> None:
    assert due(datetime.fromisoformat(now).replace(tzinfo=UTC), ZoneInfo(zone), told) == monday


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["America/New_York", "Europe/Copenhagen", "Asia/Kathmandu", "Pacific/Auckland"]),
)
def test_each_week_is_told_once_however_often_one_looks(start: datetime, zone: str) -> None:
    told: list[date] = []
    for hour in range(0, 24 * 21, 3):
        found = due(start + timedelta(hours=hour), ZoneInfo(zone), told[-1] if told else None)
        told += [found] if found else []
    assert len(told) in (3, 4)
    assert all(day.weekday() == 0 for day in told)
    assert [b - a for a, b in zip(told, told[1:], strict=False)] == [timedelta(days=7)] * (len(told) - 1)


# To whom, and once -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_whoever_asked_gets_it_once(store: Store, ines: Any, welcome: Flow, monday: TestClock) -> None:
    make_user("olga", "Store admin", store)  # did not ask
    week(welcome, 0, sent=100, delivered=100)
    assert tell_weekly() == 1
    assert tell_weekly() == 0
    assert tell_staff() == 1
    [message] = mail.outbox
    assert message.to == ["ines@example.com"]
    assert message.subject == "Sierra Gear: your week in texts, March 2, 2026 to March 8, 2026"
    assert "Texts sent: 700, week before 0" in message.body
    [(html, kind)] = message.alternatives
    assert kind == "text/html"
    assert "Welcome &amp; more" in html
    assert "Welcome & more: 700 texts" in message.body
    monday.move(days=1)
    assert (tell_weekly(), tell_staff()) == (0, 0)
    monday.move(days=6)
    assert (tell_weekly(), tell_staff()) == (1, 1)


@pytest.mark.django_db
def test_who_may_not_see_the_figures_gets_nothing(store: Store, ines: Any, monday: TestClock) -> None:
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    for name in ("gone", "idle", "mute", "root"):
        user = make_user(name, "Store admin", other)
        ReportReader.objects.create(user=user, store=store)
        if name == "idle":
            StoreMembership.objects.create(user=user, store=store, role=Group.objects.get(name="Store admin"))
            user.is_active = False
        if name == "mute":
            StoreMembership.objects.create(user=user, store=store, role=Group.objects.get(name="Store admin"))
            user.email = ""
        user.is_superuser = name == "root"
        user.save()
    tell_weekly()
    assert sorted(notice.to[0] for notice in StaffNotice.objects.all()) == ["ines@example.com", "root@example.com"]


@pytest.mark.django_db
def test_a_worker_that_dies_has_told_all_or_nothing(
    store: Store, ines: Any, monday: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = telling.queue_letters

    def die(rows: Any) -> int:
        queue(rows)
        raise KeyboardInterrupt

    monkeypatch.setattr(telling, "queue_letters", die)
    with pytest.raises(KeyboardInterrupt):
        tell_weekly()
    assert not StaffNotice.objects.exists()
    monkeypatch.undo()
    # another one had read the same week before this one wrote it
    weeks_of = telling.weeks_of

    def late(*args: Any) -> Any:
        found = weeks_of(*args)
        monkeypatch.setattr(telling, "weeks_of", weeks_of)
        assert tell_weekly() == 1
        return found

    monkeypatch.setattr(telling, "weeks_of", late)
    tell_weekly()
    assert StaffNotice.objects.count() == 1


@pytest.mark.django_db
def test_one_letter_that_fails_stops_no_other(
    store: Store, ines: Any, monday: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    ReportReader.objects.create(user=make_user("olga", "Store admin", other), store=other)
    letter = telling.letter
    monkeypatch.setattr(telling, "letter", lambda week, one: letter(week, one) if week.store == other else 1 / 0)
    assert (tell_weekly(), tell_weekly()) == (2, 0)
    assert [notice.to for notice in StaffNotice.objects.all()] == [["olga@example.com"]]


@pytest.mark.django_db
def test_statements_do_not_grow_with_stores_and_readers(store: Store, ines: Any, monday: TestClock) -> None:
    with CaptureQueriesContext(connection) as few:
        tell_weekly()
    monday.move(days=7)
    for number in range(4):
        other = make_store(name=f"Fjord {number}", domain=f"fjord{number}.myshopify.com")
        flow = Flow.objects.create(store=other, name="Hello", live=True)
        stat(other, LAST, flow_id=flow.pk, step="s", sent=9, delivered=9)
        for reader in range(3):
            user = make_user(f"u{number}{reader}", "Store admin", other)
            ReportReader.objects.create(user=user, store=other)
    with CaptureQueriesContext(connection) as many:
        assert tell_weekly() == 5
    assert StaffNotice.objects.count() == 14
    assert len(many) == len(few) <= 25


# What it says ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_says_what_changed_and_whether_that_can_be_chance(
    store: Store, ines: Any, welcome: Flow, monday: TestClock
) -> None:
    quiet = Flow.objects.create(store=store, name="Win back", live=True)
    for back in range(1, 5):
        week(welcome, back, sent=200, delivered=200, clicked=20, opted_out=1, ordered=4, earned=Decimal(100 + back))
        week(quiet, back, sent=100, delivered=100, clicked=10, opted_out=1)
    week(welcome, 0, sent=200, delivered=200, clicked=32, opted_out=6, ordered=4, earned=Decimal(104), cost=Decimal(2))
    week(quiet, 0, sent=100, delivered=100, clicked=11, opted_out=1)
    StoreStat.objects.create(store=store, day=LAST, opted_in=5, opted_out=49)
    text = letter_now(store, ines).text
    assert "Texts sent: 2,100, week before 2,100" in text
    assert "Revenue of credited orders of the week: $728.00, week before $707.00" in text
    assert "Clicked: 14.3%, week before 10.0%. Better, and hardly by chance (+1." in text
    assert "Opted out: 2.3%, week before 0.67%. Worse, and hardly by chance (" in text
    assert "List growth: −44, week before 0" in text
    assert "Spend: $14.00, week before –" in text, "what texts without a price cost is not known"
    assert "“Welcome & more” is clicked more than it used to be: 16.0%, not 10.0%. Better" in text
    assert "More people opt out because of “Welcome & more” than used to: 3.0%, not 0.50%. Worse" in text
    assert "“Win back” is clicked" not in text, "eleven of a hundred instead of ten are nothing"
    look_at = text.index("TO LOOK AT")
    assert look_at < text.index("More people opt out") < text.index("THE WEEK")
    assert f"http://testserver{reverse('smsflow_figures:flow', args=[welcome.pk])}" in text


@pytest.mark.django_db
def test_flows_add_up_to_the_store_and_few_texts_have_no_rate(
    store: Store, ines: Any, welcome: Flow, monday: TestClock
) -> None:
    week(welcome, 0, sent=10, delivered=10, clicked=5)
    stat(store, LAST, step="x", sent=3, delivered=3, message_class="reply")
    text = letter_now(store, ines).text
    assert "- Welcome & more: 70 texts, – clicked, – opted out, $0.00" in text
    assert "- Everything else: 3 texts, – clicked, – opted out, $0.00" in text
    assert "Texts sent: 73," in text


@pytest.mark.django_db
def test_a_store_in_a_zone_that_nobody_knows_stops_nothing(store: Store, ines: Any, monday: TestClock) -> None:
    Store.objects.update(timezone="Nowhere/Atlantis")
    assert (tell_weekly(), tell_weekly()) == (1, 0)


@pytest.mark.django_db
def test_a_quiet_week_is_said_to_be_one(store: Store, ines: Any, monday: TestClock) -> None:
    text = letter_now(store, ines).text
    assert "No texts were sent in these two weeks." in text
    assert "Clicked: –, week before –. Too little to compare." in text
    assert "Nothing waits for you." in text


@pytest.mark.django_db
def test_it_leads_to_what_waits_and_only_to_what_the_reader_may_see(
    store: Store, ines: Any, welcome: Flow, monday: TestClock
) -> None:
    trip = BreakerTrip.objects.create(store=store, flow=welcome, kind="opt_outs", measured=5, limit=2, texts=100)
    sinch = Connection.objects.get(store=store, kind="sinch")
    Batch.objects.create(store=store, connection=sinch, size=1, state="parked")
    text = letter_now(store, ines).text
    assert "Welcome & more is stopped." in text
    assert reverse("smsflow_breakers:inspect", args=[trip.pk]) in text
    assert "1 call to the gateway has no answer" in text
    writer = letter_now(store, make_user("carl", "Copywriter", store)).text
    assert "stopped" not in writer
    assert "gateway" not in writer
    ReportReader.objects.create(user=make_user("cora", "Copywriter", store), store=store)
    tell_weekly()
    bodies = {notice.to[0]: notice.body for notice in StaffNotice.objects.all()}
    assert bodies["ines@example.com"] == text
    assert bodies["cora@example.com"] == writer


@pytest.mark.django_db
def test_it_names_flows_that_fell_silent_and_texts_that_do_not_arrive(
    store: Store, ines: Any, welcome: Flow, monday: TestClock
) -> None:
    off, silent, gone = (
        Flow.objects.create(store=store, name=name, live=name != "Off") for name in ("Off", "Silent", "Long silent")
    )
    for flow in (off, silent):
        week(flow, 1, sent=10, delivered=10)
    week(gone, 2, sent=10, delivered=10)
    for back in range(1, 5):
        week(welcome, back, sent=100, delivered=97)
    week(welcome, 0, sent=100, pending=20, delivered=60, failed=20)
    text = letter_now(store, ines).text
    assert "“Silent” is live and sent nothing, unlike in the week before." in text
    assert text.count("sent nothing") == 1
    assert "Fewer texts of “Welcome & more” arrive than used to: 75.0%, not 97.0%. Worse" in text


@pytest.mark.django_db
def test_targets_that_live_flows_clearly_miss_are_named(store: Store, ines: Any, monday: TestClock) -> None:
    flows = [
        Flow.objects.create(store=store, name=name, live=live, target_clicks=target)
        for name, live, target in (
            ("Far off", True, 30),
            ("Close", True, 10),
            ("Off", False, 30),
            ("Aimless", True, None),
        )
    ]
    for flow in flows:
        for back in range(4):
            week(flow, back, sent=100, delivered=100, clicked=10)
    text = letter_now(store, ines).text
    told = (
        "“Far off” has missed a target in the last 28 days. Clicked: 10.0% (8.6% to 11.6%), wanted is at least 30.0%."
    )
    assert told in text
    assert text.count("has missed") == 1


@pytest.mark.django_db
def test_a_store_whose_week_cannot_be_told_stops_no_other(
    store: Store, ines: Any, monday: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    ReportReader.objects.create(user=make_user("olga", "Store admin", other), store=other)
    told = reading._week

    def fails(one: Store, read: Any) -> Any:
        if one == store:
            raise ValueError("something odd")
        return told(one, read)

    monkeypatch.setattr(reading, "_week", fails)
    assert (tell_weekly(), tell_weekly()) == (2, 0), "it is not tried every minute"
    assert [notice.to for notice in StaffNotice.objects.all()] == [["olga@example.com"]]
    with pytest.raises(ValueError, match="something odd"):
        letter_now(store, ines)


@pytest.mark.django_db
def test_a_store_that_cannot_be_read_stops_no_other(
    store: Store, ines: Any, monday: TestClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    ReportReader.objects.create(user=make_user("olga", "Store admin", other), store=other)
    read = reading.rules_of

    def fails(stores: list[Store], **how: Any) -> Any:
        if store in stores:
            raise ValueError("odd rules")
        return read(stores, **how)

    monkeypatch.setattr(reading, "rules_of", fails)
    assert (tell_weekly(), tell_weekly()) == (2, 0)
    assert [notice.to for notice in StaffNotice.objects.all()] == [["olga@example.com"]]
    assert f"[{store.pk}] cannot be read" in caplog.text


@pytest.mark.django_db
def test_a_missing_price_is_told_in_the_readers_language(store: Store, ines: Any, monday: TestClock) -> None:
    Policy.objects.filter(store=store).update(budget_month=Decimal(100))
    assert "names no price for its own country" in letter_now(store, ines).text
    profile = UserProfile.get_for_user(ines)
    profile.preferred_language = "da"
    profile.save()
    tell_weekly()
    assert "names no price" not in StaffNotice.objects.get().body
    with override("da"):
        assert price_words(store) in StaffNotice.objects.get().body


# Asking for it -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_asks_for_it_in_the_account_and_only_of_own_stores(store: Store, monday: TestClock) -> None:
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    ines = make_user("ines", "Store admin", store)
    client = client_of(ines)
    url = reverse("wagtailadmin_account")
    page = client.get(url)
    assert "Weekly report of" in page.content.decode()
    assert "Fjord" not in page.content.decode()
    form = {"smsflow_weekly_report-stores": [store.pk, other.pk]}
    post = {**account_form(ines), **form}
    client.post(url, post)
    assert not ReportReader.objects.exists(), "another's store is no choice"
    client.post(url, {**post, "smsflow_weekly_report-stores": [store.pk]})
    assert ReportReader.objects.get().store == store
    client.post(url, account_form(ines))
    assert not ReportReader.objects.exists()


def account_form(user: Any) -> dict[str, Any]:
    return {
        "name_email-first_name": "Ines", "name_email-last_name": "Lind", "name_email-email": user.email,
        "notifications-updated_comments_notifications": "on", "locale-preferred_language": "en",
        "locale-current_time_zone": "UTC", "theme-theme": "system", "theme-contrast": "system",
        "theme-density": "default", "theme-keyboard_shortcuts": "on",
    }  # fmt: skip


@pytest.mark.django_db
def test_one_looks_at_it_and_has_it_sent_now(store: Store, ines: Any, welcome: Flow, monday: TestClock) -> None:
    week(welcome, 0, sent=100, delivered=100, clicked=10)
    client = client_of(ines)
    url = reverse("smsflow_store_report:index", args=[store.pk])
    page = client.get(url).content.decode()
    assert "Welcome &amp; more" in page
    assert "March 2, 2026 to March 8, 2026" in page
    assert client.post(url).status_code == 302
    assert (tell_staff(), mail.outbox[0].to) == (1, ["ines@example.com"])
    other = make_store(name="Fjord", domain="fjord.myshopify.com")
    assert client.get(reverse("smsflow_store_report:index", args=[other.pk])).status_code == 404
    support = client_of(make_user("sue", "Support", store))
    assert support.get(url).status_code == 200
    Group.objects.get(name="Support").permissions.through.objects.filter(
        group__name="Support", permission__codename="view_flowstat"
    ).delete()
    assert support.get(url).status_code == 302, "may see the store, but no figures"


@pytest.mark.django_db
def test_the_command_shows_it_or_sends_it(store: Store, ines: Any, monday: TestClock) -> None:
    out = StringIO()
    call_command("smsflow_weekly_report", store.pk, "ines", stdout=out)
    assert "TO LOOK AT" in out.getvalue()
    assert not StaffNotice.objects.exists()
    call_command("smsflow_weekly_report", store.pk, "ines", "--send", stdout=out)
    assert StaffNotice.objects.get().html.startswith("<!DOCTYPE html>")
    stranger = make_user("carl", "Store admin")
    with pytest.raises(CommandError, match="may not see"):
        call_command("smsflow_weekly_report", store.pk, stranger.username)
