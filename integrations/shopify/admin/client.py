"""Asks one shop. Safe in threads: nothing is shared but what is known of the buckets.

``shopify.GraphQL`` keeps its address and token in class attributes that any thread may replace, has no timeout, and
takes ``THROTTLED`` for an answer; so this subclass holds its own, for one shop and one call.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import shopify  # type: ignore[import-untyped]
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.integrations.shopify.admin import pace, tokens, transport
from smsflow_plugin.integrations.shopify.admin.documents import VERSION, Document
from smsflow_plugin.integrations.shopify.admin.errors import (
    BadDocument,
    NotGranted,
    Refused,
    ShopifyTrouble,
    Throttled,
    Unreachable,
    UserError,
    UserErrors,
)
from smsflow_plugin.integrations.shopify.admin.scopes import missing
from smsflow_plugin.models import Connection

logger = logging.getLogger(__name__)

#: Seconds that a call may wait for points. A worker that waits longer does better to come back.
PATIENCE = 20.0

#: What HTTP says when the shop is closed to us, and why.
_CLOSED = {
    401: gettext_lazy("The token is not valid any more: the app was taken away, or the token was revoked."),
    402: gettext_lazy("The shop is frozen: its plan is not paid."),
    403: gettext_lazy("Shopify forbids it: the app may not read this shop."),
    404: gettext_lazy("There is no such shop."),
    423: gettext_lazy("The shop is locked."),
}

_buckets: dict[tuple[str, int | None], pace.Bucket] = {}
_guard = Lock()


class AdminApi:
    """Shopify's Admin API, for the shop of one connection.

    :param patience: seconds that ``ask`` may wait until the shop's bucket has filled up.
    """

    def __init__(self, connection: Connection, *, patience: float = PATIENCE) -> None:
        self.connection = connection
        self.shop = connection.account
        self.patience = patience

    def ask(self, document: Document, **variables: Any) -> dict[str, Any]:
        """Return the data of the answer.

        :raises UserErrors: if Shopify has not done it, because of what was given.
        :raises NotGranted: if a scope is missing.
        :raises Refused: if the shop does not let us in.
        :raises Throttled: if it would take longer than the patience.
        :raises Unreachable: if it is not known whether it was done.
        """
        key = tokens.usable(self.connection)
        if lacking := missing(document.scopes, key.scopes):
            raise NotGranted(_("The shop has not granted %(scopes)s.") % {"scopes": ", ".join(sorted(lacking))})
        spent, tried_again = 0.0, False
        while True:
            spent += self._wait_for_points(document, key, spent)
            question = ShopGraphQL(self.shop, key.token)
            try:
                data = question.execute(document.text, variables, document.name)
            except Throttled as slow:
                self._remember(key, question)
                if spent + slow.wait > self.patience:
                    raise
                time.sleep(slow.wait)
                spent += slow.wait
                continue
            except Refused as refusal:
                key = self._after_refusal(key, refusal, final=tried_again)
                tried_again = True
                continue
            self._remember(key, question)
            return data

    def pages(self, document: Document, path: str, **variables: Any) -> Iterator[list[dict[str, Any]]]:
        """Yield the nodes of a connection page by page. ``path`` is the name of its field."""
        after: str | None = None
        while True:
            found = self.ask(document, after=after, **variables)[path]
            yield found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    def _wait_for_points(self, document: Document, key: tokens.Key, spent: float) -> float:
        with _guard:
            bucket = _buckets.get((self.shop, key.app_id))
        wait = bucket.wait(document.cost, time.monotonic()) if bucket else 0.0
        if spent + wait > self.patience:
            raise Throttled(_("Shopify asks us to be slower."), wait)
        if wait:
            time.sleep(wait)
        return wait

    def _remember(self, key: tokens.Key, question: ShopGraphQL) -> None:
        bucket = pace.bucket_of(question.extensions, time.monotonic())
        if bucket is not None:
            with _guard:
                _buckets[self.shop, key.app_id] = bucket

    def _after_refusal(self, key: tokens.Key, refusal: Refused, *, final: bool) -> tokens.Key:
        """Return another token if there is one: a worker may have renewed it since we read ours.

        :raises Refused: if there is none. The connection is broken then.
        """
        newer = None if final else tokens.renewed_after(self.connection, key)
        if newer is None:
            tokens.set_broken(self.connection, str(refusal), key)
            raise refusal
        return newer


class ShopGraphQL(shopify.GraphQL):  # type: ignore[misc]
    """One question to one shop. ``extensions`` of its answer tell what it cost."""

    def __init__(self, shop: str, token: str) -> None:
        # not the parent's: it would take whatever shop and token were activated last, by anybody
        self.endpoint = f"{transport.address(shop)}/admin/api/{VERSION}/graphql.json"
        self.headers = {"X-Shopify-Access-Token": token, "User-Agent": f"SMSFlow ShopifyAPI/{shopify.VERSION}"}
        self.extensions: Any = None

    def execute(
        self, query: str, variables: Mapping[str, Any] | None = None, operation_name: str | None = None
    ) -> dict[str, Any]:
        body = {"query": query, "variables": dict(variables or {}), "operationName": operation_name}
        answer = transport.post(self.endpoint, body, self.headers)
        if answer.status == 429:
            raise Throttled(_("Shopify asks us to be slower."), _seconds(answer.headers.get("Retry-After")))
        if answer.status in _CLOSED:
            raise Refused(str(_CLOSED[answer.status]))
        if answer.status != 200 or not isinstance(answer.body, dict):
            trace = answer.headers.get("X-Request-Id", "")
            logger.warning("Shopify answered %s to %s (request %s).", answer.status, operation_name, trace)
            raise Unreachable(_("Shopify is in trouble (HTTP %(status)s).") % {"status": answer.status})
        self.extensions = answer.body.get("extensions")
        if errors := answer.body.get("errors"):
            raise self._trouble(errors)
        data = answer.body.get("data")
        if not isinstance(data, dict):
            raise Unreachable(_("Shopify's answer holds no data."))
        if mistakes := list(_user_errors(data)):
            raise UserErrors(mistakes)
        return data

    def _trouble(self, errors: Any) -> ShopifyTrouble:
        found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
        codes = {code(error) for error in found}
        said = "; ".join(str(error.get("message", "")) for error in found)[:300] or str(errors)[:300]
        if "THROTTLED" in codes:
            wait = pace.wait_after_throttling(self.extensions, time.monotonic())
            return Throttled(_("Shopify asks us to be slower."), wait)
        if "ACCESS_DENIED" in codes:
            return NotGranted(_("The shop has not granted this: %(said)s") % {"said": said})
        if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
            return Unreachable(_("Shopify is in trouble: %(said)s") % {"said": said})
        return BadDocument(_("Shopify does not understand us: %(said)s") % {"said": said})


def code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code") or "") if isinstance(extensions, dict) else ""


def _user_errors(data: Mapping[str, Any]) -> Iterator[UserError]:
    for payload in data.values():
        for error in (payload.get("userErrors") or ()) if isinstance(payload, dict) else ():
            path = error.get("field")
            where = ".".join(str(part) for part in path) if isinstance(path, list) else str(path or "")
            yield UserError(str(error.get("message") or ""), where, str(error.get("code") or ""))


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or 2), 0.5), 60.0)
    except ValueError:
        return 2.0
