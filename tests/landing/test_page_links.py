"""Links in a page's words to other pages: Wagtail shows the address of whatever page has the number."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Page
from wagtail.test.utils.form_data import rich_text

from smsflow_plugin.models import LandingPage, Store
from tests.landing.conftest import make_page
from tests.landing.test_editing import add_url, edit_url, filled_in


def words(number: Any) -> str:
    return f'<p>See <a linktype="page" id="{number}">this</a>.</p>'


@pytest.fixture
def strange(tea: Store) -> LandingPage:
    return make_page(tea, title="Tea offer", live=False)


@pytest.mark.parametrize("what", ["page", "folder"])
@pytest.mark.parametrize("draft", [False, True])
def test_a_link_to_another_stores_page_is_refused_and_its_address_not_told(
    merchant: Client, page: LandingPage, strange: LandingPage, what: str, draft: bool
) -> None:
    target = strange if what == "page" else strange.get_parent()
    data = filled_in(body=rich_text(words(target.pk)))
    if draft:
        del data["action-publish"]
    for url in (edit_url(page), add_url(page.get_parent())):
        response = merchant.post(url, data)
        html = response.content.decode()
        assert response.status_code == 200
        assert "The text can link to landing pages of the store Sierra Gear only." in html
        assert strange.token not in html
    assert LandingPage.objects.get(pk=page.pk).get_latest_revision_as_object().body == ""
    assert not LandingPage.objects.filter(slug="summer").exists()


def test_links_to_the_stores_own_pages_and_to_other_pages_of_the_site_stay(
    merchant: Client, shop: Store, page: LandingPage
) -> None:
    second = make_page(shop, title="Second")
    other = Page.get_first_root_node().add_child(instance=Page(title="About us", slug="about-us"))
    body = words(second.pk) + words(other.pk)
    assert merchant.post(edit_url(page), filled_in(body=rich_text(body))).status_code == 302
    saved = LandingPage.objects.get(pk=page.pk)
    assert f'id="{second.pk}"' in saved.body and f'id="{other.pk}"' in saved.body
    assert second.token in Client().get(page.address).content.decode()
    assert second.token in merchant.get(edit_url(page)).content.decode()


@pytest.mark.parametrize("number", ["", "abc", "9" * 30])
def test_what_is_no_number_of_a_page_breaks_nothing(
    merchant: Client, shop: Store, page: LandingPage, number: str
) -> None:
    LandingPage.objects.filter(pk=page.pk).update(body=words(number))
    assert b"See <a>this</a>." in Client().get(page.address).content


def test_what_is_stored_already_is_shown_neither_to_visitors_nor_in_the_editor(
    merchant: Client, shop: Store, strange: LandingPage
) -> None:
    page = make_page(shop, title="Old", body=words(strange.pk))
    assert b"See <a>this</a>." in Client().get(page.address).content
    assert strange.token not in merchant.get(edit_url(page)).content.decode()
    page.save_revision().publish()
    assert LandingPage.objects.get(pk=page.pk).live


def test_the_chooser_of_links_offers_no_page_of_another_store(
    merchant: Client, admin_client: Client, page: LandingPage, strange: LandingPage
) -> None:
    def offered(client: Client, where: LandingPage) -> str:
        url = reverse("wagtailadmin_choose_page_child", args=(where.get_parent().pk,))
        return str(client.get(url).content.decode())

    assert page.token in offered(merchant, page)
    hidden = offered(merchant, strange)
    assert strange.token not in hidden and "Tea offer" not in hidden
    assert strange.token in offered(admin_client, strange)
