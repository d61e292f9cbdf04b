"""The store's form asks where links may lead, and refuses what would lead nowhere or to a blocked text."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Page, Site

from smsflow_plugin.links.domains import link_domains
from smsflow_plugin.models import Store
from smsflow_plugin.stores.roles import STORE_ADMIN
from tests.admin.people import client_of, make_user
from tests.factories import make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(shop: Store) -> Client:
    return client_of(make_user("ada", STORE_ADMIN, shop))


def edit(client: Client, store: Store, **changes: Any) -> Any:
    url = reverse("smsflow_stores:edit", args=[store.pk])
    form = client.get(url).context["form"]
    data = {field.html_name: field.value() for field in form}
    return client.post(url, {**{name: value for name, value in data.items() if value not in (None, False)}, **changes})


def test_what_is_filled_in_is_kept(ada: Client, shop: Store) -> None:
    assert link_domains() == {}
    response = edit(
        ada, shop, link_domain=" Go.Sierra-Gear.example ", link_hosts="Lookbook.example\r\n\r\nwww.maps.example\n",
        link_days="30", attribution_days="7", attribution_delivered_hours="24",
    )  # fmt: skip
    assert response.status_code == 302
    shop.refresh_from_db()
    assert (shop.link_domain, shop.link_hosts) == ("go.sierra-gear.example", ["lookbook.example", "www.maps.example"])
    assert (shop.link_days, shop.attribution_days, shop.attribution_delivered_hours) == (30, 7, 24)
    assert shop.shorten_links
    assert link_domains() == {"go.sierra-gear.example": "https://sierra-gear.example"}
    # it is shown as it was filled in, one host a line
    form = ada.get(reverse("smsflow_stores:edit", args=[shop.pk])).context["form"]
    assert form["link_hosts"].value() == "lookbook.example\nwww.maps.example"
    page = ada.get(reverse("smsflow_stores:edit", args=[shop.pk])).content.decode()
    assert "lookbook.example\nwww.maps.example</textarea>" in page
    assert "Links and credit" in page


def test_switching_it_off_and_leaving_numbers_out(ada: Client, shop: Store) -> None:
    Store.objects.update(link_days=5)
    url = reverse("smsflow_stores:edit", args=[shop.pk])
    data = {field.html_name: field.value() for field in ada.get(url).context["form"]}
    kept = {name: value for name, value in data.items() if value not in (None, False)}
    del kept["shorten_links"]
    assert ada.post(url, {**kept, "link_days": ""}).status_code == 302
    shop.refresh_from_db()
    assert (shop.shorten_links, shop.link_days) == (False, 90)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("link_domain", "https://go.sierra-gear.example"),
        ("link_domain", "go.sierra-gear.example/l"),
        ("link_domain", "go.sierra-gear.example:8443"),
        ("link_domain", "localhost"),
        ("link_domain", "10.0.0.1"),
        ("link_domain", "bit.ly"),
        ("link_domain", "sierra.bit.ly"),
        ("link_domain", "www.sierra-gear.example"),
        ("link_domain", "go.other.example"),
        ("link_hosts", "lookbook.example\nhttps://evil.example/"),
        ("link_hosts", "tinyurl.com"),
        ("link_hosts", "*.example.com"),
        ("link_hosts", "\n".join(f"h{n}.example" for n in range(51))),
        ("link_days", "0"),
        ("link_days", "731"),
        ("attribution_days", "0"),
        ("attribution_delivered_hours", "169"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(ada: Client, shop: Store, field: str, value: str) -> None:
    make_store(name="Other", domain="other.myshopify.com", link_domain="go.other.example")
    response = edit(ada, shop, **{field: value})
    assert list(response.context["form"].errors) == [field]


def test_a_domain_that_the_site_does_not_answer_to_is_refused(ada: Client, shop: Store, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", ".sierra-gear.example"]
    assert edit(ada, shop, link_domain="go.sierra-gear.example").status_code == 302
    response = edit(ada, shop, link_domain="go.unknown.example")
    assert "ALLOWED_HOSTS" in str(response.context["form"].errors["link_domain"])


def test_a_site_without_the_middleware_serves_no_brands(ada: Client, shop: Store, settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "LinkDomain" not in name]
    response = edit(ada, shop, link_domain="go.sierra-gear.example")
    assert "LinkDomainMiddleware" in str(response.context["form"].errors["link_domain"])


def test_the_sites_own_domain_is_not_a_brands(ada: Client, shop: Store, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": "https://texts.example"}
    response = edit(ada, shop, link_domain="texts.example")
    assert "own domain" in str(response.context["form"].errors["link_domain"])


def test_a_domain_on_which_another_site_of_wagtail_stands_is_refused(ada: Client, shop: Store) -> None:
    home = Page.objects.filter(depth=2).first() or Page.add_root(title="Root", slug="root")
    Site.objects.create(hostname="Magazine.sierra-gear.example", root_page=home)
    response = edit(ada, shop, link_domain="magazine.sierra-gear.example")
    assert "A site of its own is there." in str(response.context["form"].errors["link_domain"])
