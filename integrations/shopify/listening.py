"""What becomes of words about the shop itself. Called inside the transaction of the ingest pump; asks nobody outside.

Every word may come twice, late, and in any order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from smsflow_plugin import bulk
from smsflow_plugin.events import words
from smsflow_plugin.events.facts import StoreWord
from smsflow_plugin.integrations.shopify import privacy
from smsflow_plugin.integrations.shopify.kept import AnonymousCart, Question, StockItem
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.models import Connection, Store

Said = Sequence[tuple[int, StoreWord]]

#: Called with (store id, GID of the operation, its status) when a bulk operation has ended. It may come twice, and
#: never: whoever waits for one asks for its state as well.
_on_bulk_finished: list[Callable[[int, str, str], None]] = []


def on_bulk_finished(listener: Callable[[int, str, str], None]) -> None:
    """Call ``listener(store_id, gid, status)`` whenever a bulk operation of a shop has ended."""
    if listener not in _on_bulk_finished:
        _on_bulk_finished.append(listener)


def listen() -> None:
    """Listen for everything that this adapter says to itself."""
    words.listen("cart", keep_carts)
    words.listen("stock_items", keep_items)
    words.listen("stock_changed", ask_for_stock)
    words.listen("pickup_ready", ask_for_order)
    words.listen("scopes_changed", take_scopes)
    words.listen("shop_changed", take_settings)
    words.listen("bulk_finished", hand_on_bulk)
    words.listen("compliance", privacy.note_requests)


def keep_carts(said: Said, now: datetime) -> None:
    """Keep carts until somebody says whose they are. One statement."""
    rows = {
        (store_id, word.data["key"]): (store_id, word.data["token"], word.data["key"], word.at, word.data["cart"], now)
        for store_id, word in said
    }
    columns = ("store_id", "token", "key", "at", "cart", "stored_at")
    bulk.insert(AnonymousCart, columns, [rows[key] for key in sorted(rows)])


def keep_items(said: Said, now: datetime) -> None:
    """Remember which variant an article is. Products are talked about all the time: mostly nothing is written."""
    pairs = {(store_id, item[:40]): v[:40] for store_id, word in said for item, v in word.data["items"].items()}
    known = StockItem.objects.filter(
        store_id__in={store_id for store_id, _item in pairs}, item_id__in={item for _store, item in pairs}
    )
    for pk, store_id, item, variant in list(known.values_list("pk", "store_id", "item_id", "variant_id")):
        wanted = pairs.pop((store_id, item), variant)
        if wanted != variant:  # never seen, but nothing forbids it
            StockItem.objects.filter(pk=pk).update(variant_id=wanted)
    bulk.insert(StockItem, ("store_id", "item_id", "variant_id"), [(*key, v) for key, v in sorted(pairs.items())])


def ask_for_stock(said: Said, now: datetime) -> None:
    _ask(Question.Kind.STOCK, [(store_id, word.data["item"], word.at) for store_id, word in said], now)


def ask_for_order(said: Said, now: datetime) -> None:
    _ask(Question.Kind.PICKUP, [(store_id, word.data["part"], word.at) for store_id, word in said], now)


def _ask(kind: Question.Kind, about: Sequence[tuple[int, str, datetime]], now: datetime) -> None:
    """Write down what has to be asked; shops without a token cannot be."""
    able = set(
        Grant.objects.filter(connection__store_id__in={store_id for store_id, *_rest in about}).values_list(
            "connection__store_id", flat=True
        )
    )
    ordered = sorted(about, key=lambda row: row[2])
    wanted = {(store_id, what[:80]): at for store_id, what, at in ordered if store_id in able}
    rows = [(store_id, kind.value, what, at, now) for (store_id, what), at in sorted(wanted.items())]
    bulk.insert(Question, ("store_id", "kind", "about", "at", "not_before"), rows)
    # one that is being asked just now is asked again: what is answered may be older than this
    asked = Question.objects.filter(
        kind=kind, store_id__in={store_id for store_id, _what in wanted}, about__in={what for _store, what in wanted}
    ).values_list("pk", "store_id", "about", "at")
    newer = [(pk, at, now) for pk, *key, known in asked if (at := wanted.get((key[0], key[1]))) and at > known]
    bulk.update(Question, ("at", "not_before"), sorted(newer))


def take_scopes(said: Said, now: datetime) -> None:
    """Know what a shop grants now. What is older than what we were given last is no news."""
    for store_id, word in said:
        Grant.objects.filter(connection__store_id=store_id, connection__kind="shopify", granted_at__lte=word.at).update(
            scopes=list(word.data["scopes"]), granted_at=word.at
        )


def take_settings(said: Said, now: datetime) -> None:
    """Follow the shop's time zone and currency where they have changed there.

    Somebody may have set the store up otherwise on purpose: so what Shopify says is only remembered
    at first, and followed when it says something else than before.
    """
    by_store: dict[int, list[StoreWord]] = defaultdict(list)
    for store_id, word in said:
        by_store[store_id].append(word)
    for store_id, ordered in sorted(by_store.items()):
        connection = Connection.objects.select_for_update().filter(store_id=store_id, kind="shopify").first()
        if connection is not None:
            for word in ordered:
                _follow(connection, word)


def _follow(connection: Connection, word: StoreWord) -> None:
    known: dict[str, Any] = connection.settings.get("shop") or {}
    if str(known.get("at") or "") > word.at.isoformat():
        return
    said = {name: value for name, value in word.data.items() if _makes_sense(name, value)}
    changed = {name: value for name, value in said.items() if name in known and known[name] != value}
    connection.settings = {**connection.settings, "shop": {**known, **said, "at": word.at.isoformat()}}
    connection.save(update_fields=["settings"])
    if changed:
        Store.objects.filter(pk=connection.store_id).update(**changed)


def _makes_sense(name: str, value: Any) -> bool:
    if name == "timezone":
        return value in available_timezones()
    return name == "currency" and len(value) == 3 and value.isascii() and value.isalpha()


def hand_on_bulk(said: Said, now: datetime) -> None:
    for store_id, word in said:
        for listener in tuple(_on_bulk_finished):
            listener(store_id, word.data["gid"], word.data["status"])
