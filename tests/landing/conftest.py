"""Sierra Gear and Nordic Tea with a folder of landing pages each, and people who work in them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.test import Client
from wagtail.models import GroupPagePermission, Page

from smsflow_plugin.conf import DEFAULTS
from smsflow_plugin.models import LandingFolder, LandingPage, OptInForm, Store
from tests.admin.people import make_user
from tests.conftest import TestClock
from tests.factories import make_store
from tests.signup.conftest import make_form

SHOP = "https://sierra-gear.example"


@pytest.fixture(autouse=True)
def _world(settings: Any, still: TestClock, db: None) -> Any:
    translators = {
        "test": "tests.engine.helpers.translate",
        "form": DEFAULTS["TRANSLATORS"]["form"],
        "links": DEFAULTS["TRANSLATORS"]["links"],
    }
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": translators}
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def shop(db: None) -> Store:
    return make_store(website=SHOP, shorten_links=True)


@pytest.fixture
def tea(db: None) -> Store:
    return make_store(
        name="Nordic Tea", domain="nordic-tea.myshopify.com", website="https://nordic-tea.example", shorten_links=True
    )


def make_folder(store: Store) -> LandingFolder:
    root = Page.get_first_root_node()
    return root.add_child(instance=LandingFolder(title=f"Pages of {store}", store=store))


def make_page(store: Store, **values: Any) -> LandingPage:
    folder = LandingFolder.objects.filter(store=store).first() or make_folder(store)
    defaults = {"title": "Spring offer", "offer": "20 % off", "discount_code": "SPRING20", "live": True}
    page = folder.add_child(instance=LandingPage(**{**defaults, **values}))
    page.save_revision()
    return LandingPage.objects.get(pk=page.pk)


@pytest.fixture
def form(shop: Store) -> OptInForm:
    return make_form(shop)


@pytest.fixture
def page(shop: Store, form: OptInForm) -> LandingPage:
    return make_page(shop, form=form)


def give_pages(user: Any, where: Page, name: str = "Pages") -> None:
    """Let somebody add, change and publish pages from ``where`` down, as a site's administrator does."""
    group = Group.objects.create(name=f"{name} {where.pk}")
    for codename in ("add_page", "change_page", "publish_page"):
        permission = Permission.objects.get(codename=codename, content_type__app_label="wagtailcore")
        GroupPagePermission.objects.create(group=group, page=where, permission=permission)
    user.groups.add(group)


@pytest.fixture
def merchant(shop: Store, page: LandingPage) -> Client:
    """A store admin of Sierra Gear with page permissions in its folder."""
    user = make_user("merchant", "Store admin", shop)
    give_pages(user, page.get_parent())
    client = Client()
    client.force_login(user)
    return client
