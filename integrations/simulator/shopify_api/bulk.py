"""Bulk operations at work: pages of the query, executed in a thread, become lines of a file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import IO

from graphql import GraphQLError, execute

from smsflow_plugin.integrations.simulator.network.storage import Database
from smsflow_plugin.integrations.simulator.shopify_api import letters
from smsflow_plugin.integrations.simulator.shopify_api.asking import Asking, BulkPage
from smsflow_plugin.integrations.simulator.shopify_api.bulk_query import BulkQuery, lines, nodes_of, read
from smsflow_plugin.integrations.simulator.shopify_api.projecting import NotUnderstood, projection
from smsflow_plugin.integrations.simulator.shopify_api.schema import admin_schema
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc, Things
from smsflow_plugin.integrations.simulator.shopify_api.values import iso

PAGE = 500


class Refused(Exception):
    """The operation ends with this error code."""


class Bulk:
    """:param ask: returns what is asked with, as if the operation's app asked now.

    :param folder: where the files go; a temporary one if None.
    :param seconds: how long an operation runs at least.
    """

    def __init__(
        self,
        database: Database,
        ask: Callable[[int, Doc], Asking | None],
        *,
        now: Callable[[], float],
        folder: Path | None = None,
        seconds: float = 0.0,
    ) -> None:
        self._database = database
        self._ask = ask
        self._now = now
        self.seconds = seconds
        self._temporary = tempfile.TemporaryDirectory(prefix="shopify-bulk-") if folder is None else None
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self.url = ""
        self._stopping = Event()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="shopify-bulk")

    def start(self) -> None:
        """Begin anew what was cut off."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._database.transaction() as sql:
            open_ones = sql.execute(
                "SELECT shop, id FROM things WHERE kind = 'bulk' AND state IN ('created', 'running', 'canceling')"
            ).fetchall()
        for row in open_ones:
            self.begin(row["shop"], row["id"])

    def stop(self) -> None:
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._temporary is not None:
            self._temporary.cleanup()

    def begin(self, shop: int, number: int) -> None:
        self._pool.submit(self._run, Things(self._database, shop), number)

    def path(self, number: int) -> Path:
        return self.folder / f"{number}.jsonl"

    def _run(self, things: Things, number: int) -> None:
        operation = things.get("bulk", number)
        ask = self._ask(things.shop, operation) if operation else None
        if operation is None or ask is None:
            return
        try:
            self._stopping.wait(self.seconds)
            if self._state(things, number) == "CANCELING":
                self._end(ask, number, "CANCELED")
                return
            self._note(things, number, status="RUNNING")
            self._write(ask, number, read(operation["query"], admin_schema()), grouped=operation["grouped"])
        except Refused as refused:
            self._end(ask, number, "FAILED", error=str(refused))
        except Exception:
            if not self._stopping.is_set():
                self._end(ask, number, "FAILED", error="INTERNAL_SERVER_ERROR")
            raise

    def _write(self, ask: Asking, number: int, query: BulkQuery, *, grouped: bool) -> None:
        objects = roots = 0
        with self.path(number).open("w", encoding="utf-8") as file:
            for page in self._pages(ask, query):
                if self._stopping.is_set():
                    return
                written = self._write_page(file, page, grouped=grouped)
                objects, roots = objects + written, roots + len(nodes_of(page))
                self._note(ask.things, number, objectCount=str(objects), rootObjectCount=str(roots))
                if self._state(ask.things, number) == "CANCELING":
                    self._end(ask, number, "CANCELED", objects=objects)
                    return
        self._end(ask, number, "COMPLETED", objects=objects)

    def _write_page(self, file: IO[str], page: Doc, *, grouped: bool) -> int:
        written = 0
        for line in lines(page, grouped=grouped):
            file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
            written += 1
        return written

    def _pages(self, ask: Asking, query: BulkQuery) -> Iterator[Doc]:
        page = _executed(ask, query)
        after: str | None = None
        while True:
            ask.bulk = BulkPage(PAGE, after)
            try:
                found = page().get(query.top)
            except GraphQLError as error:
                code = (error.extensions or {}).get("code")
                raise Refused(code if code == "ACCESS_DENIED" else "INTERNAL_SERVER_ERROR") from error
            if found is None:
                return
            yield found
            after = ask.bulk.next
            if after is None:
                return

    def _state(self, things: Things, number: int) -> str:
        found = things.get("bulk", number)
        return str(found["status"]) if found else "CANCELING"

    def _note(self, things: Things, number: int, **changes: object) -> Doc | None:
        with self._database.transaction():
            found = things.get("bulk", number)
            if found is None:
                return None
            if found["status"] == "CANCELING" and changes.get("status") == "RUNNING":
                changes = {}
            found |= changes
            things.put("bulk", found)
            return found

    def _end(self, ask: Asking, number: int, status: str, *, objects: int = 0, error: str | None = None) -> None:
        path = self.path(number)
        size = path.stat().st_size if path.exists() else 0
        url = f"{self.url}/shopify/{ask.shop['domain']}/bulk/{number}.jsonl" if objects else None
        whole = status == "COMPLETED"
        done = self._note(
            ask.things,
            number,
            status=status,
            errorCode=error,
            completedAt=iso(self._now()) if status != "CANCELED" else None,
            fileSize=str(size) if objects else None,
            url=url if whole else None,
            partialDataUrl=None if whole else url,
        )
        if done is not None:
            ask.emit("bulk_operations/finish", letters.bulk_finished(ask.shop, done))


def _executed(ask: Asking, query: BulkQuery) -> Callable[[], Doc]:
    """Return what executes the query once; it raises the first ``GraphQLError``."""
    try:
        return projection(admin_schema(), query.document, ask)
    except NotUnderstood:
        return lambda: _by_the_book(ask, query)


def _by_the_book(ask: Asking, query: BulkQuery) -> Doc:
    result = execute(admin_schema(), query.document, context_value=ask)
    if result.errors:
        raise result.errors[0]
    return result.data or {}
