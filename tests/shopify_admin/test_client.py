"""What Shopify may answer to a question, and what we make of it."""

from __future__ import annotations

import pytest

from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.documents import SHOP, TAGS_ADD, VERSION, WEBHOOKS, Document
from smsflow_plugin.integrations.shopify.admin.errors import (
    BadDocument,
    NotGranted,
    Refused,
    Throttled,
    Unreachable,
    UserErrors,
)
from smsflow_plugin.integrations.shopify.admin.transport import Answer
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.models import Connection
from tests.shopify_admin.conftest import Shop, ok

pytestmark = pytest.mark.usefixtures("grant")

COST = {
    "cost": {
        "requestedQueryCost": 300,
        "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 100, "restoreRate": 100.0},
    }
}
THROTTLED = Answer(
    200, {}, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": COST}
)


def failed(code: str) -> Answer:
    return Answer(200, {}, {"errors": [{"message": "No.", "extensions": {"code": code}}]})


def test_a_question_goes_to_the_shop_with_its_token_and_the_version(shop: Shop, connection: Connection) -> None:
    shop.says(ok(shop={"name": "Sierra Gear"}))
    assert AdminApi(connection).ask(SHOP) == {"shop": {"name": "Sierra Gear"}}
    [(url, body, headers)] = shop.asked
    assert url == f"https://sierra-gear.myshopify.com/admin/api/{VERSION}/graphql.json"
    assert headers["X-Shopify-Access-Token"] == "token-1"
    assert body == {"query": SHOP.text, "variables": {}, "operationName": "Shop"}


def test_throttling_is_waited_out_as_long_as_shopify_says(
    shop: Shop, connection: Connection, naps: list[float]
) -> None:
    shop.says(THROTTLED, ok(shop={}))
    assert AdminApi(connection).ask(SHOP) == {"shop": {}}
    assert sum(naps) >= 2.0  # 200 points are missing, 100 come back every second


def test_who_has_no_patience_is_told_how_long_it_takes(shop: Shop, connection: Connection, naps: list[float]) -> None:
    shop.says(THROTTLED)
    with pytest.raises(Throttled) as caught:
        AdminApi(connection, patience=1.5).ask(SHOP)
    assert caught.value.wait == pytest.approx(2.0) and caught.value.again and naps == []


def test_a_bucket_that_is_nearly_empty_is_not_asked(shop: Shop, connection: Connection, naps: list[float]) -> None:
    shop.says(Answer(200, {}, {"data": {"shop": {}}, "extensions": COST}))
    api = AdminApi(connection)
    api.ask(SHOP)
    api.ask(Document("Dear", "{ shop { id } }", cost=300))
    # 300 points and the reserve of 200 for others, with 100 there
    assert naps == [pytest.approx(4.0, abs=0.2)]


def test_what_a_mutation_did_not_do_is_an_error(shop: Shop, connection: Connection) -> None:
    error = {"field": ["input", "phone"], "message": "Phone is taken", "code": "TAKEN"}
    shop.says(ok(tagsAdd={"node": None, "userErrors": [error]}))
    with pytest.raises(UserErrors, match="Phone is taken") as caught:
        AdminApi(connection).ask(TAGS_ADD, id="gid://shopify/Customer/1", tags=["vip"])
    assert caught.value.errors[0].field == "input.phone" and caught.value.codes == {"TAKEN"}


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Answer(500, {}, None), Unreachable),
        (Answer(502, {}, None), Unreachable),
        (Answer(200, {}, None), Unreachable),
        (Answer(301, {}, None), Unreachable),
        (Answer(200, {}, {"data": None}), Unreachable),
        (failed("INTERNAL_SERVER_ERROR"), Unreachable),
        (failed("ACCESS_DENIED"), NotGranted),
        (Answer(200, {}, {"errors": [{"message": "Field 'x' doesn't exist"}]}), BadDocument),
        (Answer(200, {}, {"errors": "[API] Invalid"}), BadDocument),
        (Answer(402, {}, None), Refused),
        (Answer(423, {}, None), Refused),
        (Unreachable("no"), Unreachable),
    ],
)  # fmt: skip
def test_each_kind_of_trouble_has_its_name(
    shop: Shop, connection: Connection, answer: Answer | Exception, trouble: type[Exception]
) -> None:
    # the token is the same after a renewal, so that a refusal stands
    renewed = {"access_token": "token-1", "expires_in": 3600, "refresh_token": "refresh-2"}
    if trouble is Refused:
        shop.says(answer, Answer(200, {}, renewed))
    else:
        shop.says(answer)
    with pytest.raises(trouble) as caught:
        AdminApi(connection).ask(SHOP)
    assert str(caught.value)


def test_a_scope_that_is_missing_is_not_asked_for(shop: Shop, connection: Connection) -> None:
    with pytest.raises(NotGranted, match="write_discounts"):
        AdminApi(connection).ask(Document("D", "{ shop { id } }", scopes=("write_discounts", "read_customers")))
    assert shop.asked == []


def test_a_token_that_another_worker_has_renewed_meanwhile_is_taken(
    shop: Shop, connection: Connection, grant: Grant
) -> None:
    def refuse(body: object, headers: object) -> Answer:
        Grant.objects.filter(pk=grant.pk).update(secrets={"access_token": "token-2", "refresh_token": "refresh-2"})
        return Answer(401, {}, None)

    shop.says(refuse, ok(shop={}))
    AdminApi(connection).ask(SHOP)
    assert shop.asked[1][2]["X-Shopify-Access-Token"] == "token-2"
    grant.refresh_from_db()
    assert grant.broken_at is None


def test_a_token_that_is_refused_is_renewed_once_and_then_given_up(
    shop: Shop, connection: Connection, grant: Grant
) -> None:
    renewed = Answer(200, {}, {"access_token": "token-2", "expires_in": 3600, "refresh_token": "refresh-2"})
    shop.says(Answer(401, {}, None), renewed, Answer(401, {}, None))
    with pytest.raises(Refused):
        AdminApi(connection).ask(SHOP)
    assert len(shop.asked) == 3
    grant.refresh_from_db()
    assert grant.broken_at is not None and "not valid" in grant.broken_because
    with pytest.raises(Refused):
        AdminApi(connection).ask(SHOP)
    assert len(shop.asked) == 3  # nobody is asked any more


def test_all_pages_are_read(shop: Shop, connection: Connection) -> None:
    def page(*ids: int, more: bool) -> Answer:
        info = {"hasNextPage": more, "endCursor": str(ids[-1])}
        return ok(webhookSubscriptions={"nodes": [{"id": pk} for pk in ids], "pageInfo": info})

    shop.says(page(1, 2, more=True), page(3, more=False))
    pages = list(AdminApi(connection).pages(WEBHOOKS, "webhookSubscriptions"))
    assert [node["id"] for page in pages for node in page] == [1, 2, 3]
    assert [body["variables"]["after"] for _url, body, _headers in shop.asked] == [None, "2"]
