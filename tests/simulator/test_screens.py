from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.urls import get_resolver, reverse

from smsflow_plugin import clock as the_clock
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.flows.models import Flow, FlowVersion
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.integrations.simulator import actions, clock, fast_forward, phone, shopping
from smsflow_plugin.integrations.simulator.network.client import NetworkUnavailable, PhoneText
from smsflow_plugin.integrations.simulator.shop import SiteUnreachable
from smsflow_plugin.models import Contact, Delivery, Message, Store
from smsflow_plugin.nudge import PUMPS
from tests.conftest import NOON, TestClock
from tests.factories import make_contact
from tests.simulator.conftest import Catcher, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulator")]


class Operator:
    """Stands in for the phone network's operator, and remembers what it was asked."""

    def __init__(self) -> None:
        self.texts: list[PhoneText] = []
        self.sent: list[tuple[str, str, str, str]] = []
        self.clock_set_to: Any = None

    def texts_on(self, number: str, *, limit: int) -> list[PhoneText]:
        return [text for text in self.texts if text.phone == number][-limit:]

    def text_from(self, number: str, body: str, *, to: str, plan: str, app: str = "") -> None:
        self.sent.append((number, body, to, plan))

    def set_clock(self, now: Any) -> None:
        self.clock_set_to = now


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Operator:
    found = Operator()
    monkeypatch.setattr(phone, "network", lambda: found)
    monkeypatch.setattr(fast_forward, "network", lambda: found)
    return found


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch, catcher: Catcher) -> Catcher:
    """What the simulated shop posts does not leave the test."""
    monkeypatch.setattr(actions, "shop_of", lambda store: shopping.shop_of(store, catcher))
    return catcher


@pytest.fixture
def anna(store: Store, still: TestClock) -> Contact:
    return make_contact(store, first_name="Anna", last_name="Berg", phone="+12025550142")


def address(view: str, contact: Contact, *more: str) -> str:
    return reverse(f"smsflow_simulator:{view}", args=[contact.store_id, contact.pk, *more])


def said(response: Any) -> str:
    """The messages that the user got."""
    return " ".join(str(message) for message in response.context["messages"])


def text(contact: Contact, body: str, **values: Any) -> PhoneText:
    given = {"direction": "to_phone", "peer": contact.store.sender, "state": "delivered", "at": NOON, "id": "1"}
    return PhoneText(**{**given, "phone": str(contact.phone), "body": body, **values})


# who and where


def test_where_the_simulator_is_off_no_address_of_it_answers(anna: Contact, settings: Any) -> None:
    client = sign_in(anna.store)
    settings.SMSFLOW = {**settings.SMSFLOW, "SIMULATOR": False}
    for url in every_address(anna):
        assert client.get(url).status_code == 404, url
        assert client.post(url).status_code == 404, url
    assert "Simulator" not in menu_of(client)


def test_a_stranger_finds_nothing_of_the_store(anna: Contact, danish_store: Store) -> None:
    client = sign_in(danish_store)
    for url in every_address(anna):
        for response in (client.get(url, follow=True), client.post(url, follow=True)):
            assert response.status_code == 404, url
            assert b"Anna" not in response.content


def test_a_person_of_another_store_is_not_found_under_ones_own(anna: Contact, danish_store: Store) -> None:
    client = sign_in(danish_store)
    assert client.get(reverse("smsflow_simulator:person", args=[danish_store.pk, anna.pk])).status_code == 404


@pytest.mark.parametrize("role", ["Copywriter", "Support"])
def test_who_may_not_change_the_store_may_not_play_with_it(role: str, anna: Contact) -> None:
    client = sign_in(anna.store, role)
    assert client.get(address("person", anna)).status_code == 404
    assert client.post(address("do", anna, "orders")).status_code == 404
    assert "Simulator" not in menu_of(client)


def test_who_may_change_the_store_finds_the_simulator_in_the_menu(anna: Contact) -> None:
    client = sign_in(anna.store)
    assert "Simulator" in menu_of(client)
    response = client.get(reverse("smsflow_simulator:index"))
    assert response["Location"] == reverse("smsflow_simulator:store", args=[anna.store.pk])


def test_nobody_else_gets_further_than_the_login(anna: Contact, client: Any) -> None:
    for url in every_address(anna):
        assert client.get(url)["Location"].startswith(reverse("wagtailadmin_login")), url


def test_the_buttons_are_not_pressed_by_a_link(anna: Contact, posted: Catcher) -> None:
    client = sign_in(anna.store)
    assert client.get(address("do", anna, "orders")).status_code == 405
    assert client.get(address("person_forward", anna, "hour")).status_code == 405
    assert posted.webhooks == []


