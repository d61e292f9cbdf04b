"""Segments in the admin: who may do what, and how many people each has."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.test.utils.form_data import nested_form_data, streamfield

from smsflow_plugin.flows.segment_use import flows_with_segment
from smsflow_plugin.models import Flow, Segment
from tests.admin.people import client_of, make_user
from tests.factories import make_contact
from tests.flows.people import person, rule

pytestmark = pytest.mark.django_db

LIST = "smsflow_segments:index"


def make_segment(store: Any, name: str = "Good customers", *rules: dict[str, Any]) -> Segment:
    return Segment.objects.create(store=store, name=name, rules=[*(rules or (rule("orders_count", "ge", "2"),))])


def in_segment(segment: Segment, within: str = "yes") -> dict[str, Any]:
    return {"type": "segment", "value": {"segment": segment.pk, "within": within}}


def form(store: Any, *rules: tuple[str, dict[str, Any]], **values: Any) -> dict[str, Any]:
    return nested_form_data(
        {"name": "VIP", "description": "", "store": store.pk, "rules": streamfield(rules), **values}
    )


def compared(value: str = "2", **values: str) -> tuple[str, dict[str, Any]]:
    return "compare", {"field": "orders_count", "custom": "", "operator": "ge", "value": value, **values}


@pytest.fixture
def ada(store: Any) -> Client:
    return client_of(make_user("ada", "Store admin", store))


@pytest.fixture
def crowd(store: Any) -> None:
    for orders in range(5):
        make_contact(store, first_name=f"Customer {orders}", orders_count=orders)


def count(client: Client, data: dict[str, Any], model: str = "segment", **values: Any) -> Any:
    return client.post(reverse("smsflow_segments:count", args=[model]), {**data, **values})


def test_a_segment_is_made_and_changed(ada: Client, store: Any) -> None:
    ada.post(reverse("smsflow_segments:add"), form(store, compared("3")))
    segment = Segment.objects.get(store=store, name="VIP")
    assert segment.rules[0].value["value"] == "3"
    ada.post(reverse("smsflow_segments:edit", args=[segment.pk]), form(store, compared("4"), name="Gold"))
    segment.refresh_from_db()
    assert (segment.name, segment.rules[0].value["value"]) == ("Gold", "4")


def test_a_rule_that_makes_no_sense_is_shown_where_it_is(ada: Client, store: Any) -> None:
    page = ada.post(reverse("smsflow_segments:add"), form(store, compared("many")))
    assert page.status_code == 200
    assert "This must be a number." in page.content.decode()
    assert not Segment.objects.exists()


def test_the_list_says_how_many_people_each_segment_has_now(ada: Client, store: Any, crowd: None) -> None:
    make_segment(store, "Two or more")
    make_segment(store, "Four", rule("orders_count", "ge", "4"))
    segments = {segment.name: segment.people for segment in ada.get(reverse(LIST)).context["object_list"]}
    assert segments == {"Two or more": 3, "Four": 1}


def test_the_list_takes_as_many_queries_for_many_segments_as_for_few(ada: Client, store: Any, crowd: None) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert ada.get(reverse(LIST)).status_code == 200
        return len(caught)

    make_segment(store, "First")
    ada.get(reverse(LIST))
    few = queries()
    for number in range(12):
        make_segment(store, f"Segment {number}", rule("orders_count", "ge", str(number)))
    assert queries() == few


def test_segments_of_other_stores_are_not_there(ada: Client, danish_store: Any) -> None:
    foreign = make_segment(danish_store, "Tea drinkers")
    for name in ("edit", "delete", "inspect"):
        assert ada.get(reverse(f"smsflow_segments:{name}", args=[foreign.pk])).status_code == 404
    assert "Tea drinkers" not in ada.get(reverse(LIST)).content.decode()
    assert "Tea drinkers" not in ada.get(reverse("smsflow_segment_chooser:choose")).content.decode()
    assert count(ada, {"audience-pk": foreign.pk}).status_code == 404
    assert count(ada, form(danish_store)).status_code == 404


def test_a_foreign_segment_cannot_be_chosen_by_its_number(ada: Client, store: Any, danish_store: Any) -> None:
    foreign = make_segment(danish_store, "Tea drinkers")
    data = form(store, ("segment", {"segment": foreign.pk, "within": "yes"}))
    page = ada.post(reverse("smsflow_segments:add"), data)
    assert page.status_code == 200
    assert "Tea drinkers" not in page.content.decode()
    assert not Segment.objects.filter(store=store).exists()


def test_a_segment_cannot_contain_itself_by_way_of_another(ada: Client, store: Any) -> None:
    inner = make_segment(store, "Inner")
    outer = make_segment(store, "Outer", in_segment(inner))
    data = form(store, ("segment", {"segment": outer.pk, "within": "yes"}), name="Inner")
    page = ada.post(reverse("smsflow_segments:edit", args=[inner.pk]), data)
    assert "would contain itself" in page.content.decode()


def test_the_count_follows_the_form_while_it_is_filled_in(ada: Client, store: Any, crowd: None) -> None:
    answer = count(ada, form(store, compared("2"), compared("")))
    assert answer.context["count"] == 3
    assert answer.context["unfinished"] == 1
    assert "1 rule is not finished" in answer.content.decode()


def test_the_count_is_the_user_s_to_list_if_they_may_see_people(ada: Client, store: Any, crowd: None) -> None:
    listed = count(ada, form(store, compared("3")), **{"audience-list": "1"}).content.decode()
    assert "Customer 4" in listed
    assert "Customer 2" not in listed
    segment = make_segment(store)
    asked = form(store, compared("3"), **{"audience-pk": segment.pk, "audience-list": "1"})
    maker = person("Mo", (store, ("view_store", "view_segment", "change_segment")))
    answer = count(client_of(maker), asked)
    assert answer.context["count"] == 2
    assert "Customer" not in answer.content.decode()
    # who neither sees people nor makes rules could ask about anybody, one by one
    assert count(client_of(make_user("cora", "Copywriter", store)), asked).status_code != 200


def test_groups_and_other_segments_count_too(ada: Client, store: Any, crowd: None) -> None:
    segment = make_segment(store)
    rules = [("segment", {"segment": segment.pk, "within": "no"}), ("none_of", streamfield([compared("1")]))]
    assert count(ada, form(store, *rules)).context["count"] == 1


def test_the_audience_of_a_flow_is_counted_in_its_own_store(ada: Client, store: Any, danish_store: Any) -> None:
    make_contact(store, orders_count=3)
    make_contact(danish_store, orders_count=3)
    flow = Flow.objects.create(store=store, name="Welcome")
    data = nested_form_data({"audience": streamfield([compared("2")]), "audience-pk": flow.pk})
    assert count(ada, data, "flow").context["count"] == 1
    started = nested_form_data(
        {"audience": streamfield([compared("2", field="trigger.cart.total")]), "audience-pk": flow.pk}
    )
    assert "only for people inside it" in count(ada, started, "flow").content.decode()


def test_the_people_of_a_segment_are_listed_with_links(ada: Client, store: Any, crowd: None) -> None:
    segment = make_segment(store)
    page = ada.get(reverse("smsflow_segments:inspect", args=[segment.pk]))
    names = [contact.first_name for contact in page.context["people"]]
    assert sorted(names) == ["Customer 2", "Customer 3", "Customer 4"]
    for contact in page.context["people"]:
        assert reverse("smsflow_contacts:inspect", args=[contact.pk]) in page.content.decode()


def test_who_sees_no_people_sees_only_the_number(store: Any, crowd: None) -> None:
    segment = make_segment(store)
    client = client_of(make_user("cora", "Copywriter", store))
    page = client.get(reverse("smsflow_segments:inspect", args=[segment.pk]))
    assert page.context["count"] == 3
    assert "Customer 3" not in page.content.decode()
    assert client.get(reverse("smsflow_segments:edit", args=[segment.pk])).status_code == 302
    assert client.get(reverse("smsflow_segments:add")).status_code == 302


@pytest.mark.parametrize("place", ["audience", "steps", "draft"])
def test_a_segment_that_a_flow_uses_is_not_deleted(ada: Client, store: Any, place: str) -> None:
    segment = make_segment(store)
    other = make_segment(store, "Others")
    chosen = [{**in_segment(segment), "id": "r"}]
    branch = [{"type": "if_else", "value": {"condition": chosen, "yes": [], "no": []}, "id": "s"}]
    flow = Flow(store=store, name="Win back", **{"audience": chosen} if place == "audience" else {})
    if place == "steps":
        flow.steps = branch
    flow.save()
    if place == "draft":
        flow.audience = chosen
        flow.save_revision(clean=False)
    assert flows_with_segment(segment) == [flow]
    page = ada.post(reverse("smsflow_segments:delete", args=[segment.pk]), follow=True)
    assert "“Win back”" in page.content.decode()
    ada.post(reverse("smsflow_segments:delete", args=[other.pk]))
    assert list(Segment.objects.filter(store=store)) == [segment]


def test_a_segment_that_another_segment_uses_is_not_deleted(ada: Client, store: Any) -> None:
    inner = make_segment(store, "Inner")
    make_segment(store, "Outer", in_segment(inner))
    page = ada.post(reverse("smsflow_segments:delete", args=[inner.pk]), follow=True)
    assert "“Outer”" in page.content.decode()
    assert Segment.objects.filter(pk=inner.pk).exists()


def test_both_editors_show_the_count(ada: Client, store: Any) -> None:
    segment = make_segment(store)
    flow = Flow.objects.create(store=store, name="Welcome")
    flow.save_revision()
    for page in (
        reverse("smsflow_segments:edit", args=[segment.pk]),
        reverse("wagtailsnippets_smsflow_flow:edit", args=[flow.pk]),
    ):
        content = ada.get(page).content.decode()
        assert 'data-controller="sms-audience"' in content
        assert "smsflow/audience-controller.js" in content
