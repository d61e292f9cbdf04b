"""Staff make forms, see what came of them, and let stopped numbers go on."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.log_actions import registry

from smsflow_plugin.models import ConsentRecord, DisclosureVersion, OptInAttempt, OptInForm, OptInPause, Store
from smsflow_plugin.signup.blocks import OptInFormBlock
from smsflow_plugin.stores.roles import AGENCY, COPYWRITER, STORE_ADMIN, SUPPORT
from tests.admin.people import client_of, make_user
from tests.conftest import TestClock
from tests.factories import make_contact, make_store
from tests.signup.conftest import ADA, Visitor, make_form, pump

pytestmark = pytest.mark.django_db

FIELDS = {
    "name": "Checkout",
    "programme": "Sierra Texts",
    "active": "on",
    "terms_url": "https://sierra-gear.example/terms",
    "privacy_url": "https://sierra-gear.example/privacy",
    "level": "",
    "countries": "us, CA",
    "tags": "footer, spring",
    "origins": "https://blog.sierra-gear.example/post/1",
    "also": ["da"],
}


@pytest.fixture
def ines(store: Store, still: TestClock) -> Client:
    return client_of(make_user("ines", STORE_ADMIN, store))


def inspect(form: OptInForm) -> str:
    return reverse("smsflow_opt_in_forms:inspect", args=[form.pk])


def test_a_form_is_made_and_its_words_are_kept(ines: Client, store: Store) -> None:
    answer = ines.post(reverse("smsflow_opt_in_forms:add"), {**FIELDS, "store": store.pk})
    form = OptInForm.objects.get()
    assert answer.status_code == 302 and answer.url == inspect(form)
    assert (form.countries, form.tags) == (["US", "CA"], ["footer", "spring"])
    assert form.origins == ["https://blog.sierra-gear.example"]
    assert form.disclosures == {"en": "", "da": ""}
    assert sorted(DisclosureVersion.objects.values_list("language", flat=True)) == ["da", "en"]
    page = ines.get(answer.url).content.decode()
    assert f"http://testserver/smsflow/join/{form.token}/" in page
    assert "embed.js" in page and "Consent is not a condition of purchase." in page
    assert "https://blog.sierra-gear.example" in page


def test_changed_words_are_a_new_version_beside_the_old_one(ines: Client, form: OptInForm) -> None:
    edit = reverse("smsflow_opt_in_forms:edit", args=[form.pk])
    ines.post(edit, {**FIELDS, "also": [], "disclosure_en": "I agree."})
    ines.post(edit, {**FIELDS, "also": [], "disclosure_en": "I agree!"})
    texts = list(DisclosureVersion.objects.order_by("pk").values_list("text", flat=True))
    assert texts == ["I agree.", "I agree!"]
    ines.post(edit, {**FIELDS, "also": [], "disclosure_en": "I agree!", "tags": "other"})
    assert DisclosureVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("countries", "US, XX", "There is no country “XX”."),
        ("countries", "IN", "Texts to IN do not arrive"),
        ("origins", "javascript:alert(1)", "is no web address"),
        ("terms_url", "nonsense", "Enter a valid URL"),
    ],
)
def test_what_cannot_work_is_refused(ines: Client, store: Store, field: str, value: str, words: str) -> None:
    answer = ines.post(reverse("smsflow_opt_in_forms:add"), {**FIELDS, "store": store.pk, field: value})
    assert words in answer.content.decode()
    assert not OptInForm.objects.exists()


def test_a_german_store_cannot_do_without_confirmation(still: TestClock) -> None:
    store = make_store(name="Berg", domain="berg.myshopify.com", country="DE", language="de", sender="+4915228817386")
    ines = client_of(make_user("ines", STORE_ADMIN, store))
    answer = ines.post(reverse("smsflow_opt_in_forms:add"), {**FIELDS, "store": store.pk, "level": "single"})
    assert "In DE everybody must confirm." in answer.content.decode()


def test_figures_by_day(ines: Client, form: OptInForm, visitor: Visitor) -> None:
    visitor.sends()
    visitor.sends(website="spam")
    OptInAttempt.objects.filter(outcome="asked").update(confirmed_at=visitor.still.at)
    page = ines.get(inspect(form)).content.decode()
    assert "4 Mar 2026" in page
    assert "<td>2</td><td>1</td><td>1</td><td>1</td>" in page
    listed = ines.get(reverse("smsflow_opt_in_forms:index")).content.decode()
    assert "Footer" in listed


def test_the_list_asks_as_much_for_many_forms_as_for_few(ines: Client, store: Store) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            ines.get(reverse("smsflow_opt_in_forms:index"))
        return len(captured)

    make_form(store)
    queries()
    few = queries()
    for n in range(8):
        make_form(store, name=f"Form {n}")
    assert queries() == few


def test_stopped_numbers_are_told_of_and_resumed_by_name(ines: Client, form: OptInForm, store: Store) -> None:
    pause = OptInPause.objects.create(store=store, kind="prefix", value="+1202555", asked=12, confirmed=1)
    page = ines.get(inspect(form)).content.decode()
    assert "Numbers that begin with +1202555 are not asked any more" in page
    url = reverse("smsflow_opt_in_forms:resume", args=[form.pk, pause.pk])
    assert ines.get(url).status_code == 405
    assert ines.post(url).status_code == 302
    pause.refresh_from_db()
    assert pause.resumed_at is not None and pause.resumed_by == "ines"
    model = registry.get_log_model_for_instance(form)
    assert model.objects.filter(action="smsflow.resume_sign_ups").count() == 1
    assert "are not asked any more" not in ines.get(inspect(form)).content.decode()


def test_a_pause_of_another_store_is_a_404(ines: Client, form: OptInForm) -> None:
    other = make_store(name="Bolton", domain="bolton.myshopify.com", sender="+12025550177")
    pause = OptInPause.objects.create(store=other, kind="prefix", value="+1202555", asked=12, confirmed=1)
    assert ines.post(reverse("smsflow_opt_in_forms:resume", args=[form.pk, pause.pk])).status_code == 404
    pause.refresh_from_db()
    assert pause.resumed_at is None


@pytest.mark.parametrize(("role", "may"), [(STORE_ADMIN, True), (AGENCY, True), (COPYWRITER, False), (SUPPORT, False)])
def test_who_may_make_forms(store: Store, form: OptInForm, role: str, may: bool) -> None:
    client = client_of(make_user("somebody", role, store))
    for url in (
        reverse("smsflow_opt_in_forms:index"),
        reverse("smsflow_opt_in_forms:add"),
        reverse("smsflow_opt_in_forms:edit", args=[form.pk]),
        inspect(form),
    ):
        assert (client.get(url).status_code == 200) is may, url


def test_forms_are_closed_and_never_deleted(ines: Client, form: OptInForm) -> None:
    assert ines.get(f"/admin/smsflow/opt-in-forms/delete/{form.pk}/").status_code == 404
    assert ines.post(f"/admin/smsflow/opt-in-forms/delete/{form.pk}/").status_code == 404
    assert OptInForm.objects.exists()


def test_the_proof_of_a_consent_stands_on_the_persons_page(ines: Client, visitor: Visitor) -> None:
    visitor.sends()
    pump()
    record = ConsentRecord.objects.get()
    page = ines.get(reverse("smsflow_contacts:inspect", args=[record.contact_id])).content.decode()
    for proof in ("Evidence", record.evidence["version"], "Ticked", "203.0.113.7", "Footer"):
        assert proof in page


@pytest.mark.parametrize(
    ("country", "sender", "words"),
    [
        ("US", "SierraGear", "cannot come from a name"),
        ("FR", "+33612345678", "carry no texts of applications"),
        ("IN", "+919876543210", "do not arrive"),
        ("DK", "Nordic Tea", "Nobody can answer a text from"),
        ("US", "+12025550100", ""),
    ],
)
def test_a_store_is_told_if_its_sender_does_not_suit_its_country(
    ines: Client, store: Store, country: str, sender: str, words: str
) -> None:
    Store.objects.filter(pk=store.pk).update(country=country, sender=sender)
    page = ines.get(reverse("smsflow_stores:edit", args=[store.pk])).content.decode()
    assert (words in page) if words else ("Sender and country" not in page)


class TestTheBlock:
    def render(self, form: OptInForm | None) -> str:
        block = OptInFormBlock()
        request = RequestFactory().get("/news/")
        context: dict[str, Any] = {"request": request}
        return block.render(form, context) if form else ""

    def test_a_page_of_the_site_shows_the_form_and_it_can_be_sent(
        self, form: OptInForm, visitor: Visitor, still: TestClock
    ) -> None:
        html = self.render(form)
        assert f'action="/smsflow/join/{form.token}/"' in html
        assert 'name="from" value="http://testserver/news/"' in html
        slip = html.partition('name="slip" value="')[2].partition('"')[0]
        still.move(seconds=20)
        assert visitor.sends(slip=slip, **{"from": "http://testserver/news/"}).status_code == 200
        pump()
        assert ConsentRecord.objects.get().evidence["referrer"] == "http://testserver/news/"

    def test_a_closed_form_leaves_nothing_behind(self, form: OptInForm) -> None:
        form.active = False
        assert self.render(form).strip() == ""

    def test_it_offers_a_chooser_of_own_forms(self, store: Store, form: OptInForm) -> None:
        block = OptInFormBlock()
        assert block.target_model is OptInForm
        assert "opt_in_form" in type(block.widget).__name__.lower() or block.widget.model is OptInForm

    def test_it_stands_in_any_template(self, form: OptInForm) -> None:
        bound = OptInFormBlock().bind(form)
        html = Template("{% load wagtailcore_tags %}{% include_block value %}").render(Context({"value": bound}))
        assert "join__form" in html


def test_staff_know_how_surely_somebody_has_agreed(ines: Client, store: Store) -> None:
    contact = make_contact(store, phone=ADA, opt_in_level="confirmed")
    page = ines.get(reverse("smsflow_contacts:inspect", args=[contact.pk])).content.decode()
    assert "Confirmed from the phone" in page
