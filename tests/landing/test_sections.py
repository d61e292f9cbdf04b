"""Sections of a site that hold folders of several stores: what is done to a section is done to all that is in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client, RequestFactory
from django.urls import reverse
from wagtail.models import GroupPagePermission, Locale, Page

from smsflow_plugin.admin_panels.landing.wall import keep_from_copying
from smsflow_plugin.models import LandingFolder, LandingPage, Store
from tests.admin.people import make_user
from tests.landing.conftest import give_pages, make_page

REFUSED = "holds landing pages of a store in which you may not change them"


@pytest.fixture
def section(shop: Store, tea: Store) -> Page:
    section = Page.get_first_root_node().add_child(instance=Page(title="Offers", slug="offers"))
    for store in (shop, tea):
        section.add_child(instance=LandingFolder(title=f"Pages of {store}", store=store))
        make_page(store, title=f"Offer of {store}")
    return Page.objects.get(pk=section.pk)


def of_the_site(user: Any) -> Client:
    """Log in somebody who may do with pages whatever Wagtail's permissions can give."""
    root = Page.get_first_root_node()
    give_pages(user, root)
    permission = Permission.objects.get(codename="bulk_delete_page", content_type__app_label="wagtailcore")
    group = Group.objects.get(name=f"Pages {root.pk}")
    GroupPagePermission.objects.create(group=group, page=root, permission=permission)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sierra(shop: Store, section: Page) -> Client:
    return of_the_site(make_user("sierra", "Store admin", shop))


def elsewhere() -> Page:
    return Page.get_first_root_node().add_child(instance=Page(title="Archive", slug="archive"))


def act(client: Client, section: Page, how: str, follow: bool = True) -> Any:
    if how == "delete":
        data = {"confirm_site_name": "SMSFlow"}
        return client.post(reverse("wagtailadmin_pages:delete", args=(section.pk,)), data, follow=follow)
    if how == "move":
        url = reverse("wagtailadmin_pages:move_confirm", args=(section.pk, elsewhere().pk))
        return client.post(url, {}, follow=follow)
    if how in ("copy", "alias"):
        data = {
            "new_title": "Copy", "new_slug": "copy", "new_parent_page": section.get_parent().pk, "copy_subpages": "on",
        }  # fmt: skip
        url = reverse("wagtailadmin_pages:copy", args=(section.pk,))
        return client.post(url, {**data, "alias": "on"} if how == "alias" else data, follow=follow)
    action = how.removeprefix("bulk ")
    url = reverse("wagtail_bulk_action", args=("wagtailcore", "page", action))
    data = {"confirm_site_name": "SMSFlow", "next": "/admin/"}
    return client.post(
        f"{url}?id={section.pk}", {**data, "chooser": elsewhere().pk} if action == "move" else data, follow=follow
    )


def tree() -> dict[str, str]:
    return dict(Page.objects.exclude(slug="archive").values_list("title", "path"))


HOW = ["delete", "move", "copy", "alias", "bulk delete", "bulk move"]


@pytest.mark.parametrize("how", HOW)
def test_a_section_with_another_stores_pages_stays_as_it_is(sierra: Client, section: Page, how: str) -> None:
    before = tree()
    response = act(sierra, section, how)
    assert REFUSED in response.content.decode()
    assert tree() == before


@pytest.mark.parametrize("how", ["delete", "move", "bulk delete", "bulk move"])
def test_who_makes_pages_in_all_its_stores_does_with_a_section_what_wagtail_lets_them(
    shop: Store, tea: Store, section: Page, how: str
) -> None:
    before = tree()
    response = act(of_the_site(make_user("both", "Agency", shop, tea)), section, how)
    assert REFUSED not in response.content.decode()
    assert tree() != before


def test_superusers_delete_what_a_deleted_store_has_left(section: Page, admin_client: Client, sierra: Client) -> None:
    LandingFolder.objects.update(store=None)
    act(sierra, section, "delete")
    assert LandingPage.objects.count() == 2
    act(admin_client, section, "delete", follow=False)
    assert not LandingPage.objects.exists()


def test_a_section_is_copied_alone_or_by_who_may_in_all_its_stores(
    shop: Store, tea: Store, section: Page, sierra: Client, rf: RequestFactory
) -> None:
    assert sierra.get(reverse("wagtailadmin_pages:copy", args=(section.pk,))).status_code == 200
    alone, all_of_it = rf.post("/"), rf.post("/", {"copy_subpages": "on"})
    alone.user = get_user_model().objects.get(username="sierra")
    all_of_it.user = make_user("both", "Agency", shop, tea)
    assert keep_from_copying(alone, section) is None and keep_from_copying(all_of_it, section) is None


def test_sections_without_landing_pages_are_none_of_our_business(sierra: Client, section: Page) -> None:
    act(sierra, elsewhere(), "bulk delete")
    assert not Page.objects.filter(slug="archive").exists()


def test_translations_that_go_the_same_way_are_looked_at_too(
    shop: Store, section: Page, sierra: Client, settings: Any
) -> None:
    settings.WAGTAIL_I18N_ENABLED = True
    page = elsewhere()
    Page.objects.filter(pk=section.pk).update(
        translation_key=page.translation_key, locale=Locale.objects.get_or_create(language_code="da")[0]
    )
    assert REFUSED in act(sierra, page, "delete").content.decode()
    assert Page.objects.filter(pk=page.pk).exists()
