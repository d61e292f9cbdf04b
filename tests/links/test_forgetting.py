"""Who is erased leaves no address and no browser behind; what is old is blanked, and still counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.engine.erasing import erase
from smsflow_plugin.engine.purging import purge
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.measurement.export import everything_about
from smsflow_plugin.models import Delivery, Store
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.links.people import IPHONE

pytestmark = pytest.mark.django_db

CART = "https://sierra-gear.example/checkouts/1/recover?key=hers"


@pytest.fixture
def link(shop: Store) -> Link:
    contact = make_contact(shop)
    return Link.objects.create(
        store=shop, code="aB3dE6gH", target=CART, contact=contact, expires_at=NOON + timedelta(days=90)
    )


def opened(client: Client, link: Link) -> str:
    response = client.get(reverse("smsflow:link", args=[link.code]), headers={"User-Agent": IPHONE})
    return str(response["Location"])


def test_links_of_an_erased_person_lead_to_the_shop_and_say_nothing(client: Client, link: Link) -> None:
    other = Link.objects.create(store=link.store, code="others00", target=CART, contact=make_contact(link.store))
    opened(client, link)
    opened(client, other)
    assert link.contact is not None
    erase(link.contact)
    link.refresh_from_db()
    assert link.target == ""
    assert Click.objects.get(link=link).user_agent == ""
    before = Click.objects.count(), Delivery.objects.count()
    assert opened(client, link) == "https://sierra-gear.example"
    assert (Click.objects.count(), Delivery.objects.count()) == before
    # nobody else's
    other.refresh_from_db()
    assert (other.target, Click.objects.get(link=other).user_agent) == (CART, IPHONE)


def test_a_person_is_given_their_links_and_clicks(client: Client, link: Link) -> None:
    opened(client, link)
    assert link.contact is not None
    data = everything_about(link.contact)
    (told,) = [rows for name, rows in data.items() if name.startswith("click")]
    assert [(row["link__code"], row["kind"], row["user_agent"]) for row in told] == [("aB3dE6gH", "human", IPHONE)]
    assert CART in str(data)


def test_old_clicks_are_blanked_and_still_counted(client: Client, link: Link, still: TestClock) -> None:
    opened(client, link)
    still.move(days=90)
    assert purge()["clicks"] == 0
    still.move(seconds=1)
    assert purge()["clicks"] == 1
    click = Click.objects.get()
    assert (click.user_agent, click.kind, click.at) == ("", "human", NOON)
    assert purge()["clicks"] == 0


def test_links_that_ran_out_long_ago_forget_where_they_led(client: Client, link: Link, still: TestClock) -> None:
    still.move(days=120)
    assert purge()["links"] == 0
    still.move(seconds=1)
    assert purge()["links"] == 1
    link.refresh_from_db()
    assert link.target == ""
    assert opened(client, link) == "https://sierra-gear.example"
