from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django import forms

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.context import copy_context
from smsflow_plugin.flows.library import TEMPLATES, AlreadyEnabled, EnableTemplate, build
from smsflow_plugin.flows.library.settings import SHOP, form_fields
from smsflow_plugin.flows.program import Notify, Send, Wait, WaitForEvent
from smsflow_plugin.models import Flow, Segment
from tests.factories import make_store
from tests.flows.people import STORE_ADMIN, person

STORES = {"US": "en", "DK": "da", "DE": "de", "ES": "es", "FR": "fr"}


def sends(flow: Flow) -> list[Send]:
    return [i for i in compile_flow(flow).instructions if isinstance(i, Send)]


@pytest.mark.django_db
@pytest.mark.parametrize("key", TEMPLATES)
@pytest.mark.parametrize("country", STORES)
def test_every_template_runs_as_it_is_in_every_store(key: str, country: str) -> None:
    store = make_store(country=country, language=STORES[country])
    flow = build(TEMPLATES[key], store)
    flow.owner = person("Ines", (store, STORE_ADMIN))
    flow.full_clean(exclude=["name"])
    program = compile_flow(flow)
    assert program.instructions
    assert program.goal == TEMPLATES[key].goal


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "word"), [("en", "HELP"), ("da", "HJÆLP"), ("de", "HILFE"), ("fr", "AIDE")])
def test_the_first_welcome_says_how_to_get_help(language: str, word: str) -> None:
    assert word in sends(build(TEMPLATES["welcome"], make_store(language=language)))[0].texts[""]


@pytest.mark.django_db
def test_the_store_s_language_is_the_main_text_and_the_others_are_translations() -> None:
    text = sends(build(TEMPLATES["welcome"], make_store(language="da")))[0]
    assert text.texts[""].startswith("Hej ")
    assert text.texts["en"].startswith("Hi ")
    assert set(text.texts) == {"", "en", "de", "es", "fr"}


@pytest.mark.django_db
def test_a_store_whose_language_no_template_speaks_gets_english() -> None:
    text = sends(build(TEMPLATES["welcome"], make_store(language="fi")))[0]
    assert (text.texts[""][:3], set(text.texts)) == ("Hi ", {"", "da", "de", "es", "fr"})


@pytest.mark.django_db
def test_a_cart_gets_one_reminder_within_two_days_in_the_us_and_more_elsewhere() -> None:
    us = build(TEMPLATES["abandoned_cart"], make_store(country="US"), {"minutes": 1440})
    denmark = build(TEMPLATES["abandoned_cart"], make_store(country="DK", domain="nordic-tea.myshopify.com"))
    assert (len(sends(us)), len(sends(denmark))) == (1, 2)
    first = compile_flow(us).instructions[0]
    expires = sends(us)[0].expires_minutes
    assert isinstance(first, WaitForEvent)
    assert (first.amount, first.unit) == (1440, "minutes")
    assert expires is not None
    assert first.amount + expires < 48 * 60


@pytest.mark.django_db
def test_two_flows_of_one_template_share_no_block_ids(store: Any) -> None:
    first, second = (build(TEMPLATES["post_purchase"], store) for _ in range(2))
    steps = [{i.step for i in compile_flow(flow).instructions} for flow in (first, second)]
    assert not steps[0] & steps[1]


@pytest.mark.django_db
def test_what_is_asked_fills_the_steps(store: Any) -> None:
    flow = build(TEMPLATES["win_back"], store, {"days": 45, "percent": 25, "link": "https://sierra-gear.example/new"})
    program = compile_flow(flow)
    assert program.triggers[0].options == {"days": 45}
    assert any("25% off" in text.texts[""] for text in sends(flow))
    assert "https://sierra-gear.example/new" in sends(flow)[0].texts["fr"]


@pytest.mark.django_db
def test_without_a_discount_there_is_no_code(store: Any) -> None:
    flow = build(TEMPLATES["win_back"], store, {"percent": 0})
    assert "discount" not in [i.op for i in compile_flow(flow).instructions]
    assert all("%" not in text.texts[""].replace("{%", "") for text in sends(flow))


@pytest.mark.django_db
def test_an_empty_link_is_the_shop_s_own_address(store: Any) -> None:
    assert SHOP in sends(build(TEMPLATES["win_back"], store))[0].texts[""]


@pytest.mark.django_db
def test_a_sale_starts_on_the_clock_of_the_store() -> None:
    store = make_store(timezone="Europe/Copenhagen", country="DK")
    flow = build(TEMPLATES["flash_sale"], store, {"at": datetime(2026, 7, 1, 10)})
    assert compile_flow(flow).triggers[0].options == {"at": "2026-07-01T08:00:00+00:00", "repeat": "once"}


