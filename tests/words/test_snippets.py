"""Words that flows share: written once, found where they are used, never taken away from under a flow."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin.flows.snippet_uses import uses_of
from smsflow_plugin.models import CopySnippet
from tests.words.people import as_role, make_flow, send

pytestmark = pytest.mark.django_db

LIST = reverse("smsflow_snippets:index")
CALL = "5% off. {% render 'bye' %}"


@pytest.fixture
def snippet(store: Any) -> CopySnippet:
    return CopySnippet.objects.create(store=store, name="bye", text="See you.")


def edit_url(snippet: CopySnippet) -> str:
    return reverse("smsflow_snippets:edit", args=[snippet.pk])


def told(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_a_snippet_is_written_in_several_languages(store: Any) -> None:
    client = as_role("Agency", store)
    data = {"store": store.pk, "name": "bye", "text": "See you.", "text_da": "Vi ses."}
    assert client.post(reverse("smsflow_snippets:add"), data).status_code == 302
    snippet = CopySnippet.objects.get()
    assert (snippet.text, snippet.translations) == ("See you.", {"da": "Vi ses."})
    html = client.get(edit_url(snippet)).content.decode()
    assert "Vi ses." in html and "sms-counter" in html and "{% render &#x27;bye&#x27; %}" in html
    client.post(edit_url(snippet), {"name": "bye", "text": "Bye.", "text_da": ""})
    snippet.refresh_from_db()
    assert (snippet.text, snippet.translations) == ("Bye.", {})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"text": "Hi {{ a"}, "This is not closed."),
        ({"text_de": "{% render &#x27;other&#x27; %}"}, "cannot"),
        ({"name": "Not a slug"}, "slug"),
        ({"name": "taken"}, "There is a snippet of this name already."),
    ],
)
def test_what_no_text_can_take_in_is_refused(store: Any, values: dict[str, str], message: str) -> None:
    CopySnippet.objects.create(store=store, name="taken", text="x")
    client = as_role("Agency", store)
    response = client.post(
        reverse("smsflow_snippets:add"), {"store": store.pk, "name": "bye", "text": "See you.", **values}
    )
    assert response.status_code == 200 and message in response.content.decode()
    assert CopySnippet.objects.count() == 1


def test_uses_are_found_in_live_forms_and_in_drafts_of_the_own_store(
    snippet: CopySnippet, danish_store: Any, django_assert_num_queries: Any
) -> None:
    live = make_flow(snippet.store, [send(CALL, "s")], name="Live")
    live.latest_revision.publish()
    make_flow(snippet.store, [send("5% off.", "s", da='{%- render "bye" -%}')], name="Draft")
    make_flow(snippet.store, [send("5% off.", "s")], name="None")
    make_flow(danish_store, [send(CALL, "s")], name="Elsewhere")
    other = CopySnippet.objects.create(store=snippet.store, name="hello", text="Hello.")
    with django_assert_num_queries(1):
        uses = uses_of([snippet, other])
    assert [(use.flow.name, use.live) for use in uses[snippet.pk]] == [("Draft", False), ("Live", True)]
    assert uses[other.pk] == []


def test_a_used_snippet_is_neither_deleted_nor_renamed(snippet: CopySnippet) -> None:
    make_flow(snippet.store, [send(CALL, "s")], name="Spring sale")
    client = as_role("Agency", snippet.store)
    response = client.post(reverse("smsflow_snippets:delete", args=[snippet.pk]))
    assert "“bye” is used by “Spring sale”, so it cannot be deleted." in told(response)
    response = client.post(edit_url(snippet), {"name": "ciao", "text": "See you."})
    assert "Flows call the snippet by this name" in response.content.decode()
    snippet.refresh_from_db()
    assert snippet.name == "bye"


def test_an_unused_snippet_is_deleted(snippet: CopySnippet) -> None:
    as_role("Agency", snippet.store).post(reverse("smsflow_snippets:delete", args=[snippet.pk]))
    assert not CopySnippet.objects.exists()


def test_changing_a_snippet_names_the_live_flows_that_wait_for_it(snippet: CopySnippet) -> None:
    live = make_flow(snippet.store, [send(CALL, "s")], name="Live <one>")
    live.latest_revision.publish()
    make_flow(snippet.store, [send(CALL, "s")], name="Only a draft")
    client = as_role("Agency", snippet.store)
    said = told(client.post(edit_url(snippet), {"name": "bye", "text": "So long."}))
    assert "A live flow goes on with the old words" in said
    assert f"/edit/{live.pk}/" in said and "Live &lt;one&gt;" in said and "Only a draft" not in said
    assert "old words" not in told(
        as_role("Store admin", snippet.store).post(edit_url(snippet), {"name": "bye", "text": "So long."})
    )


def test_a_copywriter_changes_the_words_and_neither_adds_nor_deletes(snippet: CopySnippet) -> None:
    client = as_role("Copywriter", snippet.store)
    assert client.get(LIST).status_code == 200
    client.post(edit_url(snippet), {"name": "bye", "text": "Bye."})
    client.post(reverse("smsflow_snippets:add"), {"store": snippet.store_id, "name": "new", "text": "x"})
    client.post(reverse("smsflow_snippets:delete", args=[snippet.pk]))
    assert [(row.name, row.text) for row in CopySnippet.objects.all()] == [("bye", "Bye.")]


def test_another_stores_snippet_is_not_there(snippet: CopySnippet, danish_store: Any) -> None:
    client = as_role("Agency", danish_store)
    assert client.get(edit_url(snippet)).status_code == 404
    assert client.post(reverse("smsflow_snippets:delete", args=[snippet.pk])).status_code == 404
    assert edit_url(snippet) not in client.get(LIST).content.decode()


def test_the_list_asks_as_much_for_one_snippet_as_for_many(snippet: CopySnippet) -> None:
    client = as_role("Agency", snippet.store)
    client.get(LIST)
    with CaptureQueriesContext(connection) as one:
        client.get(LIST)
    for number in range(8):
        CopySnippet.objects.create(store=snippet.store, name=f"more-{number}", text="x")
        make_flow(snippet.store, [send(f"5% {{% render 'more-{number}' %}}", "s")], name=f"Flow {number}")
    with CaptureQueriesContext(connection) as many:
        page = client.get(LIST).content.decode()
    assert len(many) <= len(one) and page.count("1 flow") >= 8
