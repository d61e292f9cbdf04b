"""By whatever way a page is asked for, the same is asked of it first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse
from wagtail import hooks
from wagtail.models import Page, PageViewRestriction, Site

from smsflow_plugin.models import LandingFolder, LandingPage, Store
from tests.conftest import NOON, TestClock
from tests.landing.conftest import SHOP


@pytest.fixture
def in_tree(page: LandingPage, settings: Any) -> str:
    """The address of the page at its place in the tree, on a site with wagtail.urls."""
    settings.ROOT_URLCONF = "tests.landing.urls"
    home = Page.objects.get(pk=Site.objects.get(is_default_site=True).root_page_id)
    page.get_parent().move(home, pos="last-child")
    return f"/{page.get_parent().slug}/{page.slug}/"


def test_a_page_is_served_at_its_place_in_the_tree_too(client: Client, in_tree: str) -> None:
    response = client.get(in_tree)
    assert response.status_code == 200 and b"SPRING20" in response.content


@pytest.mark.parametrize("how", ["uninstalled", "deleted"])
def test_nobody_finds_pages_of_a_store_that_is_gone_in_the_tree(client: Client, in_tree: str, how: str) -> None:
    if how == "deleted":
        LandingFolder.objects.update(store=None)
    else:
        Store.objects.update(status="uninstalled")
    response = client.get(in_tree)
    assert response.status_code == 404 and b"SPRING20" not in response.content


def test_a_page_that_has_expired_leads_to_the_shop_from_the_tree(
    client: Client, in_tree: str, still: TestClock
) -> None:
    LandingPage.objects.update(expire_at=NOON + timedelta(hours=1))
    assert client.get(in_tree).status_code == 200
    still.move(hours=1)
    response = client.get(in_tree)
    assert (response.status_code, response["Location"]) == (302, SHOP)


def test_what_is_shown_to_nobody_can_be_previewed(merchant: Client, page: LandingPage) -> None:
    page.expire_at = NOON - timedelta(hours=1)
    page.save_revision()
    assert b"SPRING20" in merchant.get(reverse("wagtailadmin_pages:view_draft", args=(page.pk,))).content


KINDS = ["login", "groups", "password"]


def keep(where: Page, kind: str) -> PageViewRestriction:
    return PageViewRestriction.objects.create(page=where, restriction_type=kind, password="tents")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_that_is_kept_for_some_leads_others_to_the_shop(client: Client, page: LandingPage, kind: str) -> None:
    """A site without wagtail.urls has no page on which to log in or to give a password."""
    keep(Page.get_first_root_node(), kind)
    response = client.get(f"{page.address}?utm_source=smsflow")
    assert (response.status_code, response["Location"]) == (302, f"{SHOP}?utm_source=smsflow")


@pytest.mark.parametrize("kind", KINDS)
def test_a_site_that_can_ask_asks_at_the_lasting_address_too(client: Client, in_tree: str, kind: str) -> None:
    keep(Page.get_first_root_node(), kind)
    for address in (in_tree, LandingPage.objects.get().address):
        response = client.get(address)
        assert b"SPRING20" not in response.content
        if kind == "password":
            assert response.status_code == 200 and b'type="password"' in response.content
        else:
            assert response.status_code == 302 and "login" in response["Location"]


def test_who_is_let_in_sees_a_page_that_is_kept_for_some(merchant: Client, page: LandingPage) -> None:
    keep(page.get_parent(), "login")
    assert b"SPRING20" in merchant.get(page.address).content


def test_a_password_opens_the_page(client: Client, in_tree: str) -> None:
    page = LandingPage.objects.get()
    kept = keep(page.get_parent(), "password")
    asked = reverse("wagtailcore_authenticate_with_password", args=(kept.pk, page.pk))
    answer = client.post(asked, {"password": "tents", "return_url": page.address.removeprefix("http://testserver")})
    assert b"SPRING20" in client.get(answer["Location"]).content


def test_an_error_of_the_sites_own_hooks_is_not_swallowed(client: Client, page: LandingPage) -> None:
    def broken(_page: Any, *_more: Any) -> None:
        reverse("no such view")

    with hooks.register_temporarily("before_serve_page", broken), pytest.raises(NoReverseMatch):
        client.get(page.address)
