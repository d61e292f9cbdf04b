from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.context import copy_context, example_context
from smsflow_plugin.flows.library import TEMPLATES, AlreadyEnabled, EnableTemplate, build
from smsflow_plugin.flows.program import Send
from smsflow_plugin.messaging.copy import compose
from smsflow_plugin.models import Flow
from tests.factories import make_store

STORES = {"US": ("US", "en"), "DK": ("DK", "da"), "DE": ("DE", "de")}


def sends(flow: Flow) -> list[Send]:
    return [i for i in compile_flow(flow).instructions if isinstance(i, Send)]


@pytest.mark.django_db
@pytest.mark.parametrize("key", TEMPLATES)
@pytest.mark.parametrize("country", STORES)
def test_every_template_runs_as_it_is_in_every_store(key: str, country: str) -> None:
    country_code, language = STORES[country]
    flow = build(TEMPLATES[key], make_store(country=country_code, language=language))
    flow.full_clean(exclude=["name"])
    assert compile_flow(flow).instructions


@pytest.mark.django_db
@pytest.mark.parametrize("key", TEMPLATES)
@pytest.mark.parametrize("country", STORES)
@pytest.mark.parametrize("filled", [True, False], ids=["all known", "all missing"])
def test_every_text_is_cheap_and_in_the_gsm_alphabet(key: str, country: str, filled: bool) -> None:
    country_code, language = STORES[country]
    store = make_store(country=country_code, language=language)
    context = example_context(TEMPLATES[key].trigger, {"name": store.name, "brand": store.brand}, filled=filled)
    for send in sends(build(TEMPLATES[key], store)):
        for spoken in ("en", "da"):
            composed = compose(
                send.texts,
                send.fallback,
                spoken,
                context,
                brand=store.brand,
                message_class="marketing",
                add_opt_out=True,
            )
            assert (composed.parts.encoding, composed.parts.parts <= 2) == ("GSM-7", True), composed.text
            assert composed.text.startswith("Sierra Gear: ")
            assert "{" not in composed.text


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "da"])
def test_the_first_welcome_says_how_to_get_help(language: str) -> None:
    text = sends(build(TEMPLATES["welcome"], make_store(language=language)))[0].texts[""]
    assert "HELP" in text if language == "en" else "HJÆLP" in text


@pytest.mark.django_db
def test_the_store_s_language_is_the_main_text_and_the_others_are_translations() -> None:
    text = sends(build(TEMPLATES["welcome"], make_store(language="da")))[0]
    assert text.texts[""].startswith("Hej ")
    assert text.texts["en"].startswith("Hi ")


@pytest.mark.django_db
def test_a_store_whose_language_no_template_speaks_gets_english() -> None:
    text = sends(build(TEMPLATES["welcome"], make_store(language="fi")))[0]
    assert (text.texts[""][:3], set(text.texts)) == ("Hi ", {"", "da"})


@pytest.mark.django_db
def test_a_cart_gets_one_reminder_within_two_days_in_the_us_and_two_elsewhere() -> None:
    us = sends(build(TEMPLATES["abandoned_cart"], make_store(country="US")))
    denmark = sends(build(TEMPLATES["abandoned_cart"], make_store(country="DK", domain="nordic-tea.myshopify.com")))
    assert (len(us), len(denmark)) == (1, 2)
    assert us[0].expires_minutes == 47 * 60


@pytest.mark.django_db
def test_two_flows_of_one_template_share_no_block_ids(store: Any) -> None:
    first, second = (build(TEMPLATES["post_purchase"], store) for _ in range(2))
    steps = [{i.step for i in compile_flow(flow).instructions} for flow in (first, second)]
    assert not steps[0] & steps[1]


@pytest.mark.django_db
def test_enabling_makes_a_draft_that_a_person_can_look_at(store: Any) -> None:
    flow = EnableTemplate(store, template=TEMPLATES["welcome"]).execute()
    flow.refresh_from_db()
    assert (flow.live, flow.state, flow.current_version) == (False, Flow.State.DRAFT, None)
    draft = flow.get_latest_revision_as_object()
    assert [child.block_type for child in draft.steps] == ["send", "wait_for_event", "if_else"]


@pytest.mark.django_db
def test_a_store_gets_a_template_once(store: Any) -> None:
    first = EnableTemplate(store, template=TEMPLATES["welcome"]).execute()
    with pytest.raises(AlreadyEnabled) as refusal:
        EnableTemplate(store, template=TEMPLATES["welcome"]).execute()
    assert refusal.value.flow == first
    assert Flow.objects.count() == 1


def test_what_started_a_flow_cannot_pass_itself_off_as_the_person() -> None:
    context = copy_context(
        {"first_name": "Ada"}, {"name": "Tea", "brand": "Tea"}, {"contact": {"first_name": "Eve"}, "cart": {"url": "u"}}
    )
    assert (context["contact"]["first_name"], context["cart"]["url"]) == ("Ada", "u")
    assert (context["contact"]["last_name"], context["store"]["url"]) == (None, None)
