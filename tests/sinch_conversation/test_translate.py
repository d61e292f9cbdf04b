"""What the Conversation API's callbacks mean. Pure: no database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Inbound,
    PersonFact,
    RawDelivery,
    Report,
    StoreInfo,
    Translation,
)
from smsflow_plugin.events.reports import Cause, ReportStatus
from smsflow_plugin.integrations.sinch.conversation_translate import TRIGGERS, translate
from tests.sinch_conversation.conftest import SAMPLES, needs_samples

RECEIVED = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
STORE = StoreInfo(country="US", timezone="America/New_York", language="en", currency="USD")
IDENTITY = {"app_id": "app-1", "channel": "SMS", "identity": "12025550101"}


def understood(payload: Any) -> Translation:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return translate(RawDelivery("sinch_conversation", "", "external", {}, body, RECEIVED), STORE)


def report(**values: Any) -> dict[str, Any]:
    said = {"message_id": "M1", "status": "DELIVERED", "channel_identity": IDENTITY, "metadata": "ref-1", **values}
    return {
        "app_id": "app-1",
        "event_time": "2026-03-04T15:59:58Z",
        "correlation_id": "ref-1",
        "message_delivery_report": said,
    }


def inbound(**values: Any) -> dict[str, Any]:
    message = {
        "id": "IN1",
        "direction": "TO_APP",
        "channel_identity": IDENTITY,
        "accept_time": "2026-03-04T15:59:00Z",
        "sender_id": "12025550100",
        "contact_message": {"text_message": {"text": "Stop"}},
        **values,
    }
    return {"app_id": "app-1", "event_time": "2026-03-04T15:58:00Z", "message": message}


def opt_out(**values: Any) -> dict[str, Any]:
    said = {"request_id": "R1", "channel": "SMS", "identity": "12025550101", "status": "OPT_OUT_SUCCEEDED", **values}
    return {"app_id": "app-1", "event_time": "2026-03-04T15:59:00Z", "opt_out_notification": said}


def only(payload: Any, kind: type) -> Any:
    (fact,) = understood(payload).facts
    assert isinstance(fact, kind)
    return fact


def test_a_report_says_what_became_of_a_text_and_on_which_channel() -> None:
    assert understood(report()).facts == (
        Report(
            to="+12025550101",
            status=ReportStatus.DELIVERED,
            at=datetime(2026, 3, 4, 15, 59, 58, tzinfo=UTC),
            reference="ref-1",
            provider_id="M1",
            channel="sms",
        ),
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("QUEUED_ON_CHANNEL", ReportStatus.DISPATCHED),
        ("SWITCHING_CHANNEL", ReportStatus.DISPATCHED),
        ("DELIVERED", ReportStatus.DELIVERED),
        ("delivered", ReportStatus.DELIVERED),
        ("READ", ReportStatus.READ),
        ("FAILED", ReportStatus.FAILED),
    ],
)
def test_every_status_is_known_in_any_case(word: str, status: ReportStatus) -> None:
    assert only(report(status=word), Report).status == status


@pytest.mark.parametrize("channel", ["SMS", "MMS", "RCS", "WHATSAPP"])
def test_the_channel_that_carried_it_is_told(channel: str) -> None:
    fact = only(report(channel_identity={**IDENTITY, "channel": channel}), Report)
    assert fact.channel == channel.lower()


@pytest.mark.parametrize(
    ("reason", "status", "code", "cause"),
    [
        ("OUTSIDE_ALLOWED_SENDING_WINDOW", ReportStatus.FAILED, None, Cause.OURS),
        ("RECIPIENT_INVALID_CHANNEL_IDENTITY", ReportStatus.FAILED, 402, Cause.UNREACHABLE),
        ("INTERNAL_ERROR", ReportStatus.FAILED, 403, Cause.TEMPORARY),
        ("DELIVERY_TIMED_OUT", ReportStatus.EXPIRED, 406, Cause.UNKNOWN),
        ("SOMETHING_NEW", ReportStatus.FAILED, None, Cause.UNKNOWN),
        (None, ReportStatus.FAILED, None, Cause.UNKNOWN),
    ],
)
def test_a_failure_says_why(reason: str | None, status: ReportStatus, code: int | None, cause: Cause) -> None:
    fact = only(report(status="FAILED", reason={"code": reason, "description": "…"}), Report)
    assert (fact.status, fact.code, fact.cause) == (status, code, cause)


@pytest.mark.parametrize(
    ("channel", "cause"),
    [("SMS", Cause.UNREACHABLE), ("MMS", Cause.UNREACHABLE), ("RCS", Cause.OURS), ("WHATSAPP", Cause.OURS)],
)
@pytest.mark.parametrize("reason", ["RECIPIENT_INVALID_CHANNEL_IDENTITY", "RECIPIENT_NOT_REACHABLE"])
def test_whoever_has_no_whatsapp_has_a_number_all_the_same(reason: str, channel: str, cause: Cause) -> None:
    said = report(status="FAILED", reason={"code": reason}, channel_identity={**IDENTITY, "channel": channel})
    assert only(said, Report).cause == cause


def test_a_report_may_name_the_call_in_three_ways() -> None:
    without_correlation = {**report(), "correlation_id": ""}
    assert only(without_correlation, Report).reference == "ref-1"
    nameless = {**report(metadata=None), "correlation_id": None}
    assert (only(nameless, Report).reference, only(nameless, Report).provider_id) == ("", "M1")


def test_a_persons_text_is_an_inbound() -> None:
    assert understood(inbound()).facts == (
        Inbound(
            external_id="IN1",
            sender="+12025550101",
            to="+12025550100",
            body="Stop",
            at=datetime(2026, 3, 4, 15, 59, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ({"text_message": {"text": "STOP"}}, "STOP"),
        ({"choice_response_message": {"message_id": "M1", "postback_data": "YES"}}, "YES"),
        ({"media_card_message": {"url": "https://x.example/a.jpg", "caption": "STOP"}}, "STOP"),
        ({"media_message": {"url": "https://x.example/a.jpg"}}, ""),
        ({"location_message": {"title": "Home"}}, ""),
        ({"fallback_message": {"raw_message": "STOP"}}, "STOP"),
        ({}, ""),
        (None, ""),
    ],
)
def test_what_somebody_says_without_typing_is_heard_too(message: Any, body: str) -> None:
    assert only(inbound(contact_message=message), Inbound).body == body


def test_an_inbound_may_lack_almost_everything() -> None:
    payload = {"message": {"channel_identity": {"identity": "12025550101"}}}
    assert only(payload, Inbound) == Inbound("external", "+12025550101", "", "", RECEIVED)


def test_what_nobody_wrote_is_no_text_of_anybody() -> None:
    assert not understood(inbound(injected=True)).facts
    assert not understood(inbound(direction="TO_CONTACT")).facts


def test_an_opt_out_that_the_network_reports_is_a_refusal_of_all_texts() -> None:
    fact = only(opt_out(), PersonFact)
    assert fact.person.phone == "+12025550101"
    (consent,) = fact.consents
    assert (consent.action, consent.scope, consent.source) == ("revoked", "all", "gateway_opt_out")
    assert (consent.key, consent.own_words) == ("sinch:opt_out:R1", True)
    assert consent.effective_at == datetime(2026, 3, 4, 15, 59, tzinfo=UTC)
    assert [one.kind for one in fact.happenings] == ["opted_out"]


def test_a_refusal_by_somebody_unnamed_is_left_to_a_person() -> None:
    with pytest.raises(CannotUnderstand, match="contact C9 at Sinch"):
        understood(opt_out(identity=None, contact_id="C9"))


def test_an_opt_in_at_sinch_is_no_consent() -> None:
    said = {"opt_in_notification": {"identity": "12025550101", "channel": "SMS", "status": "OPT_IN_SUCCEEDED"}}
    assert understood(said) == Translation(ignored="An opt-in that Sinch has noted is no proof of consent.")


def test_people_without_phone_numbers_are_nobody() -> None:
    elsewhere = {**IDENTITY, "channel": "MESSENGER", "identity": "123456789"}
    for payload in (report(channel_identity=elsewhere), inbound(channel_identity=elsewhere), opt_out(channel="LINE")):
        assert not understood(payload).facts
        assert understood(payload).ignored


OF_USE = {"message_delivery_report", "message", "opt_out_notification"}


@pytest.mark.parametrize("key", sorted(TRIGGERS.keys() - OF_USE))
def test_other_kinds_are_of_no_use(key: str) -> None:
    assert understood({"app_id": "app-1", key: {}}).ignored


def test_a_kind_that_nobody_knows_yet_is_of_no_use() -> None:
    assert "batch_status_update" in understood({"app_id": "app-1", "batch_status_update_notification": {}}).ignored


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
        {"app_id": "app-1"},
        {"message": None},
        report(status=None),
        report(status="VANISHED"),
        report(channel_identity=None),
        report(channel_identity={**IDENTITY, "identity": "Ada"}),
        {"message_delivery_report": {"status": "DELIVERED", "channel_identity": IDENTITY}},
        inbound(channel_identity={}),
        opt_out(identity="Ada"),
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
inner_names = ["id", "message_id", "status", "channel_identity", "identity", "channel", "reason", "contact_message"]


@given(
    st.sampled_from([report(), inbound(), opt_out()]),
    st.dictionaries(st.sampled_from([*TRIGGERS, "event_time", "accepted_time", "correlation_id"]), json_values),
    st.dictionaries(st.sampled_from([*inner_names, "metadata", "accept_time", "sender_id", "direction"]), json_values),
)
def test_whatever_is_in_it_a_callback_is_understood_ignored_or_refused(
    payload: dict[str, Any], changes: dict[str, Any], inside: dict[str, Any]
) -> None:
    changed = {key: {**value, **inside} if isinstance(value, dict) else value for key, value in payload.items()}
    try:
        translation = understood({**changed, **changes})
    except CannotUnderstand as refusal:
        assert str(refusal)
    else:
        assert bool(translation.facts) != bool(translation.ignored)
        for fact in translation.facts:
            assert isinstance(fact, Report | Inbound | PersonFact)


@needs_samples
def test_every_sample_callback_of_sinch_is_understood_or_ignored() -> None:
    files = sorted((SAMPLES / "conversation_callbacks").glob("*.json"))
    assert len(files) == 25
    for path in files:
        translation = understood(path.read_bytes())
        assert translation.facts or translation.ignored, path.name


@needs_samples
@pytest.mark.parametrize(
    ("name", "key", "kind"),
    [
        ("MessageDeliveryReceiptEvent", "message_delivery_report", Report),
        ("MessageInboundEvent", "message", Inbound),
    ],
)
def test_sinchs_own_samples_are_understood_on_a_channel_of_phones(name: str, key: str, kind: type) -> None:
    payload = json.loads((SAMPLES / "conversation_callbacks" / f"{name}.json").read_text())
    payload[key] |= {"channel_identity": IDENTITY, "injected": False}
    assert only(payload, kind)


@needs_samples
def test_no_body_of_the_sms_api_breaks_anything() -> None:
    for path in sorted((SAMPLES / "sms_bodies").glob("*.json")):
        try:
            translation = understood(path.read_bytes())
        except CannotUnderstand as refusal:
            assert str(refusal).endswith("."), path.name
        else:
            assert translation.facts or translation.ignored, path.name
