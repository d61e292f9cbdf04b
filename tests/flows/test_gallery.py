from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from smsflow_plugin.admin_panels.flows.sample_chat import sample_chat
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.library import TEMPLATES, build
from smsflow_plugin.flows.library.definitions import PURPOSES
from smsflow_plugin.flows.program import Send
from smsflow_plugin.models import Flow, Segment, Store, StoreLogEntry, StoreMembership
from tests.factories import make_store
from tests.flows.people import COPYWRITER, STORE_ADMIN, person, published_flow, saved_flow
from tests.flows.test_editor import signed_in, url

pytestmark = pytest.mark.django_db


def gallery() -> str:
    return reverse("smsflow_gallery:index")


def enable(template: str) -> str:
    return reverse("smsflow_gallery:enable", args=[template])


def answers(template: str, store: Store, **changed: Any) -> dict[str, Any]:
    """Return what the form posts when nothing but ``changed`` is touched."""
    given = {setting.name: setting.default for setting in TEMPLATES[template].settings}
    if "at" in given:
        given["at"] = "2099-12-01T10:00"
    return {"store": store.pk, **given, **changed}


@pytest.fixture
def ines(store: Any) -> Client:
    return signed_in(person("Ines", (store, STORE_ADMIN)))


def test_a_store_admin_enables_a_template_and_lands_in_its_editor(store: Any, ines: Client) -> None:
    page = ines.get(gallery()).content.decode()
    assert "Abandoned cart" in page
    assert enable("abandoned_cart") in page
    response = ines.post(enable("abandoned_cart"), answers("abandoned_cart", store), follow=True)
    flow = Flow.objects.get()
    assert response.redirect_chain == [(url("edit", flow.pk), 302)]
    assert "“Abandoned cart” was added to Sierra Gear as a draft." in response.content.decode()
    assert (flow.store, flow.template, flow.live) == (store, "abandoned_cart", False)
    assert flow.latest_revision.user.username == "Ines"


def test_enabling_is_in_the_store_s_own_log(store: Any, ines: Client) -> None:
    ines.post(enable("welcome"), answers("welcome", store))
    entry = StoreLogEntry.objects.get(action="smsflow.enable")
    assert (entry.store, entry.user.username, entry.data) == (store, "Ines", {"template": "welcome"})


def test_an_enabled_template_can_be_published_without_a_change(store: Any, ines: Client) -> None:
    ines.post(enable("post_purchase"), answers("post_purchase", store))
    flow = Flow.objects.get()
    flow.latest_revision.publish()
    assert Flow.objects.get().live


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_enabled_untouched_and_published(template: str, store: Any, ines: Client) -> None:
    page = ines.get(enable(template))
    assert page.status_code == 200
    form = page.context["form"]
    shown = {name: form[name].value() for name in form.fields}
    untouched = {name: "" if value is None else value for name, value in shown.items()}
    untouched["store"] = store.pk
    if "at" in untouched:
        untouched["at"] = untouched["at"].strftime("%Y-%m-%dT%H:%M")
    response = ines.post(enable(template), untouched)
    assert response.status_code == 302, response.context["form"].errors
    flow = Flow.objects.get()
    assert flow.owner.username == "Ines"
    flow.latest_revision.publish()
    assert Flow.objects.get().live


def test_what_is_answered_stands_in_the_flow(store: Any, ines: Client) -> None:
    ines.post(enable("win_back"), answers("win_back", store, days=45, percent=25))
    flow = Flow.objects.get().get_latest_revision_as_object()
    program = compile_flow(flow)
    assert program.triggers[0].options["days"] == 45
    assert any("25% off" in send.texts[""] for send in program.instructions if isinstance(send, Send))


@pytest.mark.parametrize("changed", [{"days": "0"}, {"percent": "90"}, {"link": "no link"}, {"days": ""}])
def test_wrong_answers_make_no_flow_and_are_explained(store: Any, ines: Client, changed: dict[str, str]) -> None:
    response = ines.post(enable("win_back"), answers("win_back", store, **changed))
    assert (response.status_code, Flow.objects.exists()) == (200, False)
    assert list(response.context["form"].errors) == list(changed)
    assert str(response.context["form"].errors[next(iter(changed))][0]) in response.content.decode()


def test_who_is_told_is_the_user_unless_they_say_otherwise(ines: Client, store: Any) -> None:
    assert ines.get(enable("nps")).context["form"]["staff"].value() == "Ines@example.com"


def test_only_segments_of_one_s_own_stores_can_be_chosen(store: Any, danish_store: Any, ines: Client) -> None:
    mine = Segment.objects.create(store=store, name="Hikers")
    other = Segment.objects.create(store=danish_store, name="Tea lovers")
    page = ines.get(enable("flash_sale")).content.decode()
    assert "Sierra Gear: Hikers" in page
    assert "Tea lovers" not in page
    refused = ines.post(enable("flash_sale"), answers("flash_sale", store, segment=other.pk))
    assert list(refused.context["form"].errors) == ["segment"]
    ines.post(enable("flash_sale"), answers("flash_sale", store, segment=mine.pk))
    assert Flow.objects.get().audience[1].value["segment"] == mine


def test_a_sale_cannot_be_planned_for_a_time_that_has_passed(store: Any, ines: Client) -> None:
    refused = ines.post(enable("flash_sale"), answers("flash_sale", store, at="2020-01-01T10:00"))
    assert refused.status_code == 200
    assert refused.context["form"].errors["at"] == ["This time has passed already."]
    assert not Flow.objects.exists()