@pytest.mark.django_db
def test_a_sale_to_a_segment_asks_for_its_rules(store: Any) -> None:
    rules = [{"type": "tag", "value": {"tag": "vip"}, "id": "a"}]
    segment = Segment.objects.create(store=store, name="VIP", rules=rules)
    everybody, some = (build(TEMPLATES["flash_sale"], store, {"segment": chosen}) for chosen in (None, segment))
    assert len(everybody.audience) == 1
    assert "vip" in str(compile_flow(some).audience)


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [8, 9, 24, 168])
def test_the_last_call_of_a_sale_comes_before_its_end(store: Any, hours: int) -> None:
    flow = build(TEMPLATES["flash_sale"], store, {"hours": hours})
    waits = [i.amount for i in compile_flow(flow).instructions if isinstance(i, Wait)]
    assert sum(waits) + (sends(flow)[-1].expires_minutes or 0) / 60 <= hours


@pytest.mark.django_db
def test_staff_is_told_at_the_address_given_or_else_the_owner(store: Any) -> None:
    owner = person("Ines", (store, STORE_ADMIN))
    told = []
    for given in ("a@example.com, b@example.com", ""):
        flow = build(TEMPLATES["feedback"], store, {"staff": given})
        flow.owner = owner
        [notify] = [i for i in compile_flow(flow).instructions if isinstance(i, Notify)]
        told.append(tuple(notify.to))
    assert told == [("a@example.com", "b@example.com"), ()]


def cleaned(template: str, name: str, value: Any) -> Any:
    """Return the cleaned value, or the errors as a list."""
    try:
        return form_fields(TEMPLATES[template])[name].clean(value)
    except forms.ValidationError as refusal:
        return refusal.messages


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("template", "name", "value", "expected"),
    [
        ("keyword_lead", "keyword", " vip ", "VIP"),
        ("keyword_lead", "keyword", "join", ["“JOIN” is taken: it opts people in or out, or asks for help."]),
        ("keyword_lead", "keyword", "Stop", ["“STOP” is taken: it opts people in or out, or asks for help."]),
        ("keyword_lead", "keyword", "two words", ["Give one word of letters and digits."]),
        ("keyword_lead", "staff", " a@example.com ,b@example.com,", "a@example.com, b@example.com"),
        ("keyword_lead", "staff", "a@example.com, b", ["Enter a valid email address."]),
        ("win_back", "percent", "81", ["Ensure this value is less than or equal to 80."]),
        ("win_back", "percent", "-1", ["Ensure this value is greater than or equal to 0."]),
        ("win_back", "days", "", ["This field is required."]),
        ("win_back", "link", "", ""),
        ("win_back", "link", "sierra-gear.example/new", "https://sierra-gear.example/new"),
        ("pickup", "place", "{{ store.url }}", ["This may not hold double brackets or braces."]),
        ("pickup", "place", "[[days]]", ["This may not hold double brackets or braces."]),
        ("flash_sale", "at", "tomorrow", ["Enter a valid date/time."]),
    ],
)
def test_what_is_asked_is_checked(template: str, name: str, value: Any, expected: Any) -> None:
    assert cleaned(template, name, value) == expected


@pytest.mark.django_db
def test_enabling_makes_a_draft_that_a_person_can_look_at(store: Any) -> None:
    flow = EnableTemplate(store, template=TEMPLATES["welcome"]).execute()
    flow.refresh_from_db()
    assert (flow.live, flow.state, flow.current_version) == (False, Flow.State.DRAFT, None)
    draft = flow.get_latest_revision_as_object()
    assert [child.block_type for child in draft.steps] == ["ask_choice", "if_else"]


@pytest.mark.django_db
def test_who_enables_a_flow_owns_it(store: Any) -> None:
    ines = person("Ines", (store, STORE_ADMIN))
    assert EnableTemplate(store, ines, template=TEMPLATES["nps"]).execute().owner == ines


@pytest.mark.django_db
def test_a_store_gets_a_template_once(store: Any) -> None:
    first = EnableTemplate(store, template=TEMPLATES["welcome"]).execute()
    with pytest.raises(AlreadyEnabled) as refusal:
        EnableTemplate(store, template=TEMPLATES["welcome"]).execute()
    assert refusal.value.flow == first
    assert Flow.objects.count() == 1


@pytest.mark.django_db
def test_a_store_gets_another_one_on_purpose_under_a_name_of_its_own(store: Any) -> None:
    flows = [EnableTemplate(store, template=TEMPLATES["welcome"], another=True).execute() for _ in range(3)]
    assert [flow.name for flow in flows] == ["Welcome", "Welcome 2", "Welcome 3"]


def test_what_started_a_flow_cannot_pass_itself_off_as_the_person() -> None:
    context = copy_context(
        {"first_name": "Ada"}, {"name": "Tea", "brand": "Tea"}, {"contact": {"first_name": "Eve"}, "cart": {"url": "u"}}
    )
    assert (context["contact"]["first_name"], context["cart"]["url"]) == ("Ada", "u")
    assert (context["contact"]["last_name"], context["store"]["url"]) == (None, None)