def every_address(contact: Contact) -> list[str]:
    """Every address of the simulator for this person, taken from the resolver."""
    arguments = {"store_pk": contact.store_id, "contact_pk": contact.pk, "how": "hour", "doing": "orders"}
    addresses = []
    for name, (possibilities, *_rest) in simulator_patterns():
        [(_path, parameters)] = possibilities
        addresses.append(reverse(f"smsflow_simulator:{name}", kwargs={key: arguments[key] for key in parameters}))
    assert len(addresses) == 10
    return [url for url in addresses if url != reverse("smsflow_simulator:index")]


def simulator_patterns() -> list[Any]:
    _prefix, resolver = get_resolver().namespace_dict["smsflow_simulator"]
    return [(name, found) for name, found in resolver.reverse_dict.lists() if isinstance(name, str) for found in found]


def menu_of(client: Any) -> str:
    page = BeautifulSoup(client.get(reverse("wagtailadmin_home")).content, "html.parser")
    props = page.find(id="wagtail-sidebar-props")
    return json.dumps(json.loads(props.text))


# the phone


def test_the_phone_shows_texts_in_both_directions(anna: Contact, operator: Operator) -> None:
    operator.texts = [text(anna, "Hi Anna <3"), text(anna, "Thanks", direction="from_phone", id="2", state="sent")]
    page = BeautifulSoup(sign_in(anna.store).get(address("person", anna)).content, "html.parser")
    bodies = [(p.text, "sms-phone__text--mine" in p.parent["class"]) for p in page.select(".sms-phone__body")]
    assert bodies == [("Hi Anna <3", False), ("Thanks", True)]


