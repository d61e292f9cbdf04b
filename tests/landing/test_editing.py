"""Making landing pages in Wagtail's page editor, inside one's own stores."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Page
from wagtail.test.utils.form_data import inline_formset, nested_form_data, rich_text

from smsflow_plugin.admin_panels.flows.copy_views import landing_pages
from smsflow_plugin.models import LandingFolder, LandingPage, Store
from tests.admin.people import make_user
from tests.landing.conftest import SHOP, give_pages, make_folder, make_page
from tests.signup.conftest import make_form


def filled_in(**values: Any) -> dict[str, str]:
    data = {
        "title": "Summer", "slug": "summer", "introduction": "", "image": "", "offer": "10 % off",
        "discount_code": "SUMMER", "shop_link": "", "button": "", "body": rich_text("<p>Tents.</p>"), "form": "",
        "seo_title": "", "go_live_at": "", "expire_at": "", "comments": inline_formset([]),
        "action-publish": "1",
    }  # fmt: skip
    return nested_form_data({**data, **values})


def add_url(folder: Page) -> str:
    return reverse("wagtailadmin_pages:add", args=("smsflow", "landingpage", folder.pk))


def edit_url(page: Page) -> str:
    return reverse("wagtailadmin_pages:edit", args=(page.pk,))


def test_a_merchant_makes_publishes_and_finds_a_page(merchant: Client, shop: Store, page: LandingPage) -> None:
    folder = page.get_parent()
    assert merchant.get(add_url(folder)).status_code == 200
    response = merchant.post(add_url(folder), filled_in(form=page.form_id, shop_link=f"{SHOP}/tents"))
    assert response.status_code == 302
    made = LandingPage.objects.get(slug="summer")
    assert made.live and made.store == shop and made.form == page.form
    assert made.address in merchant.get(edit_url(made)).content.decode()
    listed = merchant.get(reverse("smsflow_landing_pages:index")).content.decode()
    assert "Summer" in listed and "Spring offer" in listed
    assert b"Summer" in Client().get(made.address).content
    assert [row["insert"] for row in landing_pages(shop)] == [page.address, made.address]


def test_another_stores_form_is_refused(merchant: Client, shop: Store, tea: Store, page: LandingPage) -> None:
    strange = make_form(tea, name="Tea form")
    response = merchant.post(edit_url(page), filled_in(form=strange.pk))
    assert response.status_code == 200
    assert "Tea form" not in response.content.decode()
    assert LandingPage.objects.get(pk=page.pk).form != strange


def test_somebody_of_both_stores_is_told_why_a_form_is_refused(shop: Store, tea: Store, page: LandingPage) -> None:
    strange = make_form(tea, name="Tea form")
    user = make_user("agency", "Agency", shop, tea)
    give_pages(user, Page.get_first_root_node())
    client = Client()
    client.force_login(user)
    response = client.post(edit_url(page), filled_in(form=strange.pk))
    assert response.status_code == 200
    assert "This form is not of the store Sierra Gear" in response.content.decode()
    draft = filled_in(form=strange.pk)
    del draft["action-publish"]
    assert "This form is not of the store Sierra Gear" in client.post(edit_url(page), draft).content.decode()
    assert LandingPage.objects.get(pk=page.pk).form != strange


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/",
        "https://sierra-gear.example@evil.example/",
        "https://nordic-tea.myshopify.com/",
        "https://sierra-gear.example:8443/",
        "javascript:alert(1)",
    ],
)
def test_a_button_leads_nowhere_else(merchant: Client, page: LandingPage, link: str) -> None:
    response = merchant.post(edit_url(page), filled_in(shop_link=link))
    assert response.status_code == 200
    assert LandingPage.objects.get(pk=page.pk).shop_link == ""


def test_a_code_with_a_blank_is_refused_with_the_reason(merchant: Client, page: LandingPage) -> None:
    response = merchant.post(edit_url(page), filled_in(discount_code="TWENTY OFF"))
    assert "A code has no blanks" in response.content.decode()


def test_the_chooser_and_the_preview_work(merchant: Client, page: LandingPage) -> None:
    url = reverse("wagtailadmin_pages:preview_on_edit", args=(page.pk,))
    assert merchant.post(url, filled_in(title="Draft headline")).json()["is_valid"]
    shown = merchant.get(url)
    assert shown.status_code == 200 and b"Draft headline" in shown.content
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    url = reverse("wagtailadmin_pages:preview_on_add", args=("smsflow", "landingpage", page.get_parent().pk))
    assert merchant.post(url, filled_in(title="New headline")).json()["is_valid"]
    assert b"New headline" in merchant.get(url).content


@pytest.mark.parametrize("name", ["edit", "copy", "delete", "unpublish", "history", "view_draft", "preview_on_edit"])
def test_page_permissions_in_the_wrong_place_open_no_other_store(shop: Store, tea: Store, name: str) -> None:
    """The site's administrator has given somebody of Sierra Gear the whole tree by mistake."""
    own, strange = make_page(shop, title="Sierra offer"), make_page(tea, title="Tea offer")
    user = make_user("wide", "Store admin", shop)
    give_pages(user, Page.get_first_root_node())
    client = Client()
    client.force_login(user)
    url = f"wagtailadmin_pages:{name}"
    if name != "preview_on_edit":
        assert client.get(reverse(url, args=(own.pk,))).status_code == 200
    refused = client.get(reverse(url, args=(strange.pk,)))
    assert refused.status_code in (302, 403, 404)
    before = LandingPage.objects.get(pk=strange.pk)
    client.post(reverse(url, args=(strange.pk,)), filled_in(title="Taken over"))
    after = LandingPage.objects.get(pk=strange.pk)
    assert (after.title, after.live, after.latest_revision_id) == (before.title, True, before.latest_revision_id)
    assert client.post(add_url(strange.get_parent()), filled_in()).status_code in (302, 403)
    assert not LandingPage.objects.filter(slug="summer").exists()
    listed = client.get(reverse("smsflow_landing_pages:index")).content.decode()
    assert "Sierra offer" in listed and "Tea offer" not in listed


