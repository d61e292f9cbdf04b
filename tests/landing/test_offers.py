"""Where the button leads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.landing.offers import handed_on, is_code, shop_address
from smsflow_plugin.messaging.addresses import host_of

SHOP = "https://sierra-gear.example"


@pytest.mark.parametrize(
    ("link", "code", "leads_to"),
    [
        ("", "", SHOP),
        ("", "SPRING20", f"{SHOP}/discount/SPRING20"),
        (f"{SHOP}/collections/tents?sort=new", "", f"{SHOP}/collections/tents?sort=new"),
        (
            f"{SHOP}/collections/tents?sort=new",
            "SPRING20",
            f"{SHOP}/discount/SPRING20?redirect=/collections/tents%3Fsort%3Dnew",
        ),
        (f"{SHOP}//evil.example/x", "C", f"{SHOP}/discount/C?redirect=/evil.example/x"),
        (f"{SHOP}////evil.example/x?a=1", "C", f"{SHOP}/discount/C?redirect=/evil.example/x%3Fa%3D1"),
        # an address with a backslash is nobody's: it is redeemed nowhere, and no store may lead to it
        (f"{SHOP}/\\evil.example/x", "C", f"{SHOP}/\\evil.example/x"),
        (f"{SHOP}///", "C", f"{SHOP}/discount/C"),
        (f"{SHOP}//evil.example/x", "", f"{SHOP}//evil.example/x"),
        (f"{SHOP}/discount/OTHER", "SPRING20", f"{SHOP}/discount/OTHER"),
        (f"{SHOP}/cart/1:2", "SPRING20", f"{SHOP}/cart/1:2?discount=SPRING20"),
        ("https://lookbook.example/a", "SPRING20", "https://lookbook.example/a"),
        ("https://sierra.myshopify.com/", "Å10", "https://sierra.myshopify.com/discount/%C3%8510"),
    ],
)
def test_where_the_button_leads(link: str, code: str, leads_to: str) -> None:
    assert shop_address(SHOP, link, code, website=SHOP) == leads_to


@given(st.text(max_size=70))
def test_no_code_leads_away_from_the_shop(code: str) -> None:
    if is_code(code):
        assert host_of(shop_address(SHOP, "", code, website=SHOP)) == ("sierra-gear.example", None)
    else:
        assert not code or len(code) > 60 or any(sign.isspace() or sign in '/?#%&<>"\\' for sign in code)


def test_only_campaign_tags_are_handed_on() -> None:
    query = {"utm_source": "smsflow", "utm_campaign": "x" * 999, "redirect": "https://evil.example", "utm_term": "a"}
    assert handed_on(query) == {"utm_source": "smsflow", "utm_campaign": "x" * 200}
