"""Is it Shopify who signed this?"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.integrations.shopify.headers import HMAC, TOPIC, shopify_header
from smsflow_plugin.integrations.shopify.verify import DEMO_SECRET, is_genuine, sign
from tests.shopify.webhooks import SHARED, needs_shared

#: Known answers from the tests of Shopify's own libraries (shopify-app-js and shopify_app, both MIT).
KNOWN_ANSWERS = [
    ("test_secret_key", b'{"foo": "bar"}', "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g="),
    ("secret", b"foo=anything", "yCGX/RrK4fcuNtr3ztk5tQGsOBjcAzHpGLdMUrbV8yI="),
    ("old_secret", b"foo=anything", "XqRcjrSv57VACn6apEO9znyu/wkN1VC7QxdSPwK3Hzs="),
]
SECRETS = st.text(min_size=1, max_size=20).filter(lambda secret: secret.isascii() and secret != DEMO_SECRET)


@pytest.mark.parametrize(("secret", "body", "signature"), KNOWN_ANSWERS)
def test_signatures_are_those_of_shopifys_own_libraries(secret: str, body: bytes, signature: str) -> None:
    assert sign(body, secret) == signature
    assert is_genuine(body, signature, secret=secret)
    assert is_genuine(body, signature, secret="the new one", previous_secret=secret)
    assert not is_genuine(body + b" ", signature, secret=secret)


@needs_shared
def test_every_known_answer_of_the_collection_verifies() -> None:
    vectors = json.loads((SHARED / "hmac_vectors.json").read_text())["shopify_webhook_base64_hmac_sha256_of_raw_body"]
    assert len(vectors) >= 3
    for vector in vectors:
        assert is_genuine(vector["body"].encode(), vector["hmac"], secret=vector["secret"]), vector["src"]


@given(st.binary(), SECRETS, SECRETS)
def test_only_the_current_and_the_previous_secret_open(body: bytes, secret: str, other: str) -> None:
    signature = sign(body, secret)
    assert is_genuine(body, signature, secret=secret)
    assert is_genuine(body, signature, secret=other, previous_secret=secret)
    assert is_genuine(body, signature, secret=other) == (other == secret)
    assert not is_genuine(body, signature, secret="")


@given(st.binary(), st.text())
def test_whatever_stands_in_the_header_is_compared_and_never_breaks(body: bytes, signature: str) -> None:
    assert is_genuine(body, signature, secret="s3cret") == (signature == sign(body, "s3cret"))


def test_no_secret_means_nobody_is_believed() -> None:
    assert not is_genuine(b"{}", sign(b"{}", ""), secret="")
    assert not is_genuine(b"{}", "", secret="", previous_secret="")


@pytest.mark.parametrize("previous", [False, True])
def test_the_demo_secret_counts_in_demos_only(previous: bool) -> None:
    secrets = {"secret": "real", "previous_secret": DEMO_SECRET} if previous else {"secret": DEMO_SECRET}
    signature = sign(b"{}", DEMO_SECRET)
    assert is_genuine(b"{}", signature, demo=True, **secrets)
    assert not is_genuine(b"{}", signature, demo=False, **secrets)


def test_the_demo_secret_opens_no_store_that_has_another() -> None:
    assert not is_genuine(b"{}", sign(b"{}", DEMO_SECRET), secret="real", demo=True)


def test_headers_are_read_in_both_spellings() -> None:
    assert shopify_header({"x-shopify-topic": "orders/paid"}, TOPIC) == "orders/paid"
    assert shopify_header({"shopify-hmac-sha256": " abc= "}, HMAC) == "abc="
    assert shopify_header({"x-shopify-topic": "", "shopify-topic": "orders/paid"}, TOPIC) == "orders/paid"
    assert shopify_header({}, TOPIC) == ""
