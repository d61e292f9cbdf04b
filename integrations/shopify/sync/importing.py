"""The pump that imports a shop's history: asks Shopify to prepare it, and reads the file as a stream.

Customers come first, so that orders find whose they are. A chunk is written in the transaction that says how far the
file was read, so a worker that is killed is followed by one that goes on at the next byte.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import time as wall_time
from zoneinfo import ZoneInfo

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.engine.people import Collision
from smsflow_plugin.integrations.shopify.admin import documents
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.documents import Document
from smsflow_plugin.integrations.shopify.admin.errors import ShopifyTrouble, Throttled, Unreachable, UserErrors
from smsflow_plugin.integrations.shopify.sync import backfill, comparing, gathering, leases, stream, waking
from smsflow_plugin.integrations.shopify.sync.models import ImportRun, Resource
from smsflow_plugin.models import Store

logger = logging.getLogger(__name__)

#: Seconds that a worker reads on before others have their turn.
TIME_BUDGET = 20.0
#: How often Shopify is asked whether it is ready, and when a broken connection is tried again.
POLL, AGAIN = timedelta(seconds=10), timedelta(seconds=15)
#: Broken connections in a row after which a person must look.
MOST_FAILURES = 40
#: How often a chunk is written again because another worker wrote the same people.
TRIES = 5
PATIENCE = 5.0
#: Shopify prepares something else for this app.
BUSY = timedelta(minutes=1)
_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})

State = ImportRun.State


class Failed(Exception):
    """It cannot go on; the message says why."""


def bulk_orders(since: datetime | None) -> Document:
    """Return the bulk query for orders, of all time or since a moment."""
    document = documents.BULK_ORDERS
    if since is None:
        return document
    wanted = f"orders(query: \"created_at:>='{since.strftime('%Y-%m-%dT%H:%M:%SZ')}'\")"
    text = document.text.replace("{ orders {", f"{{ {wanted} {{", 1)
    return Document(document.name, text, document.cost, document.scopes)


def import_history() -> int:
    """Go on with one import that is due, as far as the time goes; return 1 if there was one."""
    now = clock.now()
    active = ImportRun.objects.filter(state__in=ImportRun.ACTIVE, store__status=Store.Status.ACTIVE)
    run = leases.take(active, now)
    if run is None:
        return _cancel_at_shopify()
    try:
        next_at = _go_on(run)
        leases.give_back(run, next_at)
    except leases.Lost:
        logger.info("The import %s was taken over or cancelled.", run.pk)
    except Throttled as slow:
        leases.give_back(run, now + timedelta(seconds=max(slow.wait, 10.0)))
    except Unreachable as trouble:
        _try_again(run, str(trouble))
    except UserErrors as trouble:
        if trouble.codes & _BUSY:
            leases.give_back(run, now + BUSY, trouble=str(trouble)[:300])
        else:
            _stop(run, State.FAILED, str(trouble))
    except (ShopifyTrouble, Failed) as trouble:
        _stop(run, State.FAILED, str(trouble))
    except (OperationalError, IntegrityError, Collision):
        logger.exception("A chunk of the import %s could not be written.", run.pk)
        _try_again(run, _("The database was busy."))
    except Exception:
        logger.exception("The import %s failed.", run.pk)
        _try_again(run, _("Something went wrong that nobody has foreseen. The log has it."))
    return 1


def _cancel_at_shopify() -> int:
    """Tell Shopify of one cancelled import that nobody will read its file; return 1 if there was one."""
    cancelled = ImportRun.objects.filter(state=State.CANCELLED).exclude(operation="")
    run = cancelled.select_related("connection").first()
    # one that is told twice, or never, does no harm
    if run is None or not cancelled.filter(pk=run.pk).update(operation="", url=""):
        return 0
    try:
        AdminApi(run.connection, patience=PATIENCE).ask(documents.BULK_CANCEL, id=run.operation)
    except ShopifyTrouble as trouble:
        logger.info("Shopify was not told that the import %s is cancelled: %s", run.pk, trouble)
    return 1


def bulk_finished(store_id: int, operation: str, status: str = "") -> bool:
    """Look at once: Shopify says that a bulk operation has ended. Return whether it is one of ours.

    How it ended is asked for then, whatever ``status`` says.
    """
    waiting = ImportRun.objects.filter(store_id=store_id, operation=operation, state=State.PREPARING)
    ours = bool(waiting.update(next_at=clock.now()))
    if ours:
        waking.wake("import")
    return ours


def _go_on(run: ImportRun) -> datetime:
    """Return when to look again."""
    if run.state == State.QUEUED:
        _ask_shopify(run)
        return clock.now() + POLL
    if run.state == State.PREPARING and not _is_ready(run):
        return clock.now() + POLL
    if run.state == State.READING and _read(run):
        return _next_phase(run)
    # an address that has ended is asked for anew in a while
    return clock.now() + (POLL if run.state == State.PREPARING else timedelta())


def _ask_shopify(run: ImportRun) -> None:
    document = documents.BULK_CUSTOMERS if run.phase == Resource.CUSTOMERS else bulk_orders(_since(run))
    asking = replace(documents.BULK_RUN, scopes=document.scopes)
    began_at = clock.now()
    # a worker that is killed now has Shopify prepare it for nobody: it may do so five times at once
    answer = AdminApi(run.connection, patience=PATIENCE).ask(asking, query=document.text)
    operation = answer["bulkOperationRunQuery"]["bulkOperation"]["id"]
    leases.keep(run, state=State.PREPARING, operation=operation, snapshot_at=began_at)


def _since(run: ImportRun) -> datetime | None:
    if run.orders_since is None:
        return None
    return datetime.combine(run.orders_since, wall_time(0), ZoneInfo(run.store.timezone)).astimezone(ZoneInfo("UTC"))


def _is_ready(run: ImportRun) -> bool:
    found = AdminApi(run.connection, patience=PATIENCE).ask(documents.BULK_STATUS, id=run.operation)["bulkOperation"]
    status = str((found or {}).get("status"))
    count = int((found or {}).get("objectCount") or 0)
    if status in ("CREATED", "RUNNING", "CANCELING"):
        leases.keep(run, objects_count=count, failures=0)
        return False
    if status != "COMPLETED":
        why = str((found or {}).get("errorCode") or status).replace("_", " ").lower()
        raise Failed(_("Shopify did not finish: %(why)s.") % {"why": why})
    size, url = int(found.get("fileSize") or 0), str(found.get("url") or "")
    # failures stay: an address that leads nowhere is new each time, and only what is read from it shows that it works
    leases.keep(run, state=State.READING, url=url, size=size, objects_count=count)
    return True


def _read(run: ImportRun) -> bool:
    """Read on until the time is up; return whether this file is at its end."""
    if not run.url:
        if run.offset or run.objects_count:
            raise Failed(_("The file is gone."))  # after a week; what was not read is not imported
        return True  # Shopify makes no file of nothing
    history = backfill.History(
        run.store, comparing.state_of(run.connection).since, run.created_at, start_flows=run.start_flows
    )
    end = time.monotonic() + TIME_BUDGET
    try:
        for chunk in gathering.chunks(stream.lines(run.url, run.offset, run.size)):
            _write(run, chunk, history)
            if time.monotonic() >= end:
                return False
    except stream.Gone:
        # addresses end after a week; Shopify gives another
        leases.keep(run, state=State.PREPARING, url="")
        if run.failures >= MOST_FAILURES:
            raise Failed(_("The file is gone.")) from None
        leases.keep(run, failures=run.failures + 1)
        return False
    if run.offset < run.size:
        raise Unreachable(_("The file broke off."))
    return True


def _write(run: ImportRun, chunk: gathering.Chunk, history: backfill.History) -> None:
    for again in range(TRIES - 1, -1, -1):
        try:
            with transaction.atomic():
                # first of all: whoever cancels waits for this, or this ends here
                leases.keep(run, offset=chunk.end, lines=run.lines + chunk.lines, failures=0, trouble="")
                found = backfill.write(run.phase, chunk, history, clock.now())
                report = Counter(run.report)
                report.update(found)
                leases.keep(run, report={name: count for name, count in sorted(report.items()) if count})
            return
        except (Collision, IntegrityError, OperationalError):
            run.refresh_from_db(fields=["offset", "lines", "report"])
            if not again:
                raise


def _next_phase(run: ImportRun) -> datetime:
    now = clock.now()
    if run.phase == Resource.CUSTOMERS and run.with_orders:
        fresh = {"operation": "", "url": "", "size": 0, "objects_count": 0, "offset": 0, "lines": 0, "failures": 0}
        leases.keep(run, state=State.QUEUED, phase=Resource.ORDERS.value, **fresh)
    else:
        leases.keep(run, state=State.DONE, url="", finished_at=now, trouble="")
    return now


def _try_again(run: ImportRun, trouble: str) -> None:
    failures = ImportRun.objects.filter(pk=run.pk).values_list("failures", flat=True).first() or 0
    if failures + 1 >= MOST_FAILURES:
        _stop(run, State.FAILED, trouble)
        return
    leases.give_back(run, clock.now() + AGAIN, failures=failures + 1, trouble=trouble[:300])


def _stop(run: ImportRun, state: str, trouble: str) -> None:
    now = clock.now()
    leases.give_back(run, now, state=state, trouble=trouble[:300], finished_at=now)
