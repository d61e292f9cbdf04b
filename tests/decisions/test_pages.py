"""From a text, a run or a person one click leads to why; the report of what was not sent counts and lists."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.audience.places import Place
from smsflow_plugin.governance import ledger
from smsflow_plugin.governance.effective import rules_of
from smsflow_plugin.governance.rules import Decision as Said
from smsflow_plugin.governance.rules import Reason, Verdict
from smsflow_plugin.governance.unsent import count_unsent
from smsflow_plugin.measurement.deciding import stories_of, story_of_message
from smsflow_plugin.models import Contact, Decision, Flow, Message, Policy
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.conftest import TestClock
from tests.factories import make_contact, make_store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still")]

PLACES = (Place("America/New_York", "US", "NY", "area_code"), Place("America/Chicago", "US", "", "store"))


@pytest.fixture
def rows(still: TestClock, store: Any) -> Rows:
    return fill(store)


@pytest.fixture
def client(rows: Rows) -> Client:
    return client_of(make_user("ada", "Store admin", rows.store))


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def deny(rows: Rows, said: Said, **values: Any) -> Decision:
    """Write a decision about the second text of Grace's run, as governance does."""
    version = rules_of([rows.store])[rows.store.pk].rules.version
    defaults = {"store_id": rows.store.pk, "contact_id": rows.contact.pk, "flow_id": rows.flow.pk,
                "enrollment_id": rows.enrollment.pk, "step": "s2", "visit": 1, "message_class": "marketing",
                "policy_id": version, "places": PLACES}  # fmt: skip
    ledger.write([ledger.row(said, clock.now(), **{**defaults, **values})])
    return Decision.objects.latest("pk")


def texts(rows: Rows, *sent: tuple[str, int]) -> None:
    """Texts that Grace got: the flow's name and how many minutes ago."""
    for number, (name, minutes) in enumerate(sent):
        at = clock.now() - timedelta(minutes=minutes)
        flow, _new = Flow.objects.get_or_create(store=rows.store, name=name)
        Message.objects.create(
            store=rows.store, contact=rows.contact, flow=flow, enrollment_id=900 + number, step="x", queued_at=at,
            message_class="marketing", to=str(rows.contact.phone), body="Hi", state="delivered", accepted_at=at,
        )  # fmt: skip


def test_from_a_text_to_why_to_the_rules(client: Client, rows: Rows) -> None:
    message = page(client, "smsflow_messages:inspect", rows.message.pk)
    why = reverse("smsflow_messages:why", args=[rows.message.pk])
    assert f'href="{why}"' in message
    told = client.get(why).content.decode()
    assert "Put off once, then sent." in told
    assert told.index("Put off until 02:00 on Wednesday") < told.index("Allowed: no rule objects.")
    assert "Send a text: Welcome" in told


def test_the_texts_that_counted_are_named_with_their_time(client: Client, rows: Rows) -> None:
    rows.message.delete()
    texts(rows, ("Welcome", 108), ("Abandoned cart", 25), ("Long ago", 3000))
    note = {"rule": "cap_day", "limit": 2, "per": "day"}
    denied = deny(rows, Said(Verdict.DEFER, Reason.CAP_DAY, clock.now() + timedelta(hours=22), (note,)))
    told = page(client, "smsflow_decisions:inspect", denied.pk)
    assert "2 of 2 texts in 24 hours: 09:12 “Welcome”, 10:35 “Abandoned cart”." in told
    assert "Long ago" not in told


