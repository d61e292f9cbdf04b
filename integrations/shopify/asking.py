"""Asks the shop what its webhooks did not say: how many there are of an article, and which order lies ready.

Nothing is asked inside a transaction, and one shop that does not answer keeps no other waiting for long.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.engine import stock
from smsflow_plugin.engine.raising import Wanted, raise_events
from smsflow_plugin.events.facts import StockFact
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.documents import MOST, PART_OF_ORDER, VARIANTS, VARIANTS_OF_ITEM
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble
from smsflow_plugin.integrations.shopify.kept import Question, StockItem
from smsflow_plugin.integrations.shopify.parcels import pickup
from smsflow_plugin.models import Connection, Identity, Store

logger = logging.getLogger(__name__)

#: Questions to one shop in one go.
CLAIM = 100
#: Pauses between attempts; after the last one nobody needs the answer any more.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))
#: A worker that was killed lets go of its questions after this.
LEASE = timedelta(minutes=5)


def ask() -> int:
    """Ask one shop what is due; return how many questions that were. 0 means that none is due."""
    now = clock.now()
    first = (
        Question.objects.filter(not_before__lte=now, store__status=Store.Status.ACTIVE)
        .order_by("not_before", "pk")
        .values_list("store_id", flat=True)
        .first()
    )
    if first is None:
        return 0
    claimed = _claim(first, now)
    connection = Connection.objects.filter(store_id=first, kind="shopify", grant__isnull=False).first()
    if connection is None:
        Question.objects.filter(pk__in=[question.pk for question in claimed]).delete()
        return len(claimed)
    api = AdminApi(connection, patience=2.0)
    for kind, answer in ((Question.Kind.STOCK, _answer_stock), (Question.Kind.PICKUP, _answer_pickups)):
        own = [question for question in claimed if question.kind == kind]
        if own:
            try:
                answer(api, own, clock.now())
            except ShopifyTrouble as trouble:
                logger.info("%s did not answer: %s", connection.account, trouble)
                _put_off(own, again=trouble.again)
    return len(claimed)


@transaction.atomic
def _claim(store_id: int, now: datetime) -> list[Question]:
    rows = list(
        Question.objects.filter(store_id=store_id, not_before__lte=now)
        .order_by("not_before", "pk")
        .select_for_update(skip_locked=True)[:CLAIM]
    )
    Question.objects.filter(pk__in=[row.pk for row in rows]).update(not_before=now + LEASE)
    return rows


def _put_off(questions: Sequence[Question], *, again: bool = True) -> None:
    now = clock.now()
    for question in questions:
        if again and question.attempts < len(PAUSES):
            at = now + PAUSES[question.attempts]
            Question.objects.filter(pk=question.pk).update(attempts=question.attempts + 1, not_before=at)
        else:
            Question.objects.filter(pk=question.pk).delete()


def _done(questions: Sequence[Question]) -> None:
    # a word that came while we asked has made the question newer: it is asked again
    for question in questions:
        Question.objects.filter(pk=question.pk, at=question.at).delete()


# How many there are ------------------------------------------------------------------------------


def _answer_stock(api: AdminApi, questions: Sequence[Question], now: datetime) -> None:
    store_id = questions[0].store_id
    items = {question.about for question in questions}
    known = dict(StockItem.objects.filter(store_id=store_id, item_id__in=items).values_list("item_id", "variant_id"))
    nodes = list(_variants(api, sorted(set(known.values()))))
    for item in sorted(items - known.keys()):
        answer = api.ask(VARIANTS_OF_ITEM, id=f"gid://shopify/InventoryItem/{item}").get("inventoryItem") or {}
        nodes += (answer.get("variants") or {}).get("nodes") or []
    facts = [(store_id, fact) for node in nodes if (fact := _fact(node, now)) is not None]
    pairs = [(_number((node.get("inventoryItem") or {}).get("id")), _number(node.get("id"))) for node in nodes]
    new = [StockItem(store_id=store_id, item_id=i, variant_id=v) for i, v in pairs if i and v and i not in known]
    with transaction.atomic():
        stock.write(facts, now)
        StockItem.objects.bulk_create(new, ignore_conflicts=True)
        _done(questions)


def _variants(api: AdminApi, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), MOST):
        gids = [f"gid://shopify/ProductVariant/{pk}" for pk in ids[start : start + MOST]]
        yield from (node for node in api.ask(VARIANTS, ids=gids).get("nodes") or () if node)


def _fact(node: dict[str, Any], now: datetime) -> StockFact | None:
    variant_id, product = _number(node.get("id")), node.get("product") or {}
    if not variant_id:
        return None
    quantity = node.get("sellableOnlineQuantity")
    name = node.get("title")
    return StockFact(
        variant_id=variant_id,
        said_at=now,
        product_id=_number(product.get("id")) or None,
        title=product.get("title") or None,
        variant="" if name == "Default Title" else name,
        url=product.get("onlineStoreUrl") or None,
        price=node.get("price"),
        available=quantity if isinstance(quantity, int) else None,
        counted=(node.get("inventoryItem") or {}).get("tracked") is not False,
    )


# What can be picked up ---------------------------------------------------------------------------


def _answer_pickups(api: AdminApi, questions: Sequence[Question], now: datetime) -> None:
    for question in questions:
        if not question.answer:
            gid = f"gid://shopify/FulfillmentOrder/{question.about}"
            part = api.ask(PART_OF_ORDER, id=gid).get("fulfillmentOrder") or {}
            question.answer = _number(part.get("orderId"))
    unknown = [question for question in questions if not question.answer]
    _put_off(unknown, again=False)
    answered = [question for question in questions if question.answer]
    for question in answered:
        Question.objects.filter(pk=question.pk).update(answer=question.answer)
    if answered:
        _tell_pickups(answered, now)


@transaction.atomic
def _tell_pickups(questions: Sequence[Question], now: datetime) -> None:
    store_id = questions[0].store_id
    people = dict(
        Identity.objects.filter(
            store_id=store_id, kind="order", value__in={question.answer for question in questions}
        ).values_list("value", "contact_id")
    )
    wanted = []
    for question in questions:
        if question.answer in people:
            told = pickup(question.answer, question.about, question.at)
            wanted.append(Wanted(people[question.answer], told.key, told.occurred_at, told.subject, told.data))
    raise_events(store_id, "pickup_ready", wanted, now)
    _done([question for question in questions if question.answer in people])
    # the order may be heard of later than its parts
    _put_off([question for question in questions if question.answer not in people])


def _number(gid: Any) -> str:
    return str(gid or "").partition("?")[0].rpartition("/")[2]
