"""Discounts and their codes, made one by one or by the hundred."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLResolveInfo

from smsflow_plugin.integrations.simulator.shopify_api.asking import (
    Asking,
    asking,
    number_in,
    problem,
    refuse_long_input,
)
from smsflow_plugin.integrations.simulator.shopify_api.pages import connection, listed
from smsflow_plugin.integrations.simulator.shopify_api.storage import Doc
from smsflow_plugin.integrations.simulator.shopify_api.values import iso, seconds_of

Info = GraphQLResolveInfo
TYPES = {"basic": "DiscountCodeBasic", "shipping": "DiscountCodeFreeShipping"}
LONGEST_CODE = 255


def _node(ask: Asking, discount: Doc | None) -> Doc | None:
    if discount is None:
        return None
    return {"id": discount["id"], "codeDiscount": {**discount, "__typename": TYPES[discount["kind"]]}}


def by_id(_source: Any, info: Info, id: str) -> Doc | None:
    ask = asking(info)
    return _node(ask, ask.things.get("discount", number_in(id, "DiscountCodeNode")))


def by_code(_source: Any, info: Info, code: str) -> Doc | None:
    ask = asking(info)
    finish_batches(ask)
    found = ask.things.by_key("code", code.upper())
    return _node(ask, ask.things.get("discount", found["discount"])) if found else None


def status(source: Doc, info: Info) -> str:
    now = asking(info).now
    if source["endsAt"] and seconds_of(source["endsAt"]) <= now:
        return "EXPIRED"
    return "SCHEDULED" if seconds_of(source["startsAt"]) > now else "ACTIVE"


def _creator(kind: str, argument: str) -> Callable[..., Doc]:
    def create(_source: Any, info: Info, **args: Any) -> Doc:
        ask = asking(info)
        said: Doc = args[argument]
        errors = [
            problem(text, argument, *path, code=code, extraInfo=None) for text, path, code in _faults(ask, said, kind)
        ]
        if errors:
            return {"codeDiscountNode": None, "userErrors": errors}
        discount = {
            "id": ask.things.next_id("discount"),
            "kind": kind,
            "title": said["title"],
            "startsAt": iso(seconds_of(said["startsAt"])),
            "endsAt": iso(seconds_of(said["endsAt"])) if said.get("endsAt") else None,
            "usageLimit": said.get("usageLimit"),
            "appliesOncePerCustomer": bool(said.get("appliesOncePerCustomer")),
            "said": said,
            "createdAt": ask.time,
            "updatedAt": ask.time,
        }
        ask.things.put("discount", discount)
        _add_code(ask, discount["id"], said["code"])
        return {"codeDiscountNode": _node(ask, discount), "userErrors": []}

    return create


def _faults(ask: Asking, said: Doc, kind: str) -> list[tuple[str, tuple[str, ...], str]]:
    """Return what Shopify would refuse: (message, path, code)."""
    found: list[tuple[str, tuple[str, ...], str]] = []
    if not (said.get("title") or "").strip():
        found.append(("Title can't be blank", ("title",), "BLANK"))
    if error := code_error(ask, said.get("code") or ""):
        found.append((error[0], ("code",), error[1]))
    if not said.get("startsAt"):
        found.append(("Starts at can't be blank", ("startsAt",), "BLANK"))
    elif said.get("endsAt") and seconds_of(said["endsAt"]) <= seconds_of(said["startsAt"]):
        found.append(("Ends at needs to be after starts at", ("endsAt",), "END_DATE_BEFORE_START_DATE"))
    if not said.get("context") and not said.get("customerSelection"):
        found.append(("Context can't be blank", ("context",), "MISSING_ARGUMENT"))
    limit = said.get("usageLimit")
    if limit is not None and limit < 1:
        found.append(("Usage limit must be greater than 0", ("usageLimit",), "GREATER_THAN"))
    if kind == "basic":
        found += _gets_faults(said.get("customerGets") or {})
    return found


def _gets_faults(gets: Doc) -> list[tuple[str, tuple[str, ...], str]]:
    found: list[tuple[str, tuple[str, ...], str]] = []
    value = gets.get("value") or {}
    percentage = value.get("percentage")
    if percentage is not None and not 0 < percentage <= 1:
        path = ("customerGets", "value", "percentage")
        found.append(("Value must be between 0.0 and 1.0", path, "VALUE_OUTSIDE_RANGE"))
    if not value:
        found.append(("Value can't be blank", ("customerGets", "value"), "MISSING_ARGUMENT"))
    if not gets.get("items"):
        found.append(("Items can't be blank", ("customerGets", "items"), "MISSING_ARGUMENT"))
    return found


def code_error(ask: Asking, code: str) -> tuple[str, str] | None:
    """Return what is wrong with a new code, as (message, code of the error)."""
    if not code.strip():
        return "Code can't be blank", "BLANK"
    if len(code) > LONGEST_CODE:
        return f"Code is too long (maximum is {LONGEST_CODE} characters)", "TOO_LONG"
    if "\n" in code or "\r" in code:
        return "Code must not contain newline characters", "INVALID"
    if ask.things.by_key("code", code.upper()):
        return "Code must be unique. Please try a different code.", "TAKEN"
    return None


def _add_code(ask: Asking, discount: int, code: str) -> Doc:
    made = {
        "id": ask.things.next_id("code"),
        "code": code,
        "discount": discount,
        "usage": 0,
        "createdAt": ask.time,
        "updatedAt": ask.time,
    }
    ask.things.put("code", made)
    return made


def deactivate(_source: Any, info: Info, id: str) -> Doc:
    ask = asking(info)
    discount = ask.things.get("discount", number_in(id, "DiscountCodeNode"))
    if discount is None:
        return {"codeDiscountNode": None, "userErrors": [problem("Discount does not exist", "id", code="INVALID")]}
    ask.things.put("discount", discount | {"endsAt": ask.time, "updatedAt": ask.time})
    return {"codeDiscountNode": _node(ask, discount), "userErrors": []}


def bulk_add(_source: Any, info: Info, discountId: str, codes: list[Doc]) -> Doc:
    ask = asking(info)
    refuse_long_input(codes)
    discount = ask.things.get("discount", number_in(discountId, "DiscountCodeNode"))
    if discount is None:
        errors = [problem("Code discount does not exist.", "discountId", code="INVALID", extraInfo=None)]
        return {"bulkCreation": None, "userErrors": errors}
    if not codes:
        errors = [problem("Codes can't be blank", "codes", code="BLANK", extraInfo=None)]
        return {"bulkCreation": None, "userErrors": errors}
    batch = {
        "id": ask.things.next_id("code_batch"),
        "discount": discount["id"],
        "codes": [{"code": one["code"], "made": None, "errors": []} for one in codes],
        "done": False,
        "due": ask.now + ask.world.code_delay,
        "createdAt": ask.time,
        "updatedAt": ask.time,
    }
    ask.things.put("code_batch", batch)
    return {"bulkCreation": batch, "userErrors": []}


def finish_batches(ask: Asking) -> None:
    """Make the codes whose moment has come: Shopify does so on the side, here it is whenever somebody looks."""
    with ask.things.database.transaction():
        for row in ask.things.select("code_batch", "state = 'open'", [], "id", -1):
            batch = ask.things.get("code_batch", row["id"])
            if batch is None or batch["due"] > ask.now:
                continue
            for one in batch["codes"]:
                error = code_error(ask, one["code"])
                if error:
                    one["errors"] = [problem(error[0], "code", code=error[1], extraInfo=None)]
                else:
                    one["made"] = _add_code(ask, batch["discount"], one["code"])["id"]
            ask.things.put("code_batch", batch | {"done": True})


def batch_by_id(_source: Any, info: Info, id: str) -> Doc | None:
    ask = asking(info)
    finish_batches(ask)
    return ask.things.get("code_batch", number_in(id, "DiscountRedeemCodeBulkCreation"))


def codes_of(source: Doc, info: Info, **args: Any) -> Doc:
    return connection(info, "code", args, extra=("parent = ?", [source["id"]]))


def codes_count(source: Doc, info: Info) -> Doc:
    finish_batches(asking(info))
    return {"count": asking(info).things.count("code", "parent = ?", [source["id"]]), "precision": "EXACT"}


def _usage(source: Doc, info: Info) -> int:
    return sum(one["usage"] for one in asking(info).things.children("code", source["id"]))


_DISCOUNT: dict[str, Any] = {
    "asyncUsageCount": _usage,
    "codes": codes_of,
    "codesCount": codes_count,
    "status": status,
    "summary": lambda source, _info: source["title"],
}

RESOLVERS: dict[str, dict[str, Any]] = {
    "QueryRoot": {
        "codeDiscountNode": by_id,
        "codeDiscountNodeByCode": by_code,
        "discountRedeemCodeBulkCreation": batch_by_id,
    },
    "Mutation": {
        "discountCodeBasicCreate": _creator("basic", "basicCodeDiscount"),
        "discountCodeFreeShippingCreate": _creator("shipping", "freeShippingCodeDiscount"),
        "discountCodeDeactivate": deactivate,
        "discountRedeemCodeBulkAdd": bulk_add,
    },
    "DiscountCodeBasic": _DISCOUNT,
    "DiscountCodeFreeShipping": _DISCOUNT,
    "DiscountRedeemCode": {"asyncUsageCount": lambda source, _info: source["usage"]},
    "DiscountRedeemCodeBulkCreation": {
        "codes": lambda source, info, **args: listed(info, source["codes"], args),
        "codesCount": lambda source, _info: len(source["codes"]),
        "discountCode": lambda source, info: _node(
            asking(info), asking(info).things.get("discount", source["discount"])
        ),
        "importedCount": lambda source, _info: sum(one["made"] is not None for one in source["codes"]),
        "failedCount": lambda source, _info: sum(bool(one["errors"]) for one in source["codes"]),
    },
    "DiscountRedeemCodeBulkCreationCode": {
        "discountRedeemCode": lambda source, info: asking(info).things.get("code", source["made"]),
    },
}