def test_a_segment_must_be_of_the_store_that_gets_the_flow(store: Any, danish_store: Any) -> None:
    agency = signed_in(person("Agnes", (store, STORE_ADMIN), (danish_store, STORE_ADMIN)))
    segment = Segment.objects.create(store=danish_store, name="Tea lovers")
    refused = agency.post(enable("flash_sale"), answers("flash_sale", store, segment=segment.pk))
    assert refused.context["form"].errors["segment"] == ["This segment belongs to another store."]
    assert not Flow.objects.exists()


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
    assert choice.context["form"]["store"].value() == danish_store.pk
    assert choice.context["example"] == danish_store


def test_a_store_gets_a_second_one_only_on_purpose(store: Any, ines: Client) -> None:
    first = saved_flow(store, "welcome")
    page = ines.get(enable("welcome")).content.decode()
    assert f'<a href="{url("edit", first.pk)}">Welcome</a>' in page
    assert "Add another one" in page
    refused = ines.post(enable("welcome"), answers("welcome", store))
    assert refused.context["form"].errors["another"] == [
        "Sierra Gear has this flow already. Tick this if you want one more."
    ]
    assert Flow.objects.count() == 1
    ines.post(enable("welcome"), answers("welcome", store, another="on"))
    assert sorted(Flow.objects.values_list("name", flat=True)) == ["Welcome", "Welcome 2"]


def test_nobody_is_asked_about_a_second_one_who_has_no_first(ines: Client) -> None:
    assert "another" not in ines.get(enable("welcome")).context["form"].fields


def test_what_others_have_is_not_told(store: Any, danish_store: Any, ines: Client) -> None:
    published_flow(danish_store, "welcome")
    assert "Nordic Tea" not in ines.get(gallery()).content.decode()


def test_every_template_has_an_icon_that_there_is(ines: Client) -> None:
    sprite = ines.get(reverse("wagtailadmin_sprite")).content.decode()
    missing = [template.icon for template in TEMPLATES.values() if f'id="icon-{template.icon}"' not in sprite]
    assert missing == []


def found(page: Any) -> list[str]:
    return [card.template.key for _label, cards in page.context["groups"] for card in cards]


def test_the_gallery_shows_every_template_once_by_what_it_is_for(ines: Client) -> None:
    page = ines.get(gallery())
    assert sorted(found(page)) == sorted(TEMPLATES)
    assert [str(label) for label, _cards in page.context["groups"]] == [str(label) for label in PURPOSES.values()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "birthday"}, ["birthday"]),
        ({"q": "CHECKOUT link"}, ["abandoned_cart"]),
        ({"q": "T25"}, ["double_opt_in"]),
        ({"q": "no such thing"}, []),
        ({"purpose": "ask"}, ["autoresponder", "care_followup"]),
        ({"purpose": "ask", "q": "case"}, ["care_followup"]),
    ],
)
def test_templates_are_found_by_words_and_purpose(ines: Client, query: dict[str, str], expected: list[str]) -> None:
    page = ines.get(gallery(), query)
    assert found(page) == expected
    said = "1 flow found." if len(expected) == 1 else f"{len(expected)} flows found."
    assert said in page.content.decode()


def test_a_purpose_that_there_is_not_shows_everything(ines: Client) -> None:
    assert len(found(ines.get(gallery(), {"purpose": "<script>"}))) == len(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_page_of_a_template_shows_it_as_a_chat_and_as_a_diagram(template: str, ines: Client) -> None:
    response = ines.get(enable(template))
    page = response.content.decode()
    assert escape(str(TEMPLATES[template].worth)) in page
    sides = [turn.side for turn in response.context["chat"]]
    assert "out" in sides
    replies = [act for act in TEMPLATES[template].story.acts if act and not act.startswith("event:")]
    assert [turn.text for turn in response.context["chat"] if turn.side == "in"] == replies
    assert 'class="sms-diagram' in page


def test_the_chat_is_in_the_language_of_the_store() -> None:
    store = make_store(country="DK", language="da", timezone="Europe/Copenhagen", currency="DKK")
    turns = sample_chat(TEMPLATES["welcome"], build(TEMPLATES["welcome"], store))
    assert turns[0].text.startswith("Sierra Gear: Hej Ada")
    assert [turn.when for turn in turns if turn.when] == ["Day 1, 10:00", "Day 1, 10:03", "Day 2, 10:03"]


def test_the_gallery_asks_no_more_for_more_flows_and_stores(store: Any, django_assert_max_num_queries: Any) -> None:
    user = person("Ines", (store, STORE_ADMIN))
    ines = signed_in(user)

    def queries(path: str) -> int:
        ines.get(path)
        with django_assert_max_num_queries(60) as counted:
            ines.get(path)
        return len(counted)

    before = [queries(path) for path in (gallery(), enable("nps"))]
    for number in range(3):
        for template in ("welcome", "nps", "reviews"):
            saved_flow(store, template, name=f"{template} {number}")
        more = make_store(name=f"Store {number}", domain=f"store-{number}.myshopify.com")
        StoreMembership.objects.create(user=user, store=more, role=user.store_memberships.get(store=store).role)
        saved_flow(more, "welcome")
    assert [queries(path) for path in (gallery(), enable("nps"))] == before


def test_there_is_no_template_of_that_name(ines: Client) -> None:
    assert ines.get(enable("perpetuum-mobile")).status_code == 404


def test_strangers_to_the_admin_are_sent_to_the_login() -> None:
    assert Client().get(gallery()).url.startswith(reverse("wagtailadmin_login"))
