"""One keyword table for a store: who has which word, and who would take a text."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from smsflow_plugin.flows.program import Send, Trigger
from smsflow_plugin.models import Autoresponder, CannedReply, Flow, Keyword, Store
from tests.admin.people import client_of, make_user
from tests.engine.helpers import make_flow

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(store: Store) -> Client:
    return client_of(make_user("ada", "Store admin", store))


def vip_flow(store: Store, *words: str, name: str = "VIP club") -> Flow:
    return make_flow(
        store,
        Send("s1", {"": "Hi"}),
        name=name,
        triggers=(Trigger("message_received", options={"words": list(words)}),),
    )


def filled(store: Store, **changes: Any) -> dict[str, Any]:
    form = {
        "store": store.pk,
        "words": "hours, Opening Hours",
        "match": "whole",
        "reply_main": "We open at nine, {{ contact.first_name | default: 'dear customer' }}.",
        "active": "on",
        "position": "0",
        "tag": "",
        "flow": "",
    }
    return {name: value for name, value in {**form, **changes}.items() if value is not None}


def add(client: Client, store: Store, **changes: Any) -> Any:
    return client.post(reverse("smsflow_keywords:add"), filled(store, **changes))


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "it was saved"
    return {name: [str(error) for error in found] for name, found in response.context["form"].errors.items()}


def test_a_line_is_made_with_its_words_and_answers(ada: Client, store: Store) -> None:
    assert add(ada, store, reply_da="Vi åbner kl. ni.", tag="asked", tell_staff="on").status_code == 302
    line = Keyword.objects.get()
    assert (line.store, line.words, line.match) == (store, ["hours", "Opening Hours"], "whole")
    assert line.reply == {"": filled(store)["reply_main"], "da": "Vi åbner kl. ni."}
    assert (line.tag, line.tell_staff, line.active, line.flow) == ("asked", True, True, None)
    page = ada.get(reverse("smsflow_keywords:edit", args=[line.pk])).content.decode()
    assert "hours, Opening Hours" in page
    assert "smsflow-copy-tools" in page


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("STOP", "always means opting in or out, or help"),
        ("hours, arrêt", "“arrêt” always means"),
        ("afmeld", "always means"),
        ("HELP", "always means"),
        ("start", "always means"),
        ("hours, Hours!", "stands here twice"),
        ("!!", "no letters and no digits"),
        ("x" * 41, "is too long"),
        (",", "This field is required"),
    ],
)
def test_words_that_cannot_be_used_are_refused(ada: Client, store: Store, words: str, sentence: str) -> None:
    assert sentence in errors(add(ada, store, words=words))["words"][0]
    assert not Keyword.objects.exists()


def test_a_line_that_does_nothing_is_refused(ada: Client, store: Store) -> None:
    assert "does nothing yet" in errors(add(ada, store, reply_main=" "))["__all__"][0]
    assert add(ada, store, reply_main="", tell_staff="on").status_code == 302


def test_a_word_of_another_line_is_named_with_a_link(ada: Client, store: Store) -> None:
    first = Keyword.objects.create(store=store, words=["Höurs"], reply={"": "Nine."}, active=False)
    (error,) = errors(add(ada, store, words="hours"))["words"]
    assert "stands in another line" in error
    assert reverse("smsflow_keywords:edit", args=[first.pk]) in error
    # compared in another way it is another line
    assert add(ada, store, words="hours", match="anywhere").status_code == 302
    # and a line is not its own rival
    again = filled(store, words="hours")
    assert ada.post(reverse("smsflow_keywords:edit", args=[first.pk]), again).status_code == 302


def test_a_word_that_starts_a_live_flow_is_named_with_a_link(ada: Client, store: Store, danish_store: Store) -> None:
    flow = vip_flow(store, "vip")
    vip_flow(danish_store, "gold", name="Guld")
    (error,) = errors(add(ada, store, words="VIP"))["words"]
    assert "VIP club" in error
    assert flow.snippet_viewset.get_url_name("edit").rpartition(":")[0]
    assert f"/{flow.pk}/" in error
    assert add(ada, store, words="gold").status_code == 302, "a flow of another store has nothing to do with it"
    Flow.objects.update(live=False)
    assert add(ada, store, words="vip").status_code == 302


def test_the_flow_must_be_of_the_store(ada: Client, store: Store, danish_store: Store) -> None:
    from smsflow_plugin.models import StoreMembership
    from smsflow_plugin.stores.roles import ensure_roles

    theirs = vip_flow(danish_store, "guld")
    assert "flow" in errors(add(ada, store, flow=theirs.pk))
    user = make_user("both", "Store admin", store)
    StoreMembership.objects.create(user=user, store=danish_store, role=ensure_roles()["Store admin"])
    assert "belongs to another store" in errors(add(client_of(user), store, flow=theirs.pk))["flow"][0]
    own = vip_flow(store, "gold")
    page = ada.get(reverse("smsflow_keywords:add")).content.decode()
    assert "VIP club (Sierra Gear, Live)" in page
    assert add(ada, store, flow=own.pk).status_code == 302
    assert Keyword.objects.get().flow == own


@pytest.mark.parametrize(
    ("copy", "sentence"),
    [
        ("Hi {{ contact.first_name }}", "may be missing"),
        ("Hi {{ order.name }}", "There is no"),
        ("Hi {{ contact.first_name", "Line 1"),
        ("{% render 'hours' %}", "Snippets work in flows only"),
    ],
)
def test_answers_are_checked_like_other_copy(ada: Client, store: Store, copy: str, sentence: str) -> None:
    assert sentence in errors(add(ada, store, reply_main=copy))["reply_main"][0]
    assert sentence in errors(add(ada, store, reply_da=copy))["reply_da"][0]


def test_translations_alone_leave_the_others_without_an_answer(ada: Client, store: Store) -> None:
    assert "reply_main" in errors(add(ada, store, reply_main="", reply_da="Ni."))


def test_short_words_are_not_looked_for_anywhere(ada: Client, store: Store) -> None:
    assert "too short" in errors(add(ada, store, words="hi", match="anywhere"))["words"][0]
    assert add(ada, store, words="hi", match="first").status_code == 302


def test_the_list_shows_the_words_of_live_flows_among_the_lines(
    ada: Client, store: Store, danish_store: Store, django_assert_num_queries: Any
) -> None:
    flow = vip_flow(store, "vip", "gold")
    vip_flow(danish_store, "guld", name="Guldklub")
    Keyword.objects.create(store=store, words=["hours"], reply={"": "Nine."}, tag="asked", tell_staff=True)
    Keyword.objects.create(store=danish_store, words=["tider"], reply={"": "Ni."})
    page = ada.get(reverse("smsflow_keywords:index")).content.decode()
    assert "Answers “Nine.”, gives the tag “asked”, goes to the inbox" in page
    assert "gold, vip" in page
    assert "Starts the flow “VIP club”" in page
    assert f"/{flow.pk}/" in page
    assert "tider" not in page
    assert "Guldklub" not in page
    found = ada.get(reverse("smsflow_keywords:index"), {"q": "vip"}).content.decode()
    assert "VIP club" in found
    assert "Nine." not in found


def test_the_list_asks_as_often_whatever_its_length(ada: Client, store: Store) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            ada.get(reverse("smsflow_keywords:index"))
        return len(found)

    Keyword.objects.create(store=store, words=["w0"], reply={"": "Nine."}, flow=vip_flow(store, "v0", name="F0"))
    ada.get(reverse("smsflow_keywords:index"))
    few = queries()
    for n in range(1, 12):
        Keyword.objects.create(
            store=store, words=[f"w{n}"], reply={"": "Nine."}, flow=vip_flow(store, f"v{n}", name=f"F{n}")
        )
    assert queries() == few


def asked(client: Client, store: Store, text: str, **more: str) -> str:
    response = client.get(reverse("smsflow_keywords:try_it"), {"store": store.pk, "text": text, **more})
    return response.context["answer"].verdict if response.context.get("answer") else ""


def test_who_would_take_a_text(ada: Client, store: Store, danish_store: Store) -> None:
    assert asked(ada, store, "anybody there?") == "Nothing takes it: it goes to the inbox."
    Autoresponder.objects.create(store=store, active=True, reply={"": "Tomorrow."})
    assert "autoresponder answers" in asked(ada, store, "anybody there?")
    Keyword.objects.create(store=store, words=["hours"], match="anywhere", reply={"": "Nine."})
    vip_flow(store, "vip")
    assert "keyword table takes it, by the word “hours”" in asked(ada, store, "Your HOURS please")
    assert "“VIP club” starts: it names the word" in asked(ada, store, "Vip!")
    assert "opt-out" in asked(ada, store, "please stop texting me")
    assert "asks for help" in asked(ada, store, "HELP")
    assert "opt-in" in asked(ada, store, "START")
    assert asked(ada, danish_store, "hours") == "", "a store of others is no choice"


def test_an_autoresponder_is_kept_with_its_office_hours(ada: Client, store: Store) -> None:
    response = ada.get(reverse("smsflow_autoresponders:index"))
    responder = Autoresponder.objects.get(store=store)
    url = reverse("smsflow_autoresponders:edit", args=[responder.pk])
    assert response.url == url
    page = ada.get(url).content.decode()
    assert "at most once in 24 hours" in page
    data = {"active": "on", "reply_main": "We read this tomorrow.", "reply_da": "I morgen."}
    hours = {
        f"office_hours-{day}-{end}": ""
        for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        for end in ("from", "until")
    }
    hours |= {"office_hours-mon-from": "09:00", "office_hours-mon-until": "17:30"}
    wrong = errors(ada.post(url, {**data, **hours, "office_hours-tue-from": "09:00"}))
    assert "Look at the days" in wrong["office_hours"][0]
    assert "reply_main" in errors(ada.post(url, {**hours, "active": "on"}))
    assert ada.post(url, {**data, **hours}).status_code == 302
    responder.refresh_from_db()
    assert (responder.active, responder.office_hours) == (True, {"mon": ["09:00", "17:30"]})
    assert responder.reply == {"": "We read this tomorrow.", "da": "I morgen."}
    assert 'value="17:30"' in ada.get(url).content.decode()


def test_canned_replies_have_one_name_a_language(ada: Client, store: Store) -> None:
    url = reverse("smsflow_canned_replies:add")
    data = {
        "store": store.pk,
        "name": "Sorry",
        "language": "",
        "body": "Sorry, {{ contact.first_name | default: 'you' }}!",
    }
    assert ada.post(url, data).status_code == 302
    assert "name" in errors(ada.post(url, data))
    assert "body" in errors(ada.post(url, {**data, "name": "New", "body": "{{ nobody }}"}))
    assert ada.post(url, {**data, "language": "da"}).status_code == 302
    first = CannedReply.objects.get(language="")
    edit = reverse("smsflow_canned_replies:edit", args=[first.pk])
    assert "name" in errors(ada.post(edit, {**data, "language": "da"}))
    assert ada.post(reverse("smsflow_canned_replies:delete", args=[first.pk])).status_code == 302
    assert CannedReply.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "sees", "adds"), [("Support", True, False), ("Agency", True, True), ("Copywriter", False, False)]
)
def test_each_role_does_what_it_may(store: Store, role: str, sees: bool, adds: bool) -> None:
    line = Keyword.objects.create(store=store, words=["hours"], reply={"": "Nine."})
    client = client_of(make_user("somebody", role, store))
    for name in ("smsflow_keywords", "smsflow_canned_replies"):
        assert (client.get(reverse(f"{name}:index")).status_code == 200) == sees
        assert (client.get(reverse(f"{name}:add")).status_code == 200) == adds
    assert (client.get(reverse("smsflow_keywords:edit", args=[line.pk])).status_code == 200) == adds
    assert (client.get(reverse("smsflow_keywords:try_it")).status_code == 200) == sees


def test_the_help_desk_page_shows_a_secret_once(ada: Client, store: Store) -> None:
    url = reverse("smsflow_stores:helpdesk", args=[store.pk])
    assert "Make a secret first" in ada.get(url).content.decode()
    made = ada.post(url, {"make-secret": "1"})
    connection = store.connections.get(kind="helpdesk")
    secret = connection.secrets["secret"]
    assert secret in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    page = ada.get(url).content.decode()
    assert secret not in page
    assert f"/smsflow/helpdesk/{connection.token}/cases/" in page
    ada.post(url, {"save": "1", "plain": "1"})
    connection.refresh_from_db()
    assert connection.settings["plain"] is True
    agency = client_of(make_user("ag", "Agency", store))
    assert agency.get(url).status_code == 302, "credentials are none of its business"