def test_the_places_and_their_clocks_stand_beside_it(client: Client, rows: Rows) -> None:
    denied = deny(rows, Said(Verdict.SKIP, Reason.STALE))
    told = page(client, "smsflow_decisions:inspect", denied.pk)
    assert "America/New_York (US-NY, from the area code): 11:00 on 4 March 2026" in told
    assert "America/Chicago (US, the store&#x27;s): 10:00 on 4 March 2026" in told


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (Said(Verdict.SKIP, Reason.MISSING_DATA, None, ({"path": "trigger.cart.url"},)), "Missing: trigger.cart.url."),
        (Said(Verdict.SKIP, Reason.COUNTRY, None, ({"rule": "country", "country": "IN"},)), "Country: IN."),
        (Said(Verdict.SKIP, Reason.PREFERENCE, None, ({"rule": "preference", "stage": "cart"},)),
         "The person does not want texts about carts."),
        (Said(Verdict.SKIP, Reason.SUPPRESSED, None, ({"rule": "suppressed", "listed": "complaint"},)),
         "On the list: complaint."),
        (Said(Verdict.SKIP, Reason.CAP_DAY, None, ({"dropped": True},)), "It was dropped instead of waiting"),
        (Said(Verdict.SKIP, Reason.BUDGET, None, ({"own": "value"},)), "own: value."),
        (Said(Verdict.ALLOW, Reason.ALLOWED, None, ({"used": 1, "limit": 5, "per": "week"}, {"planned": 2})),
         "1 of 5 texts in 7 days"),
    ],
)  # fmt: skip
def test_every_rule_tells_its_values(client: Client, rows: Rows, said: Said, line: str) -> None:
    assert line in page(client, "smsflow_decisions:inspect", deny(rows, said).pk)


def test_the_more_important_flow_is_named(client: Client, rows: Rows) -> None:
    note = {"rule": "look_ahead", "flow": rows.flow.pk, "at": (clock.now() + timedelta(hours=2)).isoformat()}
    denied = deny(rows, Said(Verdict.DEFER, Reason.LOOK_AHEAD, clock.now() + timedelta(hours=3), (note,)))
    told = page(client, "smsflow_decisions:inspect", denied.pk)
    assert "“Welcome” is more important and plans a text at 13:00." in told


def test_what_came_before_and_after_stands_on_the_page_of_each(client: Client, rows: Rows, still: TestClock) -> None:
    first = deny(rows, Said(Verdict.DEFER, Reason.QUIET_HOURS, clock.now() + timedelta(hours=1)))
    still.move(hours=1)
    deny(rows, Said(Verdict.DEFER, Reason.CAP_DAY, clock.now() + timedelta(hours=1)))
    still.move(hours=1)
    deny(rows, Said(Verdict.ALLOW, Reason.ALLOWED))
    told = page(client, "smsflow_decisions:inspect", first.pk)
    assert "Put off twice, then allowed." in told
    assert told.count("aria-current=") == 1 + told.count('aria-current="page"')


def test_somebody_who_was_not_let_in_is_told_of_alone(client: Client, rows: Rows) -> None:
    denied = deny(rows, Said(Verdict.SKIP, Reason.SAME_RUN), enrollment_id=None, step="", places=())
    told = page(client, "smsflow_decisions:inspect", denied.pk)
    assert "Did not enter the flow: the person was let in for the same occasion before." in told


def test_the_rules_of_then_stand_beside_those_of_today(client: Client, rows: Rows) -> None:
    denied = deny(rows, Said(Verdict.SKIP, Reason.STALE))
    assert "The same rules hold today." in page(client, "smsflow_decisions:rules", denied.pk)
    policy = Policy.objects.get(store=rows.store)
    policy.caps, policy.minimum_gap = [{"limit": 1, "window": "day"}], 90
    policy.save(update_fields=["caps", "minimum_gap"])
    then = page(client, "smsflow_decisions:rules", denied.pk)
    assert "2 rules are others today." in then
    assert "2 texts in 24 hours; 5 texts in 7 days" in then
    assert "<strong>90</strong>" in then
    assert "Mon–Sun 09:00–20:00" in then
    assert "Built in" in then


def test_a_decision_of_no_rules_leads_to_none(client: Client, rows: Rows) -> None:
    denied = deny(rows, Said(Verdict.SKIP, Reason.REENTRY), policy_id=None)
    assert reverse("smsflow_decisions:rules", args=[denied.pk]) not in page(
        client, "smsflow_decisions:inspect", denied.pk
    )
    assert client.get(reverse("smsflow_decisions:rules", args=[denied.pk])).status_code == 404


