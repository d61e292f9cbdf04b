"""Whose clock counts."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_plugin.audience.regions import CA_PROVINCES, US_STATES, zones_of_country, zones_of_place
from smsflow_plugin.audience.zones import Zones, candidate_zones


def zones(phone: str | None = None, **known: Any) -> Zones:
    return candidate_zones(
        phone, **{"timezone": "", "country": "", "province": "", "store_timezone": "Europe/Copenhagen", **known}
    )


def test_a_zone_that_is_known_counts_alone() -> None:
    assert zones("+12125550123", timezone="Asia/Tokyo", country="US", province="CA") == Zones(
        ("Asia/Tokyo",), "contact"
    )


@pytest.mark.parametrize("nonsense", ["Mars/Olympus", "../x", "America", "\x00"])
def test_a_zone_that_does_not_exist_is_not_known(nonsense: str) -> None:
    assert zones(timezone=nonsense, country="US", province="CA") == Zones(("America/Los_Angeles",), "province")


def test_the_province_says_more_than_the_number() -> None:
    assert zones("+12125550123", country="US", province="CA") == Zones(("America/Los_Angeles",), "province")
    assert zones("+12125550123", country="us", province="ca").source == "province"


@pytest.mark.parametrize(
    "state", ["AK", "FL", "ID", "IN", "KS", "KY", "MI", "NE", "ND", "NV", "OR", "SD", "TN", "TX", "AZ"]
)
def test_a_split_state_has_all_of_its_zones(state: str) -> None:
    assert len(zones(country="US", province=state).names) >= 2


@pytest.mark.parametrize("province", ["BC", "NU", "ON", "QC", "NL", "SK"])
def test_a_split_province_has_all_of_its_zones(province: str) -> None:
    assert len(zones(country="CA", province=province).names) >= 2


def test_a_code_means_its_own_country() -> None:
    assert zones(country="US", province="DE").names == ("America/New_York",)
    assert zones(country="AU", province="WA").source != "province"


@pytest.mark.parametrize(
    ("phone", "needed"),
    [
        # the library alone places these exchanges in the other half of the state
        ("+12195550123", "America/Chicago"),
        ("+12705550123", "America/Chicago"),
        ("+13645550123", "America/Chicago"),
        ("+14235550123", "America/New_York"),
        ("+18505550123", "America/Chicago"),
        ("+18505550123", "America/New_York"),
        ("+12505550123", "America/Vancouver"),
        ("+19025550123", "America/Halifax"),
    ],
)
def test_a_north_american_number_stands_for_its_whole_state(phone: str, needed: str) -> None:
    found = zones(phone)
    assert found.source == "phone"
    assert needed in found.names


def test_a_number_of_a_small_country_tells_the_zone() -> None:
    assert zones("+442079460123") == Zones(("Europe/London",), "phone")
    assert zones("+4520000012", store_timezone="America/New_York").names == ("Europe/Copenhagen",)


def test_a_number_that_could_be_anywhere_in_a_wide_country_tells_nothing() -> None:
    australian = zones("+61491570006", country="AU", store_timezone="Australia/Sydney")
    assert australian == Zones(("Australia/Sydney",), "store")


def test_a_store_far_away_does_not_lend_its_zone() -> None:
    found = zones("+61491570006", country="AU")
    assert found.source == "country"
    assert {"Australia/Sydney", "Australia/Perth"} <= set(found.names)


def test_a_toll_free_number_has_no_place() -> None:
    assert zones("+18005550199", country="US", store_timezone="America/Chicago") == Zones(("America/Chicago",), "store")


def test_without_a_number_the_country_counts_if_it_is_small() -> None:
    assert zones(country="FR") == Zones(("Europe/Paris",), "country")
    assert set(zones(country="PT").names) == {"Europe/Lisbon", "Atlantic/Madeira", "Atlantic/Azores"}


def test_where_nothing_is_known_the_store_lends_its_zone() -> None:
    assert zones() == Zones(("Europe/Copenhagen",), "store")
    assert zones("junk") == zones("+99912345678") == zones(country="XX") == Zones(("Europe/Copenhagen",), "store")


def test_every_zone_of_the_tables_exists() -> None:
    for _name, *names in [*US_STATES.values(), *CA_PROVINCES.values()]:
        assert all(ZoneInfo(name).key == name for name in names)
    assert zones_of_country("dk") == ("Europe/Copenhagen",)
    assert len(zones_of_country("US")) > 20


@pytest.mark.parametrize(
    ("place", "needed"),
    [
        ("Gary, IN", "America/Chicago"),
        ("Indiana", "America/Indiana/Indianapolis"),
        ("Nova Scotia/Prince Edward Island", "America/Halifax"),
        ("British Colombia", "America/Vancouver"),
    ],
)
def test_a_place_is_found_by_its_state(place: str, needed: str) -> None:
    assert needed in zones_of_place(place)


def test_a_place_outside_of_the_tables_has_no_zones() -> None:
    assert zones_of_place("Jamaica") == zones_of_place("") == zones_of_place("Paris, TEXASS") == ()


@settings(deadline=None)
@given(
    st.none() | st.text(max_size=18) | st.integers(10**6, 10**13).map("+{}".format),
    st.text(max_size=8),
    st.sampled_from(["", "US", "CA", "DK", "RU", "zz", "\x00"]),
    st.sampled_from(["", "CA", "TX", "ON", "?"]),
)
def test_there_is_always_a_zone_and_it_exists(phone: str | None, timezone: str, country: str, province: str) -> None:
    found = zones(phone, timezone=timezone, country=country, province=province)
    assert found.names
    assert all(ZoneInfo(name) for name in found.names)
