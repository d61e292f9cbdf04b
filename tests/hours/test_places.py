"""Where a person may be, and how that is known."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata
from phonenumbers.geocoder import description_for_number

from smsflow_plugin.audience.places import Place, candidate_places
from smsflow_plugin.audience.prefixes import area_codes, state_of_postcode, zone_of_postcode
from smsflow_plugin.audience.regions import (
    AU_STATES,
    CA_PROVINCES,
    STATES_OF,
    US_STATES,
    clocks_of_country,
    country_of_zone,
    zones_of_country,
)
from smsflow_plugin.audience.zones import Zones, candidate_zones

NOTHING = {"timezone": "", "country": "", "province": "", "store_timezone": "Europe/Copenhagen"}


def places(phone: str | None = None, **known: Any) -> list[Place]:
    return list(candidate_places(phone, **{**NOTHING, **known}))


def zones(phone: str | None = None, **known: Any) -> list[str]:
    return list(dict.fromkeys(place.zone for place in places(phone, **known)))


def test_everything_that_is_known_counts_and_the_persons_own_clock_comes_first() -> None:
    assert places("+12125550123", timezone="Asia/Tokyo", country="US", province="CA") == [
        Place("Asia/Tokyo", "JP", "", "captured"),
        Place("America/Los_Angeles", "US", "CA", "address"),
        Place("America/New_York", "US", "NY", "area_code"),
    ]


def test_a_captured_zone_of_the_address_is_at_home() -> None:
    assert places(timezone="America/Denver", country="US", province="TX") == [
        Place("America/Denver", "US", "TX", "captured"),
        Place("America/Chicago", "US", "TX", "address"),
    ]
    assert places(timezone="Europe/Paris", country="FR", postcode="57000") == [
        Place("Europe/Paris", "FR", "57", "captured")
    ]


@pytest.mark.parametrize("nonsense", ["Mars/Olympus", "../x", "America", "\x00"])
def test_a_zone_that_does_not_exist_is_not_known(nonsense: str) -> None:
    assert places(timezone=nonsense, country="US", province="CA") == [
        Place("America/Los_Angeles", "US", "CA", "address")
    ]


def test_browsers_say_older_names_and_those_that_hide_say_utc() -> None:
    assert places(timezone="Asia/Calcutta") == [Place("Asia/Kolkata", "IN", "", "captured")]
    assert places(timezone="US/Eastern", country="US", province="NY") == [
        Place("America/New_York", "US", "NY", "captured")
    ]
    assert places(timezone="Etc/GMT+5", country="US", province="CA") == [
        Place("America/Los_Angeles", "US", "CA", "address")
    ]
    assert places("+18005550199", timezone="UTC") == [Place("Etc/UTC", "", "", "captured")]


def test_a_zone_that_was_taken_from_the_store_says_nothing_of_the_person() -> None:
    found = places(timezone="Europe/Copenhagen", timezone_source="store", country="US", province="CA")
    assert [place.source for place in found] == ["address"]


@pytest.mark.parametrize(
    "state", ["AK", "FL", "ID", "IN", "KS", "KY", "MI", "NE", "ND", "NV", "OR", "SD", "TN", "TX", "AZ"]
)
def test_a_split_state_has_all_of_its_zones(state: str) -> None:
    first, *others = places(country="US", province=state)
    assert first.source == "address"
    assert others
    assert {place.source for place in others} == {"split_state"}
    assert {place.region for place in others} == {state}


@pytest.mark.parametrize("province", ["BC", "NU", "ON", "QC", "NL", "SK"])
def test_a_split_province_has_all_of_its_zones(province: str) -> None:
    assert len(zones(country="CA", province=province)) >= 2


def test_a_code_means_its_own_country_in_capitals_or_not() -> None:
    assert zones(country="us", province="de") == ["America/New_York"]
    assert zones(country="AU", province="WA")[0] == "Australia/Perth"
    assert zones(country="US", province="US-TX")[0] == "America/Chicago"


@pytest.mark.parametrize(
    ("postcode", "expected"),
    [
        ("79901", ["America/Denver"]),  # El Paso
        ("77002-1234", ["America/Chicago"]),
        ("79845", ["America/Chicago", "America/Denver"]),  # 798 lies in both
        ("", ["America/Chicago", "America/Denver"]),
        ("90210", ["America/Chicago", "America/Denver"]),  # of another state: not believed
    ],
)
def test_a_postcode_may_name_the_only_zone_of_a_split_state(postcode: str, expected: list[str]) -> None:
    assert zones(country="US", province="TX", postcode=postcode) == expected


@pytest.mark.parametrize(
    ("country", "postcode", "state"),
    [
        ("US", "10001", "NY"),
        ("US", "02139", "MA"),
        ("US", "20001", "DC"),
        ("US", "22101", "VA"),
        ("US", "88510", "TX"),
        ("US", "96799", "AS"),
        ("US", "00901", "PR"),
        ("CA", "v5k 0a1", "BC"),
        ("CA", "H2X 1Y4", "QC"),
        ("FR", "67000", "6AE"),
        ("FR", "75001", ""),
        ("DK", "1050", ""),
        ("US", "", ""),
    ],
)
def test_a_postcode_tells_the_state_of_an_address_without_one(country: str, postcode: str, state: str) -> None:
    assert state_of_postcode(country, postcode) == state


def test_zones_of_postcodes_are_zones_of_their_state() -> None:
    for prefix in range(1000):
        postcode = f"{prefix:03}"
        zone, state = zone_of_postcode("US", postcode), state_of_postcode("US", postcode)
        assert not zone or zone in US_STATES[state], postcode


def test_every_area_code_of_the_usa_and_canada_is_in_the_table_with_its_country() -> None:
    for country in ("US", "CA"):
        metadata = PhoneMetadata.metadata_for_region(country)
        pattern = re.compile(metadata.fixed_line.national_number_pattern)
        codes = [str(code) for code in range(200, 1000) if pattern.fullmatch(f"{code}2345678")]
        assert len(codes) > 50
        for code in codes:
            assert area_codes()[code].country == country, code


def test_every_area_code_is_of_the_state_that_the_library_describes() -> None:
    by_name = {entry[0]: state for table in STATES_OF.values() for state, entry in table.items()}
    by_name["British Colombia"] = "BC"  # so spelt in the library
    described = 0
    for code, found in area_codes().items():
        # an exchange that nobody has is described by its area code
        text = description_for_number(phonenumbers.parse(f"+1{code}2000000"), "en")
        states = {by_name.get(part, part) for part in text.rpartition(", ")[2].split("/")}
        if states <= set(US_STATES) | set(CA_PROVINCES):
            described += 1
            assert states <= set(found.regions), (code, text)
    assert described > 400


def test_the_likely_zone_of_an_area_code_is_one_of_its_state() -> None:
    for found in area_codes().values():
        assert not found.zone or found.zone in STATES_OF[found.country][found.regions[0]]


@pytest.mark.parametrize(
    ("phone", "first", "needed"),
    [
        # the library alone places these exchanges in the other half of the state
        ("+12195550123", "America/Chicago", "America/Indiana/Indianapolis"),
        ("+12705550123", "America/Chicago", "America/New_York"),
        ("+13645550123", "America/Chicago", "America/New_York"),
        ("+14235550123", "America/New_York", "America/Chicago"),
        ("+18505550123", "America/Chicago", "America/New_York"),
        ("+19155550123", "America/Denver", "America/Chicago"),
        ("+12505550123", "America/Vancouver", "America/Edmonton"),
        ("+18675550123", "America/Edmonton", "America/Whitehorse"),
        ("+19025550123", "America/Halifax", "America/Halifax"),
    ],
)
def test_a_north_american_number_stands_for_its_whole_state(phone: str, first: str, needed: str) -> None:
    found = places(phone)
    assert (found[0].zone, found[0].source) == (first, "area_code")
    assert needed in {place.zone for place in found if place.region}


def test_a_number_of_a_small_country_tells_the_zone() -> None:
    assert places("+442079460123") == [Place("Europe/London", "GB", "", "number")]
    assert places("+447911123456") == [Place("Europe/Guernsey", "GG", "", "number")]
    assert zones("+4520000012", store_timezone="America/New_York") == ["Europe/Copenhagen"]
    assert places("+18765550123") == [Place("America/Jamaica", "JM", "", "number")]


def test_a_number_from_another_country_than_the_address_counts_beside_it() -> None:
    assert places("+12025550123", country="DK") == [
        Place("Europe/Copenhagen", "DK", "", "country"),
        Place("America/New_York", "US", "DC", "area_code"),
    ]


@pytest.mark.parametrize("phone", ["+18005550199", "+19005550199", "+15005550006", "+80012345678", "+881612345678"])
def test_a_number_of_no_place_says_nothing(phone: str) -> None:
    assert places(phone) == [Place("Europe/Copenhagen", "DK", "", "store")]
    assert places(phone, country="US", province="CA") == [Place("America/Los_Angeles", "US", "CA", "address")]


def test_in_a_wide_country_all_clocks_count_and_the_stores_own_is_the_best_guess() -> None:
    found = zones("+61491570006", country="AU", store_timezone="Australia/Perth")
    assert found[0] == "Australia/Perth"
    assert {"Australia/Sydney", "Australia/Brisbane", "Australia/Darwin"} <= set(found)
    assert zones("+61491570006", country="AU")[0] == "Australia/Sydney"
    assert zones("+61491570006", country="AU", province="QLD") == ["Australia/Brisbane"]


def test_a_country_counts_whole_only_when_nothing_closer_is_known_in_it() -> None:
    assert zones("+14155550123", country="US") == ["America/Los_Angeles"]
    assert zones(timezone="America/Boise", country="US") == ["America/Boise"]
    assert len(zones(country="US")) > 5


def test_without_a_number_the_country_counts() -> None:
    assert places(country="FR") == [Place("Europe/Paris", "FR", "", "country")]
    assert set(zones(country="PT")) == {"Europe/Lisbon", "Atlantic/Azores"}
    assert places(country="PR") == [Place("America/Puerto_Rico", "US", "PR", "address")]


def test_where_nothing_is_known_the_store_lends_its_zone() -> None:
    copenhagen = [Place("Europe/Copenhagen", "DK", "", "store")]
    assert places() == places("junk") == places("+99912345678") == places(country="XX") == copenhagen
    assert places(store_timezone="Mars/Phobos") == [Place("UTC", "", "", "store")]
    assert places(store_country="se") == [Place("Europe/Copenhagen", "SE", "", "store")]


def test_those_who_need_names_get_each_once() -> None:
    found = candidate_zones("+12025550123", **{**NOTHING, "timezone": "America/New_York"})
    assert found == Zones(("America/New_York",), "captured")


def test_every_zone_of_the_tables_exists_and_is_of_its_country() -> None:
    for country, table in STATES_OF.items():
        for state, (_name, *names) in table.items():
            assert all(ZoneInfo(name).key == name for name in names)
            assert all(country_of_zone(name) in (country, state) for name in names)
    assert zones_of_country("dk") == ("Europe/Copenhagen",)
    assert len(zones_of_country("US")) > 20
    assert len(AU_STATES) == 8


def test_clocks_that_read_the_same_count_once() -> None:
    assert clocks_of_country("DE") == ("Europe/Berlin",)
    assert clocks_of_country("UA") == ("Europe/Kyiv", "Europe/Simferopol")
    assert "America/Detroit" not in clocks_of_country("US")
    assert {"America/Phoenix", "America/Denver", "Pacific/Honolulu"} <= set(clocks_of_country("US"))
    assert clocks_of_country("XX") == ()


@given(
    st.none() | st.text(max_size=18) | st.integers(10**6, 10**13).map("+{}".format),
    st.text(max_size=8) | st.sampled_from(["Asia/Tokyo", "America/Chicago"]),
    st.sampled_from(["", "US", "CA", "DK", "RU", "PR", "zz", "\x00"]),
    st.sampled_from(["", "CA", "TX", "ON", "?"]),
    st.text(max_size=6) | st.integers(0, 99999).map("{:05}".format),
)
def test_there_is_always_a_place_and_its_zone_exists(
    phone: str | None, timezone: str, country: str, province: str, postcode: str
) -> None:
    found = places(phone, timezone=timezone, country=country, province=province, postcode=postcode)
    assert found
    assert all(ZoneInfo(place.zone) for place in found)
    assert all(place.source for place in found)
    assert len({(place.zone, place.country, place.region) for place in found}) == len(found)
