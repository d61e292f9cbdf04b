"""A callback is Sinch's, or it is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sinch import SinchClient

from smsflow_plugin.integrations.sinch.signature import BadSignature, signature, verify

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "hmac_vectors.json"
NOW = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def signed(body: bytes, *, secret: str = "s", nonce: str = "n", timestamp: str = STAMP) -> dict[str, str]:
    return {
        "x-sinch-webhook-signature": signature(secret, body, nonce=nonce, timestamp=timestamp),
        "x-sinch-webhook-signature-nonce": nonce,
        "x-sinch-webhook-signature-timestamp": timestamp,
        "x-sinch-webhook-signature-algorithm": "HmacSHA256",
    }


@pytest.mark.skipif(not VECTORS.is_file(), reason="The known answers are not on this machine.")
def test_sinchs_own_known_answers_verify() -> None:
    vectors = json.loads(VECTORS.read_text())["sinch_events_base64_hmac_sha256_of_body.nonce.timestamp"]
    assert vectors
    for vector in vectors:
        body, at = vector["body"].encode(), datetime.fromtimestamp(int(vector["timestamp"]), UTC)
        headers = signed(body, secret=vector["secret"], nonce=vector["nonce"], timestamp=vector["timestamp"])
        assert headers["x-sinch-webhook-signature"] == vector["signature"]
        verify(vector["secret"], headers, body, now=at)


@given(st.text(max_size=50), st.text("abcdefgh0123456789", min_size=1), st.text("secret", min_size=1))
def test_we_agree_with_the_sdk(body: str, nonce: str, secret: str) -> None:
    headers = signed(body.encode(), nonce=nonce, secret=secret)
    events = SinchClient(service_plan_id="p", sms_api_token="t", sms_region="us").sms.sinch_events(secret)
    assert events.validate_authentication_header(headers, body)
    verify(secret, headers, body.encode(), now=NOW)


def test_a_changed_byte_anywhere_is_noticed() -> None:
    body, headers = b'{"type": "mo_text"}', signed(b'{"type": "mo_text"}')
    verify("s", headers, body, now=NOW)
    with pytest.raises(BadSignature):
        verify("s", headers, body + b" ", now=NOW)
    with pytest.raises(BadSignature):
        verify("other", headers, body, now=NOW)
    for name in ("", "-nonce", "-timestamp"):
        changed = f"x-sinch-webhook-signature{name}"
        with pytest.raises(BadSignature):
            verify("s", {**headers, changed: headers[changed] + "1"}, body, now=NOW)
        with pytest.raises(BadSignature, match="not signed"):
            verify("s", {key: value for key, value in headers.items() if key != changed}, body, now=NOW)


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (299, True), (301, False), (-299, True), (-301, False)])
def test_a_signature_lives_five_minutes(age: int, fresh: bool) -> None:
    headers = signed(b"{}")
    if fresh:
        verify("s", headers, b"{}", now=NOW + timedelta(seconds=age))
    else:
        with pytest.raises(BadSignature, match="seconds ago"):
            verify("s", headers, b"{}", now=NOW + timedelta(seconds=age))


@pytest.mark.parametrize("timestamp", ["nan", "inf", "yesterday", "1e999", "ü"])
def test_a_time_that_is_none_is_refused_even_if_it_is_signed(timestamp: str) -> None:
    with pytest.raises(BadSignature):
        verify("s", signed(b"{}", timestamp=timestamp), b"{}", now=NOW)
