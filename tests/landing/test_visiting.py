"""From a text to the page, to the shop, and to an opt-in with its proof."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from smsflow_plugin.engine.deleting import DeleteStore
from smsflow_plugin.flows.program import Send, Trigger
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.models import (
    ConsentRecord,
    Contact,
    LandingFolder,
    LandingPage,
    Message,
    OptInForm,
    Policy,
    Store,
)
from tests.conftest import NOON, TestClock
from tests.engine.helpers import happened, make_flow, pump
from tests.factories import caps, make_contact
from tests.landing.conftest import SHOP, make_page
from tests.links.people import IPHONE
from tests.signup.conftest import slip_in

NEWCOMER = "+12025550188"
UTM = "utm_source=smsflow&utm_medium=sms&utm_campaign=offer&utm_content=s1"


def texted(store: Store, address: str) -> Message:
    make_contact(store, phone="+12025550101")
    make_flow(store, Send("s1", {"": f"Look: {address}"}), name="Offer")
    happened(store, "opted_in", phone="+12025550101")
    pump()
    return Message.objects.get(flow__name="Offer", contact__phone="+12025550101")


def test_from_a_text_to_an_opt_in_with_its_proof(
    client: Client, shop: Store, page: LandingPage, still: TestClock
) -> None:
    Policy.objects.update(caps=caps(9, 9))
    message = texted(shop, page.address)
    link = Link.objects.get()
    assert link.target == page.address and link.code in message.body and page.address not in message.body
    redirect = client.get(f"/smsflow/l/{link.code}", headers={"User-Agent": IPHONE})
    assert redirect["Location"] == f"{page.address}?{UTM}"
    assert Click.objects.get().kind == "human"

    response = client.get(redirect["Location"].removeprefix("http://testserver"))
    html = response.content.decode()
    assert response.status_code == 200
    assert "Spring offer" in html and "20 % off" in html and "SPRING20" in html
    assert f'href="{SHOP}/discount/SPRING20?{UTM.replace("&", "&amp;")}"' in html
    assert response["X-Robots-Tag"] == "noindex" and response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    assert not re.search(r"<script(?![^>]*src=)|style=|onclick", html)

    make_flow(shop, Send("w1", {"": "Welcome"}), name="Welcome", message_class="service",
              triggers=(Trigger("opt_in_requested"),))  # fmt: skip
    still.move(seconds=20)
    action = re.search(r'action="([^"]+)"', html)
    came_from = re.search(r'name="from" value="([^"]+)"', html)
    assert action and came_from
    sent = client.post(
        action[1],
        {"phone": NEWCOMER, "agreed": "yes", "slip": slip_in(response), "lang": "en", "from": came_from[1]},
        HTTP_ORIGIN="http://testserver",
    )
    assert sent.status_code == 200
    assert f'<a href="{page.address}">Back to the offer</a>' in sent.content.decode()
    pump()
    proof = ConsentRecord.objects.get(contact__phone=NEWCOMER)
    assert proof.evidence["referrer"] == page.address
    assert proof.box_ticked and proof.form == page.form.token and proof.disclosure
    assert Contact.objects.get(phone=NEWCOMER).marketing_consent == "pending"
    assert Message.objects.filter(contact__phone=NEWCOMER).exists()


def test_a_form_that_is_wrong_leads_back_and_keeps_where_it_was_filled_in(
    client: Client, page: LandingPage, tea: Store
) -> None:
    action = reverse("smsflow:join", args=[page.form.token])
    said = {"phone": "1", "lang": "en", "slip": slip_in(client.get(page.address))}
    for came_from, leads_back in (
        (page.address, True),
        (make_page(tea).address, False),
        ("https://elsewhere.example/", False),
        ("javascript:alert(1)", False),
        (f'{page.address}?a="><b>', True),
    ):
        wrong = client.post(action, {**said, "from": came_from}, HTTP_ORIGIN="http://testserver")
        html = wrong.content.decode()
        assert wrong.status_code == 422
        assert (f'<a href="{escape(came_from)}">Back to the offer</a>' in html) is leads_back
        assert (f'name="from" value="{escape(came_from)}"' in html) is leads_back


@pytest.mark.parametrize("why", ["unpublished", "expired", "deleted", "nobody knows it"])
def test_what_is_not_there_leads_to_the_shop(client: Client, page: LandingPage, still: TestClock, why: str) -> None:
    path = page.address.removeprefix("http://testserver")
    if why == "unpublished":
        page.unpublish()
    elif why == "expired":
        LandingPage.objects.update(expire_at=NOON + timedelta(hours=1))
        assert client.get(path).status_code == 200
        still.move(hours=1)
    elif why == "deleted":
        page.delete()
    else:
        path = path.replace(page.token, "nobody00")
    response = client.get(f"{path}?utm_source=smsflow&next=https://evil.example")
    assert response.status_code == 302
    assert response["Location"] == f"{SHOP}?utm_source=smsflow"


def test_without_a_website_it_leads_to_the_shops_own_domain(client: Client, shop: Store, page: LandingPage) -> None:
    Store.objects.update(website="")
    page.unpublish()
    assert client.get(page.address)["Location"] == "https://sierra-gear.myshopify.com/"


def test_a_page_is_found_under_its_own_store_only(client: Client, page: LandingPage, tea: Store) -> None:
    response = client.get(f"/smsflow/page/{tea.pk}/{page.token}/")
    assert response["Location"] == "https://nordic-tea.example"
    assert client.get(f"/smsflow/page/{2**70}/{page.token}/").status_code == 404
    assert client.post(page.address).status_code == 405


@pytest.mark.parametrize("token", ["ab%00c", "%00", "a" * 99, "ab%20c", "é"])
def test_what_is_no_token_leads_to_the_shop(client: Client, shop: Store, page: LandingPage, token: str) -> None:
    response = client.get(f"/smsflow/page/{shop.pk}/{token}/")
    assert (response.status_code, response["Location"]) == (302, SHOP)


def test_nobody_finds_pages_of_a_store_that_is_gone(client: Client, shop: Store, page: LandingPage) -> None:
    Store.objects.filter(pk=shop.pk).update(status="uninstalled")
    assert client.get(page.address).status_code == 404


def test_a_closed_form_and_a_paused_store_ask_nobody(client: Client, shop: Store, page: LandingPage) -> None:
    assert b"<form" in client.get(page.address).content
    OptInForm.objects.update(active=False)
    assert b"<form" not in client.get(page.address).content
    OptInForm.objects.update(active=True)
    Store.objects.update(status="paused")
    response = client.get(page.address)
    assert response.status_code == 200 and b"<form" not in response.content


def test_a_page_speaks_the_language_of_its_store(client: Client, page: LandingPage) -> None:
    Store.objects.update(language="da")
    html = client.get(page.address).content.decode()
    assert '<html lang="da">' in html
    assert "Din kode" in html and "Til butikken" in html and "Mobilnummer" in html


def test_a_link_that_the_store_allows_no_more_gives_way_to_its_home(client: Client, shop: Store) -> None:
    Store.objects.update(link_hosts=["lookbook.example"])
    page = make_page(shop, shop_link="https://lookbook.example/a", discount_code="")
    assert 'href="https://lookbook.example/a"' in client.get(page.address).content.decode()
    Store.objects.update(link_hosts=[])
    html = client.get(page.address).content.decode()
    assert "lookbook" not in html and f'href="{SHOP}"' in html


def test_only_landing_pages_of_the_same_store_are_shortened(shop: Store, tea: Store, page: LandingPage) -> None:
    other = make_page(tea, title="Tea")
    texted(shop, f"{page.address} {other.address} {page.address}more/ http://testserver/smsflow/join/x/")
    assert list(Link.objects.values_list("target", flat=True)) == [page.address]


def test_a_copy_has_an_address_of_its_own_and_so_have_its_revisions(page: LandingPage) -> None:
    page.save_revision().publish()
    copy = page.copy(update_attrs={"slug": "copy", "title": "Copy"}, copy_revisions=True)
    assert copy.token != page.token
    copy.get_latest_revision().publish()
    copy = LandingPage.objects.get(slug="copy")
    assert copy.live and copy.token != page.token
    assert LandingPage.objects.get(pk=page.pk).token == page.token


def test_an_address_stays_when_the_page_is_moved_and_renamed(client: Client, shop: Store, page: LandingPage) -> None:
    address = page.address
    page.slug, page.title = "other", "Other"
    page.save_revision().publish()
    second = LandingFolder.objects.get().add_sibling("right", instance=LandingFolder(title="Second", store=shop))
    LandingPage.objects.get(pk=page.pk).move(second, pos="last-child")
    assert LandingPage.objects.get(pk=page.pk).address == address
    assert b"Other" in client.get(address).content


def test_pages_outlive_a_store_that_is_deleted_and_are_shown_to_nobody(client: Client, page: LandingPage) -> None:
    address = page.address
    DeleteStore(page.store).execute(skip_permission_checks=True)
    assert client.get(address).status_code == 404
    assert LandingPage.objects.get().address == ""


def test_reading_a_page_takes_few_statements(
    client: Client, page: LandingPage, django_assert_max_num_queries: Any
) -> None:
    client.get(page.address)
    with django_assert_max_num_queries(12):
        client.get(page.address)
