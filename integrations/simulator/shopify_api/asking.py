"""Who asks, of which shop, and what came up on the way: what every resolver gets along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc, Things
from smsflow_plugin.integrations.simulator.shopify_api.values import NotAnId, iso, read_gid

DOCUMENTATION = "https://shopify.dev/api/usage"


@dataclass(slots=True)
class BulkPage:
    """In a bulk operation the outermost connection is read page by page, and all others come whole."""

    size: int
    after: str | None = None
    next: str | None = None
    started: bool = False


@dataclass(slots=True)
class Asking:
    """One call to the Admin API.

    ``emit(topic, payload)`` tells the subscribers. ``app`` is the client id, ``scopes`` what it may do.
    """

    things: Things
    shop: Doc
    app: str
    app_doc: Doc
    scopes: frozenset[str]
    granted: tuple[str, ...]
    version: str
    now: float
    emit: Callable[[str, Doc], None]
    world: Any
    bulk: BulkPage | None = None
    warnings: list[Doc] = field(default_factory=list)
    forced_error: str = ""

    @property
    def time(self) -> str:
        return iso(self.now)

    def need(self, scope: str, what: str) -> None:
        """:raises GraphQLError: with ACCESS_DENIED if the app may not."""
        if scope not in self.scopes:
            raise denied(what, scope)


def asking(info: GraphQLResolveInfo) -> Asking:
    found: Asking = info.context
    return found


def denied(what: str, scope: str) -> GraphQLError:
    needed = f"`{scope}` access scope."
    return GraphQLError(
        f"Access denied for {what} field. Required access: {needed}",
        extensions={
            "code": "ACCESS_DENIED",
            "documentation": f"{DOCUMENTATION}/access-scopes",
            "requiredAccess": needed,
        },
    )


def number_in(text: str, *kinds: str) -> int | None:
    """Return the number in an id of one of these kinds, None for one of another kind.

    :raises GraphQLError: if it is no id.
    """
    try:
        kind, number = read_gid(text)
    except NotAnId as error:
        raise GraphQLError(
            str(error), extensions={"code": "argumentLiteralsIncompatible", "typeName": "CoercionError"}
        ) from None
    return number if kind in kinds else None


def problem(message: str, *path: str, code: str | None = None, **more: Any) -> Doc:
    """One of ``userErrors``."""
    return {"field": list(path) or None, "message": message, "code": code, **more}


LONGEST_INPUT = 250


def refuse_long_input(values: list[Any]) -> None:
    """:raises GraphQLError: for more than Shopify takes in one list."""
    if len(values) > LONGEST_INPUT:
        raise GraphQLError(
            f"The input array size of {len(values)} is greater than the maximum allowed of {LONGEST_INPUT}.",
            extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
        )