def test_a_page_leaves_its_store_by_no_way(shop: Store, tea: Store, page: LandingPage, admin_user: Any) -> None:
    folder = make_folder(tea)
    tester = LandingPage.objects.get(pk=page.pk).permissions_for_user(admin_user)
    assert not tester.can_move_to(folder) and not tester.can_copy_to(folder)
    assert tester.can_copy_to(page.get_parent())


def test_an_alias_has_an_address_of_its_own_and_keeps_it(shop: Store, page: LandingPage, admin_client: Client) -> None:
    folder = page.get_parent()
    data = {"new_title": "Again", "new_slug": "again", "new_parent_page": folder.pk, "alias": "on"}
    assert admin_client.post(reverse("wagtailadmin_pages:copy", args=(page.pk,)), data).status_code == 302
    token = LandingPage.objects.get(slug="again").token
    assert token != page.token
    page.title = "Autumn offer"
    page.save_revision().publish()
    alias = LandingPage.objects.get(slug="again")
    assert (alias.title, alias.token, alias.alias_of_id) == ("Autumn offer", token, page.pk)
    assert b"Autumn offer" in Client().get(alias.address).content


def test_aliases_of_all_in_a_folder_have_addresses_of_their_own(page: LandingPage) -> None:
    page.get_parent().specific.create_alias(recursive=True, update_slug="again")
    assert LandingPage.objects.values("token").distinct().count() == LandingPage.objects.count() == 2


def test_a_folder_is_made_for_ones_own_store_only(shop: Store, tea: Store, page: LandingPage) -> None:
    user = make_user("wide", "Store admin", shop)
    give_pages(user, Page.get_first_root_node())
    client = Client()
    client.force_login(user)
    url = reverse("wagtailadmin_pages:add", args=("smsflow", "landingfolder", Page.get_first_root_node().pk))
    data = filled_in(title="Mine", slug="mine")
    assert client.post(url, {**data, "store": str(tea.pk)}).status_code == 200
    assert client.post(url, {**data, "store": str(shop.pk)}).status_code == 302
    folder = LandingFolder.objects.get(slug="mine")
    assert folder.store == shop
    client.post(edit_url(folder), {**data, "store": str(tea.pk)})
    assert LandingFolder.objects.get(slug="mine").store == shop


def test_the_list_asks_for_no_statement_more_with_more_pages(merchant: Client, shop: Store, page: LandingPage) -> None:
    url = reverse("smsflow_landing_pages:index")
    merchant.get(url)
    with CaptureQueriesContext(connection) as few:
        merchant.get(url)
    for n in range(6):
        make_page(shop, title=f"Page {n}")
    with CaptureQueriesContext(connection) as many:
        merchant.get(url)
    assert len(many) == len(few)
