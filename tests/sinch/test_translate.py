"""What callbacks mean. Pure: no database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.events.facts import CannotUnderstand, Inbound, RawDelivery, Report, StoreInfo, Translation
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.integrations.sinch.codes import MEANINGS, cause_of, sentence
from smsflow_plugin.integrations.sinch.translate import translate

RECEIVED = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
STORE = StoreInfo(country="US", timezone="America/New_York", language="en", currency="USD")
SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "sinch"


def understood(payload: Any) -> Translation:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return translate(RawDelivery("sinch", "", "external", {}, body, RECEIVED), STORE)


def report(**values: Any) -> dict[str, Any]:
    return {
        "type": "recipient_delivery_report_sms",
        "batch_id": "01FC66621XXXXX119Z8PMV1QPQ",
        "recipient": "12025550101",
        "code": 0,
        "status": "Delivered",
        "at": "2026-03-04T15:59:58.930Z",
        "client_reference": "ref-1",
        "number_of_message_parts": 2,
        **values,
    }


def inbound(**values: Any) -> dict[str, Any]:
    return {
        "type": "mo_text",
        "id": "01FC66621XXXXX119Z8PMV1QPA",
        "from": "12025550101",
        "to": "12025550100",
        "body": "Stop",
        "received_at": "2026-03-04T15:59:00Z",
        **values,
    }


def test_a_report_says_what_became_of_one_text() -> None:
    assert understood(report()).facts == (
        Report(
            to="+12025550101",
            status=ReportStatus.DELIVERED,
            at=datetime(2026, 3, 4, 15, 59, 58, 930000, tzinfo=UTC),
            reference="ref-1",
            provider_id="01FC66621XXXXX119Z8PMV1QPQ",
            code=0,
            parts=2,
        ),
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Queued", ReportStatus.DISPATCHED),
        ("Dispatched", ReportStatus.DISPATCHED),
        ("DELIVERED", ReportStatus.DELIVERED),
        ("delivered", ReportStatus.DELIVERED),
        ("Failed", ReportStatus.FAILED),
        ("Rejected", ReportStatus.FAILED),
        ("Aborted", ReportStatus.FAILED),
        ("Deleted", ReportStatus.FAILED),
        ("Unknown", ReportStatus.FAILED),
        ("Expired", ReportStatus.EXPIRED),
        ("Cancelled", ReportStatus.CANCELLED),
    ],
)
def test_statuses_are_understood_in_any_case_and_with_any_code(word: str, status: ReportStatus) -> None:
    for code in (15, 257, 99999, None):
        (fact,) = understood(report(status=word, code=code)).facts
        assert isinstance(fact, Report)
        assert (fact.status, fact.code) == (status, code)


def test_a_new_word_is_read_by_its_code_or_left_to_a_person() -> None:
    (fact,) = understood(report(status="Arrived", code=0)).facts
    assert isinstance(fact, Report)
    assert fact.status == ReportStatus.DELIVERED
    with pytest.raises(CannotUnderstand, match="Vanished"):
        understood(report(status="Vanished", code=15))


@pytest.mark.parametrize("code", [402, 403, 404, 405, 408, 410, 411, 412, 413])
def test_a_new_word_whose_code_is_sinchs_own_has_failed(code: int) -> None:
    (fact,) = understood(report(status="Vanished", code=code)).facts
    assert isinstance(fact, Report)
    assert fact.status == ReportStatus.FAILED
    assert fact.cause == cause_of("aborted", code)


def test_read_and_pictures_are_understood() -> None:
    (fact,) = understood(report(type="recipient_delivery_report_mms", status="Read")).facts
    assert isinstance(fact, Report)
    assert (fact.status, fact.channel) == (ReportStatus.READ, "mms")


@pytest.mark.parametrize(
    ("word", "code", "cause"),
    [
        ("Failed", 257, Cause.OPTED_OUT),
        ("Deleted", 257, Cause.OPTED_OUT),
        ("Deleted", None, Cause.BLOCKED),
        ("Deleted", 300, Cause.INVALID),
        ("Deleted", 410, Cause.OURS),
        ("Deleted", 412, Cause.OURS),
        ("Aborted", 404, Cause.TEMPORARY),
        ("Unknown", 404, Cause.UNKNOWN),
        ("Failed", 300, Cause.INVALID),
        ("Aborted", 402, Cause.UNREACHABLE),
        ("Aborted", 413, Cause.ACCOUNT),
        ("Failed", 15, Cause.OURS),
        ("Failed", 99999, Cause.UNKNOWN),
        ("Failed", None, Cause.UNKNOWN),
        ("Delivered", 257, Cause.UNKNOWN),
        ("Expired", 404, Cause.UNKNOWN),
    ],
)
def test_codes_say_why(word: str, code: int | None, cause: Cause) -> None:
    (fact,) = understood(report(status=word, code=code)).facts
    assert isinstance(fact, Report)
    assert fact.cause == cause


def test_every_code_has_a_sentence() -> None:
    assert all(sentence(code).endswith(".") for code in MEANINGS)
    assert sentence(None) == sentence(99999) == ""


def test_what_can_be_read_of_a_report_on_a_batch_is_read() -> None:
    payload = {
        "type": "delivery_report_sms",
        "batch_id": "B1",
        "statuses": [
            {"code": 0, "status": "Delivered", "recipients": ["12025550101", "nobody"]},
            {"code": 15, "status": "Vanished", "recipients": ["12025550102"]},
            {"code": 0, "status": "Delivered", "recipients": 7},
            "nonsense",
        ],
    }
    assert [fact.to for fact in understood(payload).facts if isinstance(fact, Report)] == ["+12025550101"]
    with pytest.raises(CannotUnderstand):
        understood({**payload, "statuses": payload["statuses"][1:2]})


@pytest.mark.parametrize(("code", "parts"), [(10**30, -4), (-(10**12), 10**9), ("12345678901", "x")])
def test_numbers_that_no_column_holds_are_left_out(code: Any, parts: Any) -> None:
    (fact,) = understood(report(code=code, number_of_message_parts=parts)).facts
    assert isinstance(fact, Report)
    assert (fact.code, fact.parts) == (None, None)


def test_a_report_on_a_batch_is_many_reports() -> None:
    payload = {
        "type": "delivery_report_sms",
        "batch_id": "B1",
        "total_message_count": 3,
        "statuses": [
            {"code": 0, "status": "Delivered", "count": 2, "recipients": ["12025550101", "+12025550102"]},
            {"code": 402, "status": "Aborted", "count": 1, "recipients": ["4520000003"]},
        ],
    }
    facts = understood(payload).facts
    assert [(fact.to, fact.status, fact.code, fact.at) for fact in facts if isinstance(fact, Report)] == [
        ("+12025550101", ReportStatus.DELIVERED, 0, RECEIVED),
        ("+12025550102", ReportStatus.DELIVERED, 0, RECEIVED),
        ("+4520000003", ReportStatus.FAILED, 402, RECEIVED),
    ]


def test_a_summary_without_names_is_of_no_use() -> None:
    payload = {"type": "delivery_report_sms", "batch_id": "B1", "statuses": [{"code": 0, "status": "Delivered"}]}
    assert understood(payload).facts == ()
    assert understood(payload).ignored


def test_a_persons_text_is_an_inbound() -> None:
    assert understood(inbound()).facts == (
        Inbound(
            external_id="01FC66621XXXXX119Z8PMV1QPA",
            sender="+12025550101",
            to="+12025550100",
            body="Stop",
            at=datetime(2026, 3, 4, 15, 59, tzinfo=UTC),
        ),
    )


def test_an_inbound_may_lack_almost_everything() -> None:
    (fact,) = understood({"type": "mo_text", "from": "+12025550101", "to": "24242"}).facts
    assert fact == Inbound(external_id="external", sender="+12025550101", to="24242", body="", at=RECEIVED)


def test_a_stop_by_picture_message_is_a_stop() -> None:
    (fact,) = understood(inbound(type="mo_media", body={"subject": "x", "message": "STOP", "media": []})).facts
    assert isinstance(fact, Inbound)
    assert fact.body == "STOP"


@pytest.mark.parametrize("kind", ["mo_binary", "something_new"])
def test_other_types_are_of_no_use(kind: str) -> None:
    assert understood({"type": kind}) == Translation(ignored=f"Callbacks of the type {kind} are of no use here.")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        [],
        "text",
        {},
        {"type": None},
        {"type": 7},
        report(recipient=None),
        report(recipient="Ada"),
        report(client_reference=None, batch_id=None),
        report(status=None, code=None),
        {"type": "delivery_report_sms", "batch_id": "B1"},
        inbound(**{"from": None}),
        inbound(**{"from": "MYBANK"}),
    ],
)
def test_nonsense_is_refused_with_a_sentence(payload: Any) -> None:
    with pytest.raises(CannotUnderstand) as refusal:
        understood(payload)
    assert str(refusal.value).endswith(".")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from([report(), inbound(), {"type": "delivery_report_sms", "batch_id": "B", "statuses": []}]),
    st.dictionaries(
        st.sampled_from(["type", "from", "to", "body", "id", "at", "received_at", "status", "code", "recipient"])
        | st.sampled_from(["statuses", "batch_id", "client_reference", "number_of_message_parts"]),
        json_values,
    ),
)
def test_whatever_is_in_it_a_callback_is_understood_ignored_or_refused(
    payload: dict[str, Any], changes: dict[str, Any]
) -> None:
    try:
        translation = understood({**payload, **changes})
    except CannotUnderstand as refusal:
        assert str(refusal)
    else:
        assert bool(translation.facts) != bool(translation.ignored)
        for fact in translation.facts:
            assert isinstance(fact, Report | Inbound)
            assert fact.at.tzinfo is not None


CALLBACKS = sorted(SAMPLES.glob("sms_bodies/v1__deliveryreports__*Dto.json")) + sorted(
    SAMPLES.glob("sms_bodies/v1__inbounds__Inbound*.json")
)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="Sinch's sample bodies are not on this machine.")
def test_every_sample_callback_of_sinch_is_understood() -> None:
    assert len(CALLBACKS) == 7
    for path in CALLBACKS:
        payload = json.loads(path.read_text())
        translation = understood(payload)
        assert bool(translation.facts) == (payload["type"] != "mo_binary"), path.name


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="Sinch's sample bodies are not on this machine.")
def test_no_other_sample_of_sinch_breaks_anything() -> None:
    samples = sorted(SAMPLES.glob("*/*.json"))
    assert len(samples) > 60
    for path in samples:
        try:
            translation = understood(path.read_bytes())
        except CannotUnderstand as refusal:
            assert str(refusal).endswith("."), path.name
        else:
            assert translation.facts or translation.ignored, path.name
