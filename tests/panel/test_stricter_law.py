"""Rows stricter than the law: written on the page of rules, told in words, and never able to loosen anything."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from smsflow_plugin.admin_panels.governance.law_field import LawRowForm, initials_of, place_choices
from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.law.row import read_row
from smsflow_plugin.governance.law.table import narrows
from smsflow_plugin.governance.quiet_hours import is_open
from smsflow_plugin.models import Policy
from tests.admin.people import client_of, make_user
from tests.panel.forms import address, filled_in

WEEKDAYS = {"place": "US-TX", "days": "weekdays", "opens": "10:00", "closes": "18:00", "source": "Our counsel"}


def rows(*given: dict[str, str]) -> dict[str, str]:
    """Return rows as the page sends them."""
    data = {"stricter_law-rows": "1"}
    for number, row in enumerate(given):
        data |= {f"stricter_law-{number}-{key}": value for key, value in {"days": "daily", **row}.items()}
    return data


def stored(*given: dict[str, str]) -> list[Any]:
    forms = [LawRowForm({"days": "daily", **row}) for row in given]
    assert [form.errors for form in forms] == [{}] * len(forms)
    return [form.cleaned_data["row"] for form in forms]


@pytest.mark.django_db
def test_a_row_counts_once_it_is_published_and_the_page_says_where_it_comes_from(
    client: Client, policy: Policy
) -> None:
    data = filled_in(client, policy, **rows({**WEEKDAYS, "no_sundays": "on", "no_holidays": "on"}))
    response = client.post(address("edit", policy), data)
    assert response.status_code == 302, response.context["form"].errors
    texas = (Place("America/Chicago", "US", "TX"),)
    evening = datetime(2026, 6, 2, 23, 30, tzinfo=UTC)  # half past six in Texas, on a Tuesday
    assert is_open(evening, texas, rules_of([policy.store])[policy.store_id].rules.hours)
    client.post(address("edit", policy), {**data, "action-publish": "1"})
    hours = rules_of([policy.store])[policy.store_id].rules.hours
    assert not is_open(evening, texas, hours)
    assert is_open(evening, (Place("America/Chicago", "US", "IL"),), hours)
    words = "Texas: Monday to Friday 10:00–18:00, Sunday closed, closed on public holidays (Our counsel)"
    assert f"Now: {words}, your stricter rule." in client.get(address("edit", policy)).content.decode()
    what_applies = client.get(address("inspect", policy)).content.decode()
    assert words in what_applies and "your stricter rule" in what_applies


@pytest.mark.django_db
def test_saving_what_is_shown_changes_nothing_and_loses_nothing(client: Client, policy: Policy) -> None:
    kept = stored(WEEKDAYS, {"place": "", "days": "saturday", "closed": "on", "since": "2027-01-01"})
    kept[0] |= {"label": "Texas", "note": "Asked in May.", "until": "2028-01-01"}
    Policy.objects.filter(pk=policy.pk).update(stricter_law=kept)
    client.post(address("edit", policy), {**filled_in(client, policy), "action-publish": "1"})
    policy.refresh_from_db()
    assert [read_row(row) for row in policy.stricter_law] == [read_row(row) for row in kept]


@pytest.mark.parametrize(
    "week",
    [
        {"daily": "9:00-20:00"},
        {"daily": "9:00-20:00", "sunday": "closed", "holidays": "closed"},
        {"weekdays": "9:00-18:00", "saturday": "10:00-16:00", "sunday": "closed"},
        {"daily": "0:00-24:00", "wednesday": "closed", "friday": "closed"},
        {"daily": "0:00-24:00", "sunday": "closed"},
        {"daily": "closed"},
        {"daily": "0:00-24:00", "holidays": "closed", "since": "2027-01-01", "source": "Ours"},
    ],
)
def test_rows_that_somebody_wrote_by_hand_say_the_same_on_the_page(week: dict[str, str]) -> None:
    by_hand = {"country": "US", "region": "TX", **week}
    shown = [{key: value for key, value in each.items() if value} for each in initials_of(by_hand)]
    again = [read_row(row) for row in stored(*shown)]
    row = read_row(by_hand)
    for day in range(7):
        windows = [each.week[day] for each in again]
        if row.week[day] is None:
            assert None in windows
        else:
            assert max(window[0] for window in windows) == row.week[day][0]
            assert min(window[1] for window in windows) == row.week[day][1]
    assert any(each.holidays_off for each in again) == row.holidays_off
    assert {(each.since, each.source) for each in again} == {(row.since, row.source)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([{"place": "US-TX"}], "Say what is closed: write hours, or tick a box."),
        ([{"opens": "18:00", "closes": "09:00"}], "The end must come after the beginning, on the same day."),
        ([{"opens": "09:00", "closes": "09:00"}], "The end must come after the beginning, on the same day."),
        ([{"opens": "nine"}], "Write a time, such as 09:00."),
        ([{"closes": "19:00", "since": "soon"}], "Write a date."),
        ([{"place": "XX", "closes": "19:00"}], "Select a valid choice."),
        ([WEEKDAYS, WEEKDAYS], "This row is there already."),
        ([{"closes": "19:00", "kept": "[]"}], "This cannot be read."),
        ([{"closes": "19:00", "since": "2027-01-01", "kept": '{"until": "2026-01-01"}'}], "ends before that day"),
    ],
)
def test_a_wrong_row_is_told_at_the_row_and_nothing_that_was_typed_is_lost(
    client: Client, policy: Policy, given: list[dict[str, str]], sentence: str
) -> None:
    given = [{**row, "source": "Typed in"} for row in given]
    refused = client.post(address("edit", policy), filled_in(client, policy, **rows(*given)))
    page = refused.content.decode()
    assert sentence in page and "Look at the rows that are marked." in page
    failed = refused.context["form"].fields["stricter_law"].widget.failed[-1]
    assert {name: failed[name].value() for name in given[-1]} == given[-1]
    assert 'value="Typed in"' in page
    assert not policy.revisions.exists()


@pytest.mark.django_db
def test_a_row_that_is_looser_than_the_law_changes_nothing_and_the_page_says_so(client: Client, policy: Policy) -> None:
    loose = {"place": "US-AL", "opens": "06:00", "closes": "23:00"}
    data = filled_in(client, policy, **rows(loose, WEEKDAYS))
    before = rules_of([policy.store])[policy.store_id].rules.hours
    client.post(address("edit", policy), {**data, "action-publish": "1"})
    page = client.get(address("edit", policy)).content.decode()
    assert page.count("The law is as strict already: this row changes nothing.") == 1
    alabama = (Place("America/Chicago", "US", "AL"),)
    hours = rules_of([policy.store])[policy.store_id].rules.hours
    for hour in range(24):
        moment = datetime(2026, 6, 3, hour, 30, tzinfo=UTC)
        assert is_open(moment, alabama, hours) == is_open(moment, alabama, before)


@pytest.mark.parametrize(
    ("row", "does"),
    [
        ({"country": "US", "region": "AL", "daily": "8:00-20:00"}, False),
        ({"country": "US", "region": "AL", "daily": "8:00-20:00", "holidays": "closed"}, False),
        ({"country": "US", "region": "AL", "daily": "8:00-19:00"}, True),
        # Texas is narrower than that already, and not every state is
        ({"country": "US", "region": "TX", "daily": "8:30-21:00"}, False),
        ({"country": "US", "daily": "8:30-21:00"}, True),
        ({"country": "US", "daily": "8:00-21:00"}, False),
        ({"daily": "8:00-21:00"}, True),
        ({"daily": "6:00-23:00"}, False),
        ({"country": "JP", "daily": "8:00-20:00"}, False),
        ({"country": "JP", "daily": "8:00-19:00"}, True),
        # Pennsylvania is stricter from a day on
        ({"country": "US", "region": "PA", "daily": "9:00-21:00"}, True),
        ({"country": "US", "region": "PA", "daily": "9:00-21:00", "since": "2026-10-18"}, False),
    ],
)
def test_what_narrows_the_law(row: dict[str, str], does: bool) -> None:
    assert narrows(read_row(row), date(2026, 6, 1)) is does


@pytest.mark.django_db
def test_the_rows_of_the_site_hold_beside_those_of_a_store(client: Client, policy: Policy) -> None:
    site = Policy.objects.create(store=None, stricter_law=stored({"place": "FR", "closes": "18:00"}))
    page = client.get(address("inspect", policy)).content.decode()
    assert "France: every day 00:00–18:00" in page and "from the site" in page
    data = filled_in(client, policy, **rows(WEEKDAYS))
    client.post(address("edit", policy), {**data, "action-publish": "1"})
    page = client.get(address("inspect", policy)).content.decode()
    assert "France: " in page and "Texas: " in page and "from the site, and your stricter rule" in page
    assert len(rules_of([policy.store])[policy.store_id].rules.stricter_law) == 2
    assert client.get(address("edit", site)).status_code == 404


@pytest.mark.django_db
def test_versions_are_compared_row_by_row(client: Client, policy: Policy) -> None:
    for row in (WEEKDAYS, {**WEEKDAYS, "closes": "17:00"}):
        client.post(address("edit", policy), filled_in(client, policy, **rows(row)))
    old, new = policy.revisions.order_by("pk").values_list("pk", flat=True)
    page = client.get(address("revisions_compare", policy, old, new)).content.decode()
    assert "Texas: Monday to Friday 10:00–18:00 (Our counsel)" in page
    assert "Texas: Monday to Friday 10:00–17:00 (Our counsel)" in page


@pytest.mark.django_db
def test_a_row_that_was_just_added_is_no_mistake_while_the_draft_saves_itself(client: Client, policy: Policy) -> None:
    for row, count in (({}, 0), ({"closes": "19:00"}, 1)):
        data = filled_in(client, policy, **rows(row))
        answer = client.post(address("edit", policy), data, headers={"accept": "application/json"})
        assert answer.json()["success"] is True
        policy.refresh_from_db()
        assert len(policy.get_latest_revision_as_object().stricter_law) == count


@pytest.mark.django_db
def test_support_sees_stricter_rows_and_cannot_write_them(policy: Policy) -> None:
    Policy.objects.filter(pk=policy.pk).update(stricter_law=stored(WEEKDAYS))
    support = client_of(make_user("sue", "Support", policy.store))
    assert "Texas: Monday to Friday" in support.get(address("inspect", policy)).content.decode()
    support.post(address("edit", policy), {**rows(), "action-publish": "1"})
    policy.refresh_from_db()
    assert len(policy.stricter_law) == 1


def test_every_place_on_offer_is_one_that_a_row_can_be_about() -> None:
    offered = [value for _group, choices in place_choices()[1:] for value, _label in choices]
    assert {"US", "US-TX", "US-PR", "FR", "CA-QC"} <= set(offered)
    assert "PR" not in offered  # it is one of the USA's, and a row about it as a country would never bind
    for value in offered:
        country, _dash, region = value.partition("-")
        assert read_row({"country": country, "region": region, "daily": "closed"})
