"""The ingest pump: reads the inbox and writes down what it says.

Claims pending deliveries, lets their translators say which facts they hold, finds the
people, and writes consent, events, enrollments and message states in bulk, in one
transaction. A delivery that makes no sense is parked with the reason; one that breaks
the batch is found by taking the batch apart, and parked as well. Nothing is dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, OperationalError, transaction
from django.utils.module_loading import import_string

from smsflow_plugin import bulk, clock
from smsflow_plugin.attribution import crediting, reactions
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine import offers, operator_words, stock, writing
from smsflow_plugin.engine.inbound import sender_of
from smsflow_plugin.engine.people import Collision
from smsflow_plugin.events import words
from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Inbound,
    PersonFact,
    RawDelivery,
    Report,
    StockFact,
    StoreGone,
    StoreInfo,
    StoreWord,
    Translation,
)
from smsflow_plugin.events.models import Delivery
from smsflow_plugin.messaging import failed
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.reports import Moved, apply_reports
from smsflow_plugin.stores.models import Connection, Store

logger = logging.getLogger(__name__)

#: How often a batch is run again because another worker created the same people.
TRIES = 4


@dataclass
class Sorted:
    """The facts of a batch, by what has to be done with them."""

    people: list[writing.Entry] = field(default_factory=list)
    reports: list[tuple[int, Report]] = field(default_factory=list)
    stock: list[tuple[int, StockFact]] = field(default_factory=list)
    gone: list[tuple[int, StoreGone]] = field(default_factory=list)
    words: list[tuple[int, StoreWord]] = field(default_factory=list)
    verdicts: list[tuple[int, str, str]] = field(default_factory=list)


def ingest(limit: int | None = None) -> int:
    """Handle one batch of pending deliveries; return how many. 0 means that the inbox is empty."""
    limit = limit or smsflow_settings.BATCH_SIZE
    for again in range(TRIES - 1, -1, -1):
        try:
            return _ingest_batch(limit)
        except (Collision, IntegrityError):
            logger.info("Another worker created the same people; trying again.")
        except OperationalError:
            # a deadlock with another worker, or a lock on SQLite: both pass
            if not again:
                raise
        except Exception:
            logger.exception("A batch of deliveries failed; taking them one by one.")
            break
    return _ingest_singly(limit)


def ingest_now(store_id: int, source: str, external_id: str) -> None:
    """Handle one delivery at once, for somebody who waits to see what came of it.

    What another worker has taken already, or what cannot be done now, is left to the pump.
    """
    try:
        with transaction.atomic():
            rows = list(
                Delivery.objects.filter(
                    store_id=store_id, source=source, external_id=external_id, state=Delivery.State.PENDING
                ).select_for_update(skip_locked=True)
            )
            if rows:
                _handle(rows, clock.now())
    except (Collision, IntegrityError, OperationalError):
        logger.info("A delivery of %s is left to the pump.", source)


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """Let the source's translator read a delivery.

    :raises CannotUnderstand: with a sentence for a person, whatever went wrong.
    """
    path = smsflow_settings.TRANSLATORS.get(raw.source)
    if path is None:
        raise CannotUnderstand(f"Nobody here understands deliveries from {raw.source}.")
    try:
        translation: Translation = import_string(path)(raw, store)
    except CannotUnderstand:
        raise
    except Exception as error:
        logger.exception("The translator of %s failed on %s.", raw.source, raw.topic)
        raise CannotUnderstand(f"Reading it failed: {type(error).__name__}: {error}") from error
    return translation


def _ingest_batch(limit: int) -> int:
    with transaction.atomic():
        rows = list(
            Delivery.objects.filter(state=Delivery.State.PENDING)
            .order_by("pk")
            .select_for_update(skip_locked=True)[:limit]
        )
        if rows:
            _handle(rows, clock.now())
        return len(rows)


def _ingest_singly(limit: int) -> int:
    ids = list(
        Delivery.objects.filter(state=Delivery.State.PENDING).order_by("pk").values_list("pk", flat=True)[:limit]
    )
    for pk in ids:
        try:
            with transaction.atomic():
                rows = list(
                    Delivery.objects.filter(pk=pk, state=Delivery.State.PENDING).select_for_update(skip_locked=True)
                )
                if rows:
                    _handle(rows, clock.now())
        except (OperationalError, Collision, Moved):
            raise
        except Exception as error:
            logger.exception("Delivery %s could not be handled and is parked.", pk)
            reason = f"Handling it failed: {type(error).__name__}: {error}"[:2000]
            Delivery.objects.filter(pk=pk, state=Delivery.State.PENDING).update(
                state=Delivery.State.PARKED, reason=reason.replace("\x00", ""), processed_at=clock.now()
            )
    return len(ids)


def _handle(rows: Sequence[Delivery], now: datetime) -> None:
    stores = {store.pk: store for store in Store.objects.filter(pk__in={row.store_id for row in rows})}
    batch = _sort(rows, stores, _connected(rows))
    # variants before contacts, as in every pump: so two workers never wait for each other
    stock.write(batch.stock, now)
    batch.people += operator_words.opt_outs(batch.reports, now)
    reported = crediting.reported_people([(pk, report.to) for pk, report in batch.reports], stores)
    written = writing.write_people(batch.people, stores, now, also=reported)
    operator_words.alive([(entry.store_id, entry.inbound) for entry in batch.people if entry.inbound], now)
    changed = apply_reports(batch.reports, now)
    reactions.write(written.events, stores)
    failed.tell([pk for pk, _contact_id, state in changed if state is Message.State.FAILED], now)
    crediting.delivered([pk for pk, _contact_id, _state in changed], stores, offers.gifts)
    writing.close_stores(batch.gone)
    words.tell(batch.words, now)
    bulk.update(
        Delivery,
        ("state", "reason", "processed_at"),
        [(pk, state, reason, now) for pk, state, reason in batch.verdicts],
    )


def _connected(rows: Sequence[Delivery]) -> dict[tuple[int, str], datetime]:
    """Return since when the sources of these deliveries are connected."""
    found = Connection.objects.filter(
        store_id__in={row.store_id for row in rows}, kind__in={row.source for row in rows}
    ).values_list("store_id", "kind", "connected_at")
    return {(store_id, kind): at for store_id, kind, at in found}


def _sort(rows: Sequence[Delivery], stores: dict[int, Store], connected: dict[tuple[int, str], datetime]) -> Sorted:
    batch = Sorted()
    for row in rows:
        store = stores[row.store_id]
        info = StoreInfo(
            store.country,
            store.timezone,
            store.language,
            store.currency,
            gone=store.status == Store.Status.UNINSTALLED,
            connected_at=connected.get((row.store_id, row.source)),
        )
        try:
            translation = translate(_raw(row), info)
        except CannotUnderstand as error:
            batch.verdicts.append((row.pk, Delivery.State.PARKED.value, str(error)[:2000]))
            continue
        for fact in translation.facts:
            match fact:
                case PersonFact():
                    batch.people.append(writing.Entry(row.pk, store.pk, fact))
                case Inbound():
                    batch.people.append(writing.Entry(row.pk, store.pk, sender_of(fact), inbound=fact))
                case Report():
                    batch.reports.append((store.pk, fact))
                case StockFact():
                    batch.stock.append((store.pk, fact))
                case StoreGone():
                    batch.gone.append((store.pk, fact))
                case StoreWord():
                    batch.words.append((store.pk, fact))
        state = Delivery.State.DONE if translation.facts else Delivery.State.IGNORED
        batch.verdicts.append((row.pk, state.value, translation.ignored))
    return batch


def _raw(row: Delivery) -> RawDelivery:
    # PostgreSQL stores no NUL in text, and nobody means one
    body = bytes(row.body).replace(rb"\u0000", b"")
    return RawDelivery(row.source, row.topic, row.external_id, row.headers, body, row.received_at)
