"""Whoever writes a text sees and counts what will be sent; links on the simulator's phone can be tapped."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth import get_user_model
from django.urls import reverse

from smsflow_plugin.admin_panels.flows.copy_hints import flow_hints
from smsflow_plugin.flows.preview import preview_context
from smsflow_plugin.flows.program import Program, Send, Trigger
from smsflow_plugin.governance.effective import StoreRules
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.integrations.simulator import phone
from smsflow_plugin.integrations.simulator.network.client import PhoneText
from smsflow_plugin.links.models import Link
from smsflow_plugin.models import Flow, Store
from smsflow_plugin.simulation.people import edge_case
from smsflow_plugin.simulation.walk import walk
from tests.admin.people import client_of
from tests.conftest import NOON
from tests.factories import make_contact
from tests.simulator.conftest import sign_in
from tests.words.people import as_role, make_flow, send

pytestmark = pytest.mark.django_db

#: 150 characters that a link makes none of.
LONG = "https://sierra-gear.example/" + "x" * 150
SHORT = "http://testserver/smsflow/l/aB3dE6gH"


def written(store: Store) -> Flow:
    flow = make_flow(store)
    flow.steps = [send(f"See {LONG}", "s-1")]
    return flow


def look(store: Store, text: str, **more: Any) -> Any:
    flow = Flow.objects.first() or make_flow(store)
    user = get_user_model().objects.first()
    client = client_of(user) if user else as_role("Copywriter", store)
    return client.post(reverse("smsflow_copy:look"), {"flow": flow.pk, "copy": text, **more}).json()


def test_the_counter_counts_the_short_link(shop: Store) -> None:
    answer = look(shop, f"See {LONG}")
    assert f"See {SHORT}" in answer["typical"]["text"]
    assert answer["typical"]["parts"] == 1
    assert "many_parts" not in {hint["code"] for hint in answer["hints"]}
    # an example of a cart's address is shortened as a real one will be
    cart = look(shop, "{{ cart.url }}", trigger="event:checkout_updated")
    assert SHORT in cart["typical"]["text"]
    assert cart["longest"]["characters"] == cart["typical"]["characters"]


def test_it_counts_what_is_written_where_nothing_is_shortened(shop: Store) -> None:
    assert look(shop, "See https://elsewhere.example/")["typical"]["text"].count("https://elsewhere.example/") == 1
    Store.objects.update(shorten_links=False)
    answer = look(shop, f"See {LONG}")
    assert LONG in answer["typical"]["text"]
    assert answer["typical"]["parts"] == 2


def test_public_shorteners_are_named_at_the_field(shop: Store) -> None:
    (hint,) = [hint for hint in look(shop, "Now: https://bit.ly/abc")["hints"] if hint["code"] == "shortener"]
    assert (hint["start"], hint["end"]) == (5, 23)


def test_the_hints_before_publishing_and_the_preview_count_it(shop: Store) -> None:
    flow = written(shop)
    assert "many_parts" not in {found.hint.code for found in flow_hints(flow)}
    (moment,) = [moment for moment in preview_context(flow, "phone")["moments"] if moment.bubbles]
    assert moment.bubbles[0].composed is not None
    assert f"See {SHORT}" in moment.bubbles[0].composed.text
    shop.shorten_links = flow.store.shorten_links = False
    assert "many_parts" in {found.hint.code for found in flow_hints(flow)}


def test_a_walk_shows_it_and_makes_no_link(shop: Store) -> None:
    program = Program((Trigger("opted_in"),), (Send("s1", {"": f"See {LONG}"}),))
    rules = StoreRules(PolicyRules())
    walked = walk(program, edge_case("example", shop), [], rules=rules, store=shop, start=NOON)
    assert f"See {SHORT}" in walked.texts[0].text
    assert not Link.objects.exists()


def test_links_on_the_simulators_phone_open_a_page_of_their_own(
    shop: Store, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "SIMULATOR": True}
    anna = make_contact(shop, phone="+12025550142")
    body = f'New <b>jacket</b>: {SHORT}. "javascript:alert(1)" https://a.example/?x=1&y="2"'
    text = PhoneText("to_phone", "+12025550142", shop.sender, body, "delivered", NOON, "1")
    line = type("Line", (), {"texts_on": lambda self, number, limit: [text]})()
    monkeypatch.setattr(phone, "network", lambda: line)
    page = sign_in(shop).get(reverse("smsflow_simulator:person", args=[shop.pk, anna.pk])).content
    (bubble,) = BeautifulSoup(page, "html.parser").select(".sms-phone__body")
    assert bubble.get_text() == body
    links = bubble.select("a")
    assert [link["href"] for link in links] == [SHORT, "https://a.example/?x=1&y="]
    assert all(link["target"] == "_blank" and "noopener" in link["rel"] for link in links)