def test_a_picture_is_shown_only_from_the_site_itself(anna: Contact, operator: Operator, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": "https://sms.example"}
    ours, theirs = "https://sms.example/media/cat.jpg", "https://elsewhere.example/cat.jpg"
    operator.texts = [
        text(anna, "Ours", media=ours, channel="MMS"),
        text(anna, "Theirs", media=theirs, id="2"),
        text(anna, f"In the words {theirs}", media=theirs, id="3"),
    ]
    page = BeautifulSoup(sign_in(anna.store).get(address("person", anna)).content, "html.parser")
    assert [image["src"] for image in page.select(".sms-phone__texts img")] == ["/media/cat.jpg"]
    assert [link.text for link in page.select(".sms-phone__link")] == [theirs]
    assert "MMS" in page.select_one("#simulator-to_phone-1 .sms-phone__when").text


@pytest.mark.parametrize(
    "url",
    [
        "http://sms.example/cat.jpg",
        "https://sms.example.evil/cat.jpg",
        "//evil.example/cat.jpg",
        "/\\evil.example/cat.jpg",
        "https://sms.example//evil.example/cat.jpg",
        "javascript:alert(1)//cat.jpg",
        "data:image/png;base64,AA.png",
        "https://sms.example/page",
        "cat.jpg",
        "",
    ],
)
def test_no_other_address_is_a_picture_of_the_site(url: str, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": "https://sms.example"}
    assert phone.picture_on_site(url) == ""


def test_texts_of_another_store_to_the_same_number_are_not_shown(anna: Contact, operator: Operator) -> None:
    operator.texts = [text(anna, "From somebody else", peer="+4592451000")]
    response = sign_in(anna.store).get(address("person", anna))
    assert b"From somebody else" not in response.content
    assert b"No texts yet." in response.content


def test_the_fragment_has_the_regions_of_the_page_and_no_page_around_them(anna: Contact, operator: Operator) -> None:
    client = sign_in(anna.store)
    operator.texts = [text(anna, "Hello")]
    page = BeautifulSoup(client.get(address("person", anna)).content, "html.parser")
    fragment = BeautifulSoup(client.get(address("person_live", anna)).content, "html.parser")
    regions = page.select("[data-sms-refresh-target=region]")
    assert len(regions) == 4
    for region in regions:
        fresh = fragment.find(id=region["id"])
        children = list(fresh.find_all(recursive=False))
        assert children, region["id"]
        assert all(child.get("id") for child in children), region["id"]
        assert [c["id"] for c in children] == [c["id"] for c in region.find_all(recursive=False)]
    assert fragment.find("html") is None
    assert page.find(attrs={"data-sms-refresh-url-value": True})["data-sms-refresh-url-value"].startswith(
        address("person_live", anna)
    )


def test_a_reply_leaves_from_the_persons_phone_to_the_store(anna: Contact, operator: Operator) -> None:
    response = sign_in(anna.store).post(address("reply", anna), {"body": "STOP"})
    assert response["Location"] == address("person", anna)
    assert operator.sent == [("+12025550142", "STOP", "+12025550100", f"plan-{anna.store.pk}")]


def test_an_empty_reply_is_not_sent(anna: Contact, operator: Operator) -> None:
    response = sign_in(anna.store).post(address("reply", anna), {"body": "  "}, follow=True)
    assert operator.sent == []
    assert "Type a text" in said(response)


def test_without_the_phone_network_the_page_says_what_to_start(anna: Contact) -> None:
    client = sign_in(anna.store)
    response = client.get(address("person", anna))
    assert response.status_code == 200
    assert "manage.py smsflow_network" in response.content.decode()
    assert "manage.py smsflow_network" in said(client.post(address("reply", anna), {"body": "Hi"}, follow=True))


# the shop


def test_a_button_says_what_was_sent_and_what_the_site_answered(
    anna: Contact, operator: Operator, posted: Catcher
) -> None:
    response = sign_in(anna.store).post(address("do", anna, "abandons"), follow=True)
    assert posted.topics == ["checkouts/create", "checkouts/update"]
    assert "checkouts/create (200), checkouts/update (200)" in said(response)


def test_a_refused_webhook_is_told_with_advice(anna: Contact, operator: Operator, posted: Catcher) -> None:
    posted.status = 401
    response = sign_in(anna.store).post(address("do", anna, "opts-in"), follow=True)
    assert "customers_marketing_consent/update (401)" in said(response)
    assert "does not believe the signature" in said(response)


def test_a_site_that_does_not_answer_itself_is_told(
    anna: Contact, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*args: Any) -> tuple[int, str]:
        raise SiteUnreachable("http://testserver: ConnectTimeout")

    monkeypatch.setattr(actions, "shop_of", lambda store: shopping.shop_of(store, nobody))
    response = sign_in(anna.store).post(address("do", anna, "orders"), follow=True)
    assert "PUBLIC_URL" in said(response)
    assert "ConnectTimeout" in said(response)


def test_an_unknown_button_is_not_found(anna: Contact, operator: Operator, posted: Catcher) -> None:
    assert sign_in(anna.store).post(address("do", anna, "dances")).status_code == 404


def test_what_must_wait_for_an_order_cannot_be_pressed_before(
    anna: Contact, operator: Operator, posted: Catcher
) -> None:
    client = sign_in(anna.store)
    waiting = ["Parcel sent", "Parcel comes today", "Parcel delivered", "Cancels the order"]
    assert disabled_buttons(client, anna) == [*waiting, "Gets the money back", "Ready for pickup"]
    client.post(address("do", anna, "orders"))
    assert disabled_buttons(client, anna) == ["Parcel comes today"]
    client.post(address("do", anna, "parcel-sent"))
    assert "Parcel comes today" not in disabled_buttons(client, anna)


def disabled_buttons(client: Any, contact: Contact) -> list[str]:
    page = BeautifulSoup(client.get(address("person", contact)).content, "html.parser")
    return [button.text.strip() for button in page.select("form button[disabled]")]


def test_somebody_new_opens_an_account_and_agrees(store: Store, still: TestClock, posted: Catcher) -> None:
    url = reverse("smsflow_simulator:new_person", args=[store.pk])
    data = {"first_name": "Ida", "last_name": "", "phone": "(202) 555-0177", "agrees": "on"}
    response = sign_in(store).post(url, data, follow=True)
    assert posted.topics == ["customers/create", "customers_marketing_consent/update"]
    assert json.loads(posted.webhooks[0].body)["phone"] == "+12025550177"
    assert "customers/create (200)" in said(response)
    assert not Contact.objects.exists()  # only the webhook makes the person


def test_a_number_belongs_to_one_person_of_the_store(anna: Contact, posted: Catcher) -> None:
    url = reverse("smsflow_simulator:new_person", args=[anna.store.pk])
    response = sign_in(anna.store).post(url, {"first_name": "Ida", "phone": "+12025550142"})
    assert "Anna Berg has this number already." in response.content.decode()
    assert posted.webhooks == []


def test_the_form_offers_a_fictional_number_that_nobody_has(store: Store, still: TestClock) -> None:
    make_contact(store, phone="+12025550101")
    response = sign_in(store).get(reverse("smsflow_simulator:store", args=[store.pk]))
    # ...0100 is the store's own
    assert response.context["new_person_form"]["phone"].initial == "+12025550102"


def test_people_are_found_by_name_and_by_number(anna: Contact) -> None:
    make_contact(anna.store, first_name="Bo", phone="+12025550143")
    client, url = sign_in(anna.store), reverse("smsflow_simulator:store", args=[anna.store.pk])
    for query in ("anna b", "0142"):
        assert [str(person) for person in client.get(url, {"q": query}).context["people"]] == ["Anna Berg"]
    assert list(client.get(url, {"q": "nobody"}).context["people"]) == []
    # more words than a database puts into one question
    assert client.get(url, {"q": "a " * 2000}).status_code == 200


def test_deliveries_that_no_worker_has_read_are_told(anna: Contact) -> None:
    Delivery.objects.create(store=anna.store, source="shopify", external_id="1", body=b"{}")
    response = sign_in(anna.store).get(reverse("smsflow_simulator:store", args=[anna.store.pk]))
    assert "1 delivery waits for the worker" in response.content.decode()


# the time


@pytest.fixture
def simulated(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's time is the simulated one, over a machine whose time stands still."""
    monkeypatch.setattr(the_clock, "system", lambda: NOON)
    monkeypatch.setattr(clock, "_known", (float("-inf"), timedelta()))
    monkeypatch.setattr(clock, "CACHE_SECONDS", 0.0)
    settings.SMSFLOW = {**settings.SMSFLOW, "CLOCK": clock.now}


@pytest.fixture
def waiting(anna: Contact, simulated: None) -> Enrollment:
    """Anna waits in a flow until three hours after noon."""
    flow = Flow.objects.create(store=anna.store, name="Forgotten carts")
    version = FlowVersion.objects.create(store=anna.store, flow=flow, number=1, content_hash="", program={})
    return Enrollment.objects.create(
        store=anna.store, flow=flow, version=version, contact=anna, wake_at=NOON + timedelta(hours=3)
    )


@pytest.mark.parametrize(("how", "hours"), [("hour", 1), ("day", 24)])
def test_the_time_moves_for_the_site_and_the_network(
    how: str, hours: int, anna: Contact, operator: Operator, simulated: None
) -> None:
    sign_in(anna.store).post(address("person_forward", anna, how))
    assert the_clock.now() == NOON + timedelta(hours=hours)
    assert operator.clock_set_to == the_clock.now()


def test_every_pump_is_nudged_when_the_time_moves(
    anna: Contact, operator: Operator, simulated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[str] = []
    monkeypatch.setattr(fast_forward, "nudge", nudged.append)
    sign_in(anna.store).post(address("person_forward", anna, "hour"))
    assert nudged == list(PUMPS)


def test_the_next_thing_is_the_step_that_somebody_waits_for(
    waiting: Enrollment, anna: Contact, operator: Operator
) -> None:
    client = sign_in(anna.store)
    assert "Next step of “Forgotten carts” for Anna Berg" in client.get(address("person", anna)).content.decode()
    response = client.post(address("person_forward", anna, "next"), follow=True)
    assert the_clock.now() == waiting.wake_at
    assert "Next step of “Forgotten carts” for Anna Berg" in said(response)


def test_a_text_that_was_put_off_is_called_that(waiting: Enrollment, anna: Contact) -> None:
    Decision.objects.create(
        store=anna.store,
        contact=anna,
        enrollment=waiting,
        at=NOON,
        verdict=Decision.Verdict.DEFER,
        reason="quiet_hours",
        until=waiting.wake_at,
        message_class="marketing",
    )
    thing = fast_forward.next_thing(Contact.objects.all())
    assert thing is not None
    assert thing.what == "Put-off text of “Forgotten carts” to Anna Berg"


def test_a_queued_text_can_be_the_next_thing(waiting: Enrollment, anna: Contact) -> None:
    Message.objects.create(
        store=anna.store, contact=anna, sender="+1", to="+2", body="Hi", not_before=NOON + timedelta(hours=1)
    )
    thing = fast_forward.next_thing(Contact.objects.all())
    assert thing == fast_forward.NextThing(NOON + timedelta(hours=1), "Queued text to Anna Berg")


def test_where_nothing_waits_the_time_stands(anna: Contact, operator: Operator, simulated: None) -> None:
    response = sign_in(anna.store).post(reverse("smsflow_simulator:forward", args=[anna.store.pk, "next"]), follow=True)
    assert "Nothing waits for a time" in said(response)
    assert the_clock.now() == NOON


def test_what_waits_in_another_store_is_not_told(waiting: Enrollment, danish_store: Store) -> None:
    response = sign_in(danish_store).get(reverse("smsflow_simulator:store", args=[danish_store.pk]))
    assert "Nothing waits for a time in this store." in response.content.decode()
    assert "Anna" not in response.content.decode()


def test_the_time_moves_even_where_the_network_is_down(anna: Contact, simulated: None) -> None:
    response = sign_in(anna.store).post(address("person_forward", anna, "hour"), follow=True)
    assert the_clock.now() == NOON + timedelta(hours=1)
    assert "manage.py smsflow_network" in said(response)


def test_the_network_error_is_the_networks_own_word() -> None:
    with pytest.raises(NetworkUnavailable):
        phone.network().health()
