"""A shop that makes codes until its pool is empty, and flows that ask it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from smsflow_plugin.engine.advance import advance
from smsflow_plugin.engine.ingest import ingest
from smsflow_plugin.engine.performing import Failed, Job, perform
from smsflow_plugin.flows.program import Discount, Send
from smsflow_plugin.models import Flow, Policy, Store
from tests.engine.helpers import make_flow

_numbers = count(1)


class Pool:
    empty = False


def make(job: Job) -> str:
    """Make a code, or say that there are none left."""
    if Pool.empty:
        raise Failed("The pool of codes is empty.")
    return f"{job.payload['prefix']}C{next(_numbers)}"


def offering(
    store: Store, name: str, amount: str = "10", *, flow: Mapping[str, Any] | None = None, **values: Any
) -> Flow:
    """A flow that gives a discount, and has a text for those who get none. ``flow``: as of ``make_flow``."""
    values = {"kind": "percent", "valid_days": 14, "prefix": f"{name.upper()}-", **values}
    text = Send("t", {"": f"{amount} off: {{{{ codes.offer }}}}"}, {"": f"{name}: come and see."})
    return make_flow(store, Discount("d", "offer", amount=amount, **values), text, name=name, **(flow or {}))


def allow(**values: Any) -> None:
    """Set the rules of the store that there is; without values nothing holds up a text but them."""
    Policy.objects.update(**{"caps": [{"limit": 99, "window": "day"}], "minimum_gap": 0, **values})


def live() -> None:
    """Let everything happen that is due: texts and codes."""
    busy = 1
    while busy:
        busy = ingest() + advance() + perform()