def test_the_timeline_and_the_people_of_a_flow_lead_to_why(client: Client, rows: Rows) -> None:
    timeline = page(client, "smsflow_contacts:inspect", rows.contact.pk)
    assert reverse("smsflow_messages:why", args=[rows.message.pk]) in timeline
    assert reverse("smsflow_decisions:inspect", args=[rows.decision.pk]) in timeline
    run = reverse("wagtailsnippets_smsflow_flow:why", args=[rows.flow.pk, rows.enrollment.pk])
    assert run in page(client, "wagtailsnippets_smsflow_flow:people", rows.flow.pk)
    told = client.get(run).content.decode()
    assert "Not sent: the limit for 24 hours is reached." in told
    assert "Put off until" in told


def test_a_text_to_nobody_in_particular_says_why_it_went(client: Client, rows: Rows) -> None:
    test = Message.objects.create(
        store=rows.store, key="t", purpose="test", message_class="marketing", to="+12025550142", body="Test"
    )
    assert "Somebody sent it as a test." in page(client, "smsflow_messages:why", test.pk)


@pytest.mark.parametrize("name", ["smsflow_decisions:inspect", "smsflow_decisions:rules", "smsflow_messages:why"])
def test_a_stranger_and_a_copywriter_learn_nothing(rows: Rows, name: str) -> None:
    pk = rows.message.pk if "messages" in name else rows.decision.pk
    other = make_store(name="Bolton", domain="bolton.myshopify.com")
    stranger = client_of(make_user("stranger", "Store admin", other))
    assert stranger.get(reverse(name, args=[pk])).status_code == 404
    carl = client_of(make_user("carl", "Copywriter", rows.store))
    assert carl.get(reverse(name, args=[pk])).status_code in (302, 404)


def test_support_may_ask_why(rows: Rows) -> None:
    sue = client_of(make_user("sue", "Support", rows.store))
    assert "Not sent" in page(sue, "smsflow_decisions:inspect", rows.decision.pk)
    assert "What was decided" in page(sue, "smsflow_messages:why", rows.message.pk)


def test_a_page_takes_as_many_queries_for_many_decisions_as_for_one(client: Client, rows: Rows) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, "smsflow_decisions:inspect", denied.pk)
        return len(queries)

    note = {"rule": "cap_day", "limit": 2, "per": "day"}
    denied = deny(rows, Said(Verdict.DEFER, Reason.CAP_DAY, clock.now() + timedelta(hours=1), (note,)))
    count()
    few = count()
    for _time in range(30):
        deny(rows, Said(Verdict.DEFER, Reason.CAP_DAY, clock.now() + timedelta(hours=1), (note,)))
    assert count() == few


# The report -------------------------------------------------------------------------------------


def test_the_report_counts_by_day_reason_and_flow(client: Client, rows: Rows) -> None:
    for _time in range(3):
        deny(rows, Said(Verdict.SKIP, Reason.STALE))
    report = page(client, "smsflow_decisions:index")
    # one put off and one skipped are Grace's own
    assert "<strong>4 not sent</strong> and <strong>1 put off</strong>" in " ".join(report.split())
    assert "It would have come too late to be of use" in report
    assert "Days are those of America/New_York." in report
    assert 'role="img"' in report


def test_the_report_is_narrowed_by_what_was_chosen(client: Client, rows: Rows) -> None:
    other = Flow.objects.create(store=rows.store, name="News")
    deny(rows, Said(Verdict.SKIP, Reason.STALE), flow_id=other.pk)
    deny(rows, Said(Verdict.SKIP, Reason.PANIC), flow_id=other.pk)
    narrowed = page(client, "smsflow_decisions:index", flow=other.pk, reason="panic")
    assert "<strong>1 not sent</strong>" in narrowed
    assert narrowed.count("Somebody has stopped all texts</") >= 1
    none = page(client, "smsflow_decisions:index", at_from="2026-01-01", at_to="2026-01-31")
    assert "<strong>0 not sent</strong>" in none
    nonsense = client.get(reverse("smsflow_decisions:index"), {"reason": "nonsense", "at_from": "x"})
    assert nonsense.status_code == 200


