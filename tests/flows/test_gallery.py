from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.models import Flow, StoreLogEntry
from tests.flows.people import COPYWRITER, STORE_ADMIN, person, published_flow, saved_flow
from tests.flows.test_editor import signed_in, url

pytestmark = pytest.mark.django_db


def gallery() -> str:
    return reverse("smsflow_gallery:index")


def enable(template: str) -> str:
    return reverse("smsflow_gallery:enable", args=[template])


@pytest.fixture
def ines(store: Any) -> Client:
    return signed_in(person("Ines", (store, STORE_ADMIN)))


def test_a_store_admin_enables_a_template_and_lands_in_its_editor(store: Any, ines: Client) -> None:
    page = ines.get(gallery()).content.decode()
    assert "Abandoned cart" in page
    assert enable("abandoned_cart") in page
    response = ines.post(enable("abandoned_cart"), {"store": store.pk}, follow=True)
    flow = Flow.objects.get()
    assert response.redirect_chain == [(url("edit", flow.pk), 302)]
    assert "“Abandoned cart” was added to Sierra Gear as a draft." in response.content.decode()
    assert (flow.store, flow.template, flow.live) == (store, "abandoned_cart", False)
    assert flow.latest_revision.user.username == "Ines"


def test_enabling_is_in_the_store_s_own_log(store: Any, ines: Client) -> None:
    ines.post(enable("welcome"), {"store": store.pk})
    entry = StoreLogEntry.objects.get(action="smsflow.enable")
    assert (entry.store, entry.user.username, entry.data) == (store, "Ines", {"template": "welcome"})


def test_an_enabled_template_can_be_published_without_a_change(store: Any, ines: Client) -> None:
    ines.post(enable("post_purchase"), {"store": store.pk})
    flow = Flow.objects.get()
    flow.latest_revision.publish()
    assert Flow.objects.get().live


def test_a_copywriter_may_not_add_flows(store: Any) -> None:
    writer = signed_in(person("Carl", (store, COPYWRITER)))
    home = reverse("wagtailadmin_home")
    for response in (writer.get(gallery()), writer.post(enable("welcome"), {"store": store.pk})):
        assert (response.status_code, response.url) == (302, home)
    assert not Flow.objects.exists()


def test_nobody_enables_anything_in_a_store_of_others(store: Any, danish_store: Any, ines: Client) -> None:
    response = ines.post(enable("welcome"), {"store": danish_store.pk})
    assert (response.status_code, Flow.objects.exists()) == (200, False)
    assert "Nordic Tea" not in response.content.decode()


def test_a_role_without_the_right_to_add_leaves_that_store_out(store: Any, danish_store: Any) -> None:
    mixed = signed_in(person("Mia", (store, STORE_ADMIN), (danish_store, COPYWRITER)))
    assert "Nordic Tea" not in mixed.get(enable("welcome")).content.decode()
    mixed.post(enable("welcome"), {"store": danish_store.pk})
    assert not Flow.objects.exists()


def test_a_template_says_where_it_is_in_use(store: Any, danish_store: Any) -> None:
    flow = published_flow(store, "welcome")
    agency = signed_in(person("Agnes", (store, STORE_ADMIN), (danish_store, STORE_ADMIN)))
    page = agency.get(gallery()).content.decode()
    assert f'<a href="{url("edit", flow.pk)}">Sierra Gear</a> (Live)' in page
    choice = agency.get(enable("welcome"))
    assert list(choice.context["form"].fields["store"].queryset) == [danish_store]


def test_a_template_that_every_store_has_cannot_be_enabled_again(store: Any, ines: Client) -> None:
    saved_flow(store, "welcome")
    assert enable("welcome") not in ines.get(gallery()).content.decode()
    response = ines.post(enable("welcome"), {"store": store.pk})
    assert (response.status_code, Flow.objects.count()) == (200, 1)


def test_what_others_have_is_not_told(store: Any, danish_store: Any, ines: Client) -> None:
    published_flow(danish_store, "welcome")
    assert "Nordic Tea" not in ines.get(gallery()).content.decode()


def test_there_is_no_template_of_that_name(ines: Client) -> None:
    assert ines.get(enable("perpetuum-mobile")).status_code == 404


def test_strangers_to_the_admin_are_sent_to_the_login() -> None:
    assert Client().get(gallery()).url.startswith(reverse("wagtailadmin_login"))
