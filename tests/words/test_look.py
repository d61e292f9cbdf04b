"""What the counter learns from the server: counts with real values, Liquid's errors, hints, names."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.copy_values import ENOUGH, LONG_VALUES, longest_context
from smsflow_plugin.models import CopySnippet, Event, Flow
from tests.factories import make_contact
from tests.words.people import as_role, make_flow

pytestmark = pytest.mark.django_db

LOOK, NAMES = reverse("smsflow_copy:look"), reverse("smsflow_copy:names")
HELLO = "Hi {{ contact.first_name | default: 'there' }}, 10% off today."


@pytest.fixture(autouse=True)
def forget() -> None:
    cache.clear()


@pytest.fixture
def flow(store: Any) -> Flow:
    return make_flow(store)


@pytest.fixture
def client(flow: Flow) -> Client:
    return as_role("Copywriter", flow.store)


def look(client: Client, flow: Flow, copy: str, **more: Any) -> Any:
    response = client.post(LOOK, {"flow": flow.pk, "copy": copy, **more})
    assert response.status_code == 200
    return response.json()


def test_the_count_is_that_of_the_text_as_it_will_be_sent(client: Client, flow: Flow) -> None:
    answer = look(client, flow, HELLO)
    text = "Sierra Gear: Hi Ada, 10% off today.\nReply STOP to opt out."
    assert answer["typical"]["text"] == text
    assert answer["typical"]["characters"] == len(text)
    assert (answer["typical"]["parts"], answer["typical"]["encoding"]) == (1, "GSM-7")
    assert answer["problems"] == answer["hints"] == []


def test_the_language_of_the_text_decides_the_words_for_opting_out(client: Client, flow: Flow) -> None:
    assert "Svar STOP for at afmelde." in look(client, flow, "Hej, 10%", language="da")["typical"]["text"]


def test_a_service_text_gets_neither_brand_nor_words_for_opting_out(client: Client, flow: Flow) -> None:
    answer = look(client, flow, "Your order is ready.", trigger="event:order_paid", message_class="service")
    assert answer["typical"]["text"] == "Your order is ready."


def test_typographic_characters_are_counted_as_they_are_sent(client: Client, flow: Flow) -> None:
    assert look(client, flow, "It’s 10% off…")["typical"]["encoding"] == "GSM-7"
    answer = look(client, flow, "10% off 😀")
    assert (answer["typical"]["encoding"], answer["typical"]["forced_by"]) == ("UCS-2", ["😀"])


def test_long_values_cost_more_and_are_never_told(client: Client, flow: Flow) -> None:
    for number in range(ENOUGH):
        make_contact(flow.store, first_name=f"Wolfeschlegelsteinhausen{number:02}")
    answer = look(client, flow, HELLO)
    difference = len("Wolfeschlegelsteinhausen00") - len("Ada")
    assert answer["longest"]["characters"] == answer["typical"]["characters"] + difference
    assert "text" not in answer["longest"]
    assert "Wolfeschlegel" not in str(answer)


def test_a_new_store_counts_with_the_documented_long_values(client: Client, flow: Flow) -> None:
    answer = look(client, flow, HELLO)
    longer = len(LONG_VALUES["first_name"]) - len("Ada")
    assert answer["longest"]["characters"] == answer["typical"]["characters"] + longer


def test_the_longest_value_is_what_most_stay_below_and_not_nonsense(store: Any) -> None:
    for number in range(40):
        make_contact(store, first_name="Christoffer" if number % 2 else "Bo")
    make_contact(store, first_name="x" * 100)
    assert longest_context(store, ["opted_in"], {})["contact"]["first_name"] == "Christoffer"


def test_long_values_of_events_come_from_the_events_of_the_store(store: Any, danish_store: Any) -> None:
    for number in range(ENOUGH):
        for owner, title in ((store, "Tent"), (danish_store, "A very long title of the other store")):
            Event.objects.create(
                store=owner, kind="cart_updated", key=f"{number}", occurred_at=clock.now(),
                data={"cart": {"first_item": title, "url": "https://a.example/" + "x" * 60}},
            )  # fmt: skip
    cart = longest_context(store, ["cart_updated"], {})["cart"]
    assert cart["first_item"] == "Tent" and len(cart["url"]) == 78


def test_counting_long_values_asks_the_same_few_questions_however_many_people_there_are(
    store: Any, django_assert_num_queries: Any
) -> None:
    for size in (1, 60):
        for _number in range(size):
            make_contact(store)
        cache.clear()
        with django_assert_num_queries(2):
            longest_context(store, ["opted_in"], {})
    with django_assert_num_queries(0):
        longest_context(store, ["opted_in"], {})


def test_an_error_says_where_it_is(client: Client, flow: Flow) -> None:
    (problem,) = look(client, flow, "Hi\n{{ cart.nothing }} now")["problems"]
    assert problem["message"] == "There is no “cart.nothing” here."
    assert problem["where"] == "line 2, column 4"
    assert "Hi\n{{ cart.nothing }} now"[problem["start"] : problem["end"]].strip() == "cart.nothing"


def test_a_value_that_may_be_missing_is_a_problem_unless_another_text_stands_in(client: Client, flow: Flow) -> None:
    (problem,) = look(client, flow, "Hi {{ contact.first_name }}, 5%")["problems"]
    assert "may be missing" in problem["message"]
    assert look(client, flow, "Hi {{ contact.first_name }}, 5%", has_fallback="1")["problems"] == []


def test_hints_come_along(client: Client, flow: Flow) -> None:
    (hint,) = look(client, flow, "10% off: https://bit.ly/abc")["hints"]
    assert hint["code"] == "shortener"
    assert "10% off: https://bit.ly/abc"[hint["start"] : hint["end"]] == "https://bit.ly/abc"


def test_the_unsaved_triggers_of_the_form_count(client: Client, flow: Flow) -> None:
    cart = {"copy": "5% {{ cart.first_item }}"}
    assert look(client, flow, **cart)["problems"]
    assert look(client, flow, **cart, trigger="event:cart_updated")["problems"] == []
    both = look(client, flow, **cart, trigger=["event:cart_updated", "manual:"])["problems"]
    assert "may be missing" in both[0]["message"]


def test_answers_and_codes_of_steps_are_names(client: Client, flow: Flow) -> None:
    gathered = {"trigger": "event:opted_in", "gathered": ["ask_text:colour", "discount:welcome", "nonsense:x"]}
    paths = {name["path"] for name in client.post(NAMES, {"flow": flow.pk, **gathered}).json()["names"]}
    assert {"answers.colour", "codes.welcome", "contact.first_name"} <= paths and "answers.x" not in paths
    text = "5% {{ answers.colour | default: 'red' }} {{ codes.welcome | default: 'no code' }}"
    answer = look(client, flow, text, **gathered)
    assert answer["problems"] == [] and "WELCOME" in answer["typical"]["text"]


def test_the_names_of_a_saved_flow_fit_its_draft(client: Client, flow: Flow) -> None:
    names = {name["path"]: name for name in client.post(NAMES, {"flow": flow.pk}).json()["names"]}
    assert names["contact.first_name"] == {"path": "contact.first_name", "example": "Ada", "optional": True}
    assert "answers.size" in names and "cart.url" not in names


def test_a_snippet_is_counted_with_its_words_in_the_language(client: Client, flow: Flow) -> None:
    CopySnippet.objects.create(store=flow.store, name="bye", text="See you, 5%.", translations={"da": "Vi ses."})
    answer = look(client, flow, "{% render 'bye' %}")
    assert answer["problems"] == [] and "See you, 5%." in answer["typical"]["text"]
    assert "Vi ses." in look(client, flow, "{% render 'bye' %}", language="da")["typical"]["text"]
    (problem,) = look(client, flow, "5% {% render 'hello' %}")["problems"]
    assert problem["message"] == "There is no snippet called “hello”."
    offered = [name for name in client.post(NAMES, {"flow": flow.pk}).json()["names"] if "insert" in name]
    assert offered[0]["insert"] == "{% render 'bye' %}"


def test_a_mail_is_checked_and_not_counted(client: Client, flow: Flow) -> None:
    answer = look(client, flow, "Dear {{ contact.nothing }}", kind="mail")
    assert answer["typical"] is None and answer["problems"]


def test_a_price_becomes_a_cost(client: Client, flow: Flow, settings: Any) -> None:
    assert look(client, flow, HELLO)["typical"]["cost"] == ""
    settings.SMSFLOW = {**settings.SMSFLOW, "PART_PRICE": {"USD": "0.0083"}}
    assert look(client, flow, HELLO)["typical"]["cost"] == "$8.30"
    assert look(client, flow, "10% off " + "x" * 160)["typical"]["cost"] == "$16.60"


def test_another_stores_flow_store_or_snippet_is_not_there(flow: Flow, danish_store: Any) -> None:
    CopySnippet.objects.create(store=flow.store, name="secret", text="5%")
    theirs = as_role("Copywriter", danish_store)
    for question in ({"flow": flow.pk}, {"store": flow.store_id}, {"flow": "x"}, {"store": "9" * 30}):
        assert theirs.post(LOOK, {"copy": "5%", **question}).status_code == 404
        assert theirs.post(NAMES, question).status_code == 404
    answer = theirs.post(LOOK, {"copy": "{% render 'secret' %}", "store": danish_store.pk}).json()
    assert answer["problems"]


def test_who_writes_nothing_asks_nothing(flow: Flow) -> None:
    assert as_role("Support", flow.store).post(LOOK, {"flow": flow.pk, "copy": "5%"}).status_code == 404
    assert Client().post(LOOK, {"flow": flow.pk, "copy": "5%"}).status_code == 302


def test_a_text_that_no_field_takes_is_not_looked_at(client: Client, flow: Flow) -> None:
    assert client.post(LOOK, {"flow": flow.pk, "copy": "x" * 2001}).status_code == 413
    assert client.post(LOOK, {"flow": flow.pk, "copy": "x" * 70_000}).status_code == 413
    assert client.get(LOOK).status_code == 405


def test_a_snippet_may_use_any_name_but_must_be_copy(client: Client, flow: Flow) -> None:
    assert look(client, flow, "5% off {{ cart.first_item }}", kind="snippet")["problems"] == []
    assert look(client, flow, "5% off {{ cart", kind="snippet")["problems"][0]["message"].startswith(
        "This is not closed"
    )
