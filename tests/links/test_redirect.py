"""Links lead where they were made to lead, nowhere else, and people are counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.links import domains, guard
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.measurement import rollups
from smsflow_plugin.models import Contact, Delivery, Flow, Message, Store, StoreStat
from smsflow_plugin.stores.changes import ChangedDay
from tests.conftest import NOON, TestClock
from tests.engine.helpers import make_flow
from tests.factories import make_contact, make_store
from tests.links.people import ANDROID, IMESSAGE, IPHONE

pytestmark = pytest.mark.django_db

TARGET = "https://sierra-gear.example/sale?size=m"


@pytest.fixture
def flow(shop: Store) -> Flow:
    return make_flow(shop, name="Spring Sale")


@pytest.fixture
def link(shop: Store, flow: Flow) -> Link:
    contact = make_contact(shop, phone="+12025550101")
    message = Message.objects.create(
        store=shop, contact=contact, flow=flow, message_class="marketing", sender=shop.sender, to=str(contact.phone),
        body="See …", step="0f8b1c2d-aaaa-bbbb-cccc-000000000000", variant="B",
    )  # fmt: skip
    return Link.objects.create(
        store=shop, code="aB3dE6gH", target=TARGET, contact=contact, message=message,
        expires_at=NOON + timedelta(days=90),
    )  # fmt: skip


def opened(client: Client, code: str = "aB3dE6gH", agent: str = IPHONE, method: str = "get", **extra: Any) -> Any:
    headers = {"User-Agent": agent, **extra.pop("headers", {})}
    return getattr(client, method)(reverse("smsflow:link", args=[code]), headers=headers, **extra)


def kinds() -> list[str]:
    return list(Click.objects.order_by("pk").values_list("kind", flat=True))


def test_a_person_is_sent_on_and_counted(client: Client, link: Link) -> None:
    response = opened(client)
    assert response.status_code == 302
    assert response["Location"] == (
        f"{TARGET}&utm_source=smsflow&utm_medium=sms&utm_campaign=spring-sale&utm_content=0f8b1c2d-B"
    )
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"
    click = Click.objects.get()
    assert (click.store, click.link, click.kind, click.at) == (link.store, link, "human", NOON)
    assert click.user_agent == IPHONE
    delivery = Delivery.objects.get()
    assert (delivery.store, delivery.source, delivery.state) == (link.store, "links", "pending")


def test_nothing_of_the_request_changes_where_it_leads(client: Client, link: Link) -> None:
    evil = "https://evil.example/"
    path = reverse("smsflow:link", args=[link.code])
    for asked in (f"?url={evil}", f"?next={evil}&utm_source=evil", f"?{evil}"):
        response = client.get(path + asked, headers={"User-Agent": IPHONE, "X-Forwarded-Host": "evil.example"})
        assert response["Location"].startswith(TARGET)
        assert "evil" not in response["Location"]
    assert client.post(path, {"url": evil}).status_code == 405
    assert client.options(path).status_code == 405


def test_three_statements_for_a_first_click_and_two_for_the_next(client: Client, link: Link) -> None:
    with CaptureQueriesContext(connection) as first:
        opened(client)
    assert len(first) == 3
    Link.objects.update(clicked_at=NOON)
    with CaptureQueriesContext(connection) as second:
        opened(client)
    assert len(second) == 2
    with CaptureQueriesContext(connection) as unknown:
        opened(client, "zzzzzzzz")
    assert len(unknown) == 1
    assert Delivery.objects.count() == 1


def test_looking_is_answered_in_the_same_way_and_not_counted(client: Client, link: Link) -> None:
    looked = opened(client, method="head")
    assert (looked.status_code, looked["Location"]) == (302, opened(client)["Location"])
    assert kinds() == ["head", "human"]


def test_a_person_after_a_preview_counts(client: Client, link: Link) -> None:
    opened(client, agent=IMESSAGE)
    assert not Delivery.objects.exists()
    opened(client)
    assert kinds() == ["preview", "human"]
    assert Delivery.objects.count() == 1


def test_what_is_fetched_ahead_does_not_count(client: Client, link: Link) -> None:
    assert opened(client, headers={"Sec-Purpose": "prefetch"}).status_code == 302
    assert kinds() == ["prefetch"]
    assert not Delivery.objects.exists()


def second_link(link: Link) -> Link:
    return Link.objects.create(
        store=link.store, code="second00", target=TARGET, contact=link.contact, message=link.message
    )


def test_several_links_of_one_text_at_once_are_a_scanner(client: Client, link: Link, still: TestClock) -> None:
    second = second_link(link)
    opened(client)
    still.move(seconds=0.4)
    opened(client, second.code)
    assert kinds() == ["bot", "bot"]
    assert set(Click.objects.values_list("because", flat=True)) == {"several links at once"}
    assert list(Delivery.objects.values_list("state", flat=True)) == ["ignored"]
    # a person comes later, and counts
    still.move(minutes=5)
    opened(client)
    assert kinds() == ["bot", "bot", "human"]
    assert Delivery.objects.filter(state="pending").count() == 1


def test_the_figures_of_the_day_follow_what_robots_opened(client: Client, link: Link, still: TestClock) -> None:
    still.at = datetime(2026, 3, 5, 4, 59, 59, 700_000, tzinfo=UTC)  # just before midnight in New York
    opened(client)
    assert not ChangedDay.objects.exists(), "the inbox notes what people click"
    still.move(seconds=0.6)
    opened(client, second_link(link).code)
    opened(client, agent=IMESSAGE)
    noted = set(ChangedDay.objects.values_list("store", "day"))
    assert noted == {(link.store.pk, date(2026, 3, 4)), (link.store.pk, date(2026, 3, 5))}
    while rollups.roll_up():
        pass
    assert dict(StoreStat.objects.values_list("day", "robots")) == {date(2026, 3, 4): 1, date(2026, 3, 5): 2}


def test_a_person_who_opens_both_links_one_after_the_other_counts(client: Client, link: Link, still: TestClock) -> None:
    second = second_link(link)
    opened(client)
    still.move(seconds=2)
    opened(client, second.code)
    assert kinds() == ["human", "human"]


def test_the_same_link_tapped_twice_is_no_scanner_and_neither_is_somebody_else(client: Client, link: Link) -> None:
    second = second_link(link)
    opened(client)
    opened(client)
    opened(client, second.code, agent=ANDROID)
    assert kinds() == ["human", "human", "human"]


def test_a_link_that_has_run_out_leads_home_and_counts_nothing(client: Client, link: Link, still: TestClock) -> None:
    still.move(days=90)
    assert opened(client)["Location"] == "https://sierra-gear.example"
    Store.objects.update(website="")
    assert opened(client)["Location"] == "https://sierra-gear.example/"
    assert not Click.objects.exists()


@pytest.mark.parametrize(
    "gone",
    [{"marketing_consent": "revoked"}, {"service_consent": "revoked"}, {"erased_at": NOON}],
)
def test_whoever_has_left_is_sent_on_and_not_followed(client: Client, link: Link, gone: dict[str, Any]) -> None:
    Contact.objects.update(**gone)
    assert opened(client)["Location"] == TARGET
    assert not Click.objects.exists()
    assert not Delivery.objects.exists()


def test_tags_are_for_the_shops_own_addresses_and_can_be_switched_off(client: Client, link: Link) -> None:
    Link.objects.update(target="https://shop.app/track/1")
    assert opened(client)["Location"] == "https://shop.app/track/1"
    Link.objects.update(target="https://sierra-gear.myshopify.com/cart?utm_source=mine")
    location = opened(client)["Location"]
    assert "utm_source=mine&utm_medium=sms" in location
    assert "utm_source=smsflow" not in location
    Store.objects.update(link_utm=False)
    assert opened(client)["Location"] == "https://sierra-gear.myshopify.com/cart?utm_source=mine"


def test_a_target_in_other_letters_arrives(client: Client, link: Link) -> None:
    Link.objects.update(target="https://sierra-gear.example/sko/blå støvler")
    assert opened(client)["Location"].startswith("https://sierra-gear.example/sko/bl%C3%A5%20st%C3%B8vler?utm")


def test_a_target_that_is_no_web_address_is_never_followed(client: Client, link: Link) -> None:
    for target in ("javascript:alert(1)", "//evil.example", "https://a@evil.example/", ""):
        Link.objects.update(target=target)
        assert opened(client)["Location"] == "https://sierra-gear.example"


def test_links_of_a_store_that_is_gone_lead_nowhere(client: Client, link: Link) -> None:
    Store.objects.update(status=Store.Status.UNINSTALLED)
    assert opened(client).status_code == 404
    Store.objects.update(status=Store.Status.PAUSED)
    assert opened(client).status_code == 302


def test_unknown_codes_are_a_plain_page(client: Client, link: Link) -> None:
    for code in ("zzzzzzzz", "a", "x" * 40, "aB3dE6g-", "a%00"):
        response = opened(client, code)
        assert response.status_code == 404
        assert "This link leads nowhere" in response.content.decode()
        assert response["X-Robots-Tag"] == "noindex"
    # capitals count
    assert opened(client, "AB3DE6GH").status_code == 404


def test_whoever_tries_codes_out_is_not_answered_for_a_while(client: Client, link: Link) -> None:
    for _ in range(guard.MISSES):
        assert opened(client, "zzzzzzzz").status_code == 404
    assert opened(client, "zzzzzzzz").status_code == 429
    # what is there is there for everybody: many phones share an address with whoever guesses
    assert opened(client).status_code == 302
    assert opened(client, "zzzzzzzz", REMOTE_ADDR="198.51.100.7").status_code == 404
    cache.clear()
    assert opened(client, "zzzzzzzz").status_code == 404


def test_clicks_that_cannot_be_kept_hold_nobody_up(client: Client, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**values: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(Click.objects, "create", fails)
    assert opened(client).status_code == 302


# The brand's own domain ------------------------------------------------------------------------


@pytest.fixture
def go(shop: Store) -> str:
    Store.objects.filter(pk=shop.pk).update(link_domain="go.sierra-gear.example")
    domains.forget()
    return "go.sierra-gear.example"


def on(client: Client, host: str, path: str) -> Any:
    return client.get(path, headers={"Host": host, "User-Agent": IPHONE})


def test_on_the_brands_domain_a_link_stands_at_the_top(client: Client, link: Link, go: str) -> None:
    assert on(client, go, f"/{link.code}")["Location"].startswith(TARGET)
    assert on(client, go, f"/{link.code}/")["Location"].startswith(TARGET)
    assert kinds() == ["human", "human"]
    assert on(client, go, "/")["Location"] == "https://sierra-gear.example"
    assert on(client, go, "/zzzzzzzz").status_code == 404


def test_another_stores_links_are_not_found_there(client: Client, link: Link, go: str) -> None:
    other = make_store(name="Other", domain="other.myshopify.com", link_domain="go.other.example")
    theirs = Link.objects.create(store=other, code="theirs00", target="https://other.example/")
    domains.forget()
    assert on(client, go, f"/{theirs.code}").status_code == 404
    assert on(client, "go.other.example", f"/{theirs.code}").status_code == 302


def test_other_hosts_are_the_sites_affair(client: Client, link: Link, go: str) -> None:
    assert on(client, "testserver", f"/{link.code}").status_code == 404
    assert on(client, "elsewhere.example", f"/{link.code}").status_code == 404
    assert "leads nowhere" not in on(client, "elsewhere.example", f"/{link.code}").content.decode()
    assert on(client, "testserver", "/").status_code == 302
