"""The list of conversations: its parts, its search, and the number in the menu."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.models import Contact, Store, StoreMembership, Thread
from smsflow_plugin.stores.roles import SUPPORT, ensure_roles
from tests.conftest import TestClock
from tests.factories import make_contact, make_store
from tests.inbox.conftest import make_thread

pytestmark = pytest.mark.django_db

INDEX = "smsflow_inbox:index"


def names(client: Client, **query: Any) -> list[str]:
    response = client.get(reverse(INDEX), query)
    assert response.status_code == 200
    return [row.name for row in response.context["rows"]]


@pytest.fixture
def people(still: TestClock, store: Store, ben: Any, cara: Any) -> dict[str, Thread]:
    """One thread in each state."""
    rows = {
        "Ann": {},
        "Bo": {"assigned_to": ben},
        "Cy": {"assigned_to": cara, "unread": 2},
        "Di": {"state": "snoozed", "snoozed_until": still() + timedelta(hours=1), "unread": 0, "assigned_to": ben},
        "Ed": {"state": "closed", "unread": 0},
        "Fi": {"unread": 0, "last_from_person": False, "last_words": "See you"},
    }
    return {
        name: make_thread(
            make_contact(store, first_name=name, last_name="Of"),
            last_at=still() - timedelta(minutes=number),
            **values,
        )
        for number, (name, values) in enumerate(rows.items())
    }


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("", ["Ann", "Bo", "Cy", "Di", "Ed", "Fi"]),
        ("waiting", ["Ann", "Bo", "Cy"]),
        ("mine", ["Bo", "Di"]),
        ("unassigned", ["Ann", "Fi"]),
        ("open", ["Ann", "Bo", "Cy", "Fi"]),
        ("snoozed", ["Di"]),
        ("closed", ["Ed"]),
        ("nonsense", ["Ann", "Bo", "Cy", "Di", "Ed", "Fi"]),
    ],
)
def test_parts_newest_first(as_ben: Client, people: dict[str, Thread], part: str, found: list[str]) -> None:
    assert names(as_ben, part=part) == [f"{name} Of" for name in found]


def test_search_finds_names_last_words_and_digits_of_numbers(as_ben: Client, people: dict[str, Thread]) -> None:
    phone = str(people["Cy"].contact.phone)
    assert names(as_ben, q="ann of") == ["Ann Of"]
    assert names(as_ben, q="see you") == ["Fi Of"]
    assert names(as_ben, q=f"{phone[-4:-2]} {phone[-2:]}") == ["Cy Of"]
    assert names(as_ben, q="nobody") == []
    assert names(as_ben, q="\0") == names(as_ben)


def test_stores_are_a_filter_for_those_who_have_several(
    as_ben: Client, ben: Any, store: Store, people: dict[str, Thread]
) -> None:
    other = make_store(name="Second", domain="second.myshopify.com")
    make_thread(make_contact(other, first_name="Gus", last_name="Of"))
    assert "Gus Of" not in names(as_ben)
    StoreMembership.objects.create(user=ben, store=other, role=ensure_roles()[SUPPORT])
    assert "Gus Of" in names(as_ben)
    assert names(as_ben, store=other.pk) == ["Gus Of"]


def test_pages(still: TestClock, as_ben: Client, store: Store) -> None:
    for number in range(30):
        make_thread(make_contact(store, first_name=f"P{number:02}"), last_at=still() - timedelta(minutes=number))
    assert len(names(as_ben)) == 25
    assert len(names(as_ben, p=2)) == 5


def test_the_list_takes_few_queries_whatever_its_length(
    still: TestClock, as_ben: Client, ben: Any, store: Store, django_assert_max_num_queries: Any
) -> None:
    as_ben.get(reverse("smsflow_inbox:index_results"))
    for number in range(25):
        make_thread(make_contact(store, first_name=f"P{number:02}"), assigned_to=ben)
    with django_assert_max_num_queries(12):
        response = as_ben.get(reverse("smsflow_inbox:index_results"))
    assert "P24" in response.content.decode()


def test_the_menu_says_how_many_wait_for_me(
    as_ben: Client, as_cara: Client, people: dict[str, Thread], store: Store
) -> None:
    # Ann is nobody's, Bo is Ben's, Cy is Cara's
    count = reverse("smsflow_inbox:count")
    assert as_ben.get(count).json() == {"waiting": 2}
    assert as_cara.get(count).json() == {"waiting": 2}
    Thread.objects.filter(contact__first_name="Bo").update(unread=0)
    assert as_ben.get(count).json() == {"waiting": 1}
    home = as_ben.get(reverse("wagtailadmin_home")).content.decode()
    assert "smsflow-badge-waiting-value" in home
    assert "smsflow/inbox-badge" in home


def test_rows_say_who_spoke_last_and_what(as_ben: Client, people: dict[str, Thread]) -> None:
    page = as_ben.get(reverse(INDEX)).content.decode()
    assert "You: See you" in page
    assert "Where is my parcel?" in page
    assert Contact.objects.count() == 6
