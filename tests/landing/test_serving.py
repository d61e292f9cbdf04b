"""By whatever way a page is asked for, the same is asked of it first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Page, Site

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
