"""What is personal is kept for its time: not longer, and not a day less than somebody needs it."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from smsflow_plugin.audience.ledger import broken_chains
from smsflow_plugin.engine import purging
from smsflow_plugin.engine.purging import due, purge
from smsflow_plugin.models import (
    ConsentRecord,
    Contact,
    Decision,
    Delivery,
    Effect,
    Enrollment,
    Event,
    Message,
    Store,
    TestNumber,
    Thread,
    ThreadNote,
)
from tests.admin.rows import Rows, fill
from tests.conftest import NOON, TestClock
from tests.engine.helpers import deliver, pump, texted
from tests.factories import make_contact, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(store: Store) -> Rows:
    rows = fill(store)
    Enrollment.objects.update(status="finished", wake_at=None)
    TestNumber.objects.update(code_hash="x", code_sent_at=NOON)
    return rows


@pytest.mark.parametrize(
    ("kind", "days", "blanked"),
    [
        ("deliveries", 30, lambda: Delivery.objects.filter(state="done").values_list("body", flat=True)),
        ("parked", 180, lambda: Delivery.objects.filter(state="parked").values_list("body", flat=True)),
        ("messages", 365, lambda: Message.objects.values_list("body", flat=True)),
        ("conversations", 365, lambda: Thread.objects.values_list("last_words", flat=True)),
        ("notes", 365, lambda: ThreadNote.objects.values_list("body", flat=True)),
        ("events", 730, lambda: Event.objects.values_list("data", flat=True)),
        ("decisions", 730, lambda: Decision.objects.values_list("notes", flat=True)),
        ("effects", 90, lambda: Effect.objects.values_list("payload", flat=True)),
        ("codes", 1, lambda: TestNumber.objects.values_list("code_hash", flat=True)),
    ],
)
def test_a_kind_is_blanked_when_its_time_is_over_and_not_before(
    rows: Rows, still: TestClock, kind: str, days: int, blanked: Any
) -> None:
    still.move(days=days - 1)
    purge()
    assert any(bytes(value) if isinstance(value, memoryview) else value for value in blanked())
    still.move(days=2)
    count = blanked().count()
    assert purge()[kind] > 0
    assert not any(bytes(value) if isinstance(value, memoryview) else value for value in blanked())
    assert blanked().count() == count
    assert purge()[kind] == 0


def test_a_dry_run_counts_and_touches_nothing(rows: Rows, still: TestClock) -> None:
    still.move(days=400)
    out = StringIO()
    call_command("smsflow_purge", "--dry-run", stdout=out)
    assert "messages older than 365 days: 1" in out.getvalue()
    assert Message.objects.get().body
    call_command("smsflow_purge", stdout=out)
    assert not Message.objects.get().body
    assert due()["messages"] == 0


def test_nothing_that_a_waiting_run_needs_is_taken(rows: Rows, still: TestClock) -> None:
    Enrollment.objects.update(status="waiting")
    still.move(days=3000)
    purge()
    assert all(Event.objects.values_list("data", flat=True))
    assert Effect.objects.get().payload


def test_what_is_queued_is_not_blanked(rows: Rows, still: TestClock) -> None:
    Message.objects.update(state="queued")
    still.move(days=3000)
    purge()
    assert Message.objects.get().body


def test_what_nobody_has_read_yet_is_kept(store: Store, still: TestClock) -> None:
    texted(store, "STOP")
    still.move(days=3000)
    purge()
    pump()
    assert Contact.objects.get().service_consent == "revoked"


def test_an_opt_out_is_kept_for_ever(store: Store, still: TestClock) -> None:
    ada = make_contact(store)
    said(ada, "granted", wording="Yes", key="yes")
    said(ada, "revoked", "all", wording="STOP", key="no", source="keyword")
    still.move(days=20 * 365)
    assert purge()["grants"] == 1
    kept = ConsentRecord.objects.get(action="revoked")
    assert (kept.wording, kept.phone, kept.key) == ("STOP", ada.phone, "no")
    gone = ConsentRecord.objects.get(action="granted")
    assert (gone.wording, gone.phone, gone.erased_at) == ("", "", still.at)
    assert list(broken_chains(Contact.objects.all())) == []


def test_a_grant_is_kept_while_it_is_used(store: Store, still: TestClock) -> None:
    ada = make_contact(store, last_texted_at=NOON + timedelta(days=4 * 365))
    said(ada, wording="Yes")
    still.move(days=6 * 365)
    assert purge()["grants"] == 0
    still.move(days=4 * 365)
    assert purge()["grants"] == 1
    ada.refresh_from_db()
    assert (ada.marketing_consent, ada.opt_in_level) == ("unknown", "")


def test_who_agreed_again_keeps_their_consent(store: Store, still: TestClock) -> None:
    ada = make_contact(store)
    said(ada, key="old")
    still.move(days=5 * 365)
    said(ada, key="new")
    still.move(days=365)
    assert purge()["grants"] == 1
    ada.refresh_from_db()
    assert ada.marketing_consent == "granted"


def test_many_rows_go_in_batches(rows: Rows, still: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)
    for n in range(5):
        Event.objects.create(
            store=rows.store, contact=rows.contact, kind="x", key=str(n), occurred_at=NOON, data={"n": n}
        )
    still.move(days=800)
    assert purge()["events"] == 7
    assert not Event.objects.exclude(data={}).exists()


def test_a_site_has_its_own_periods(rows: Rows, still: TestClock, settings: Any) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "RETENTION": {"messages": 10, "events": None}}
    still.move(days=11)
    assert purge()["messages"] == 1
    still.move(days=5000)
    assert "events" not in purge()
    settings.SMSFLOW = {**settings.SMSFLOW, "RETENTION": {"mesages": 10}}
    with pytest.raises(CommandError, match="names mesages"):
        call_command("smsflow_purge")


def test_a_delivery_that_comes_twice_after_the_purge_is_still_the_same(store: Store, still: TestClock) -> None:
    ada = make_contact(store)
    delivery = deliver(store)
    pump()
    still.move(days=31)
    purge()
    delivery.refresh_from_db()
    assert (bytes(delivery.body), delivery.state) == (b"", "ignored")
    assert Contact.objects.get() == ada