def test_the_report_shows_one_store_only_its_own(rows: Rows) -> None:
    other = fill(make_store(name="Bolton", domain="bolton.myshopify.com"), mark="Bolton")
    count_unsent()
    owner = client_of(make_user("owner", "Store admin", other.store))
    report = page(owner, "smsflow_decisions:index")
    assert "<strong>1 not sent</strong>" in report
    assert "GraceBolton" in report
    assert "Grace Lovelace" not in report


def test_the_report_takes_as_many_queries_for_thirty_as_for_two(client: Client, rows: Rows) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, "smsflow_decisions:index")
        return len(queries)

    def more(times: int) -> None:
        for _time in range(times):
            deny(rows, Said(Verdict.SKIP, Reason.STALE), contact_id=make_contact(rows.store).pk)

    more(2)
    count()
    few = count()
    more(25)
    assert count() == few


def test_the_report_is_exported_and_no_formula_in_it(client: Client, rows: Rows) -> None:
    Contact.objects.update(first_name="=HYPERLINK(1)", last_name="")
    Decision.objects.create(store=rows.store, at=clock.now(), verdict="skip", reason="panic")
    lines = b"".join(client.get(reverse("smsflow_decisions:index"), {"export": "csv"}).streaming_content).decode()
    assert "'=HYPERLINK(1)" in lines
    assert ",=HYPERLINK" not in lines
    assert "Somebody has stopped all texts,panic" in lines
    from openpyxl import load_workbook

    content = b"".join(client.get(reverse("smsflow_decisions:index"), {"export": "xlsx"}).streaming_content)
    cells = [cell for row in load_workbook(BytesIO(content)).active.iter_rows() for cell in row]
    assert ("=HYPERLINK(1)", "s") in [(cell.value, cell.data_type) for cell in cells]


def test_whoever_is_gone_is_nobody(client: Client, rows: Rows) -> None:
    Decision.objects.update(contact=None)
    assert "Nobody any more" in page(client, "smsflow_decisions:index")
    assert "Nobody any more" in page(client, "smsflow_decisions:inspect", rows.decision.pk)


# The command line -------------------------------------------------------------------------------


def told(*args: Any, **options: Any) -> str:
    out = StringIO()
    call_command("smsflow_why", *map(str, args), stdout=out, **options)
    return out.getvalue()


def test_the_terminal_tells_the_same_story(rows: Rows) -> None:
    story = story_of_message(rows.message)
    printed = told(rows.message.pk)
    for one in story.told:
        assert one.sentence in printed
    assert story.verdict in printed


def test_the_newest_of_a_person_come_by_their_number(rows: Rows) -> None:
    printed = told(rows.contact.phone)
    assert "Not sent: the limit for 24 hours is reached." in printed
    assert "welcome, Grace" in printed
    assert told(str(rows.contact.phone).removeprefix("+1"), limit=1).count("times in") == 1
    assert '"verdict": "skip"' in told(rows.contact.phone, json=True)
    with pytest.raises(CommandError, match="nobody with the number"):
        told("+12025559999")


def test_a_persons_stories_take_as_many_queries_for_many_as_for_one(rows: Rows) -> None:
    def count(limit: int) -> int:
        contact = Contact.objects.select_related("store").get(pk=rows.contact.pk)
        with CaptureQueriesContext(connection) as queries:
            assert len(stories_of(contact, limit)) == limit
        return len(queries)

    for number in range(10):
        deny(rows, Said(Verdict.SKIP, Reason.STALE), step=f"t{number}")
    count(1)
    assert count(2) == count(10)
