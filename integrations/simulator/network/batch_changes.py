"""What an update makes of a batch that has not set off yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smsflow_plugin.integrations.simulator.network.batch_request import is_group
from smsflow_plugin.integrations.simulator.network.refusals import Refused, malformed
from smsflow_plugin.integrations.simulator.network.texts import msisdn

#: What an update may change, beside the recipients.
CHANGEABLE = (
    "from",
    "body",
    "udh",
    "parameters",
    "delivery_report",
    "send_at",
    "expire_at",
    "callback_url",
    "client_reference",
    "feedback_enabled",
    "flash_message",
    "truncate_concat",
    "max_number_of_message_parts",
    "from_ton",
    "from_npi",
    "strict_validation",
)


def updated(batch: Mapping[str, Any], data: object) -> dict[str, Any]:
    """Return the request that the batch is after an update.

    A value of null takes what was there away. Recipients are added before others are removed.

    :param batch: the batch as Sinch repeats it.
    :raises Refused: if the update is not in order.
    """
    if not isinstance(data, Mapping):
        raise Refused(400, "syntax_invalid_json", "The body is not a JSON object.")
    if data.get("type", batch["type"]) != batch["type"]:
        raise malformed("type", data["type"], f"the type of the batch, {batch['type']}")
    request = {**batch, **{name: data[name] for name in CHANGEABLE if name in data}}
    if "send_at" in data and "expire_at" not in data:
        del request["expire_at"]
    removed = set(_recipients(data, "to_remove"))
    added = _recipients(data, "to_add")
    request["to"] = [one for one in dict.fromkeys([*batch["to"], *added]) if one not in removed]
    return {name: value for name, value in request.items() if value is not None}


def _recipients(data: Mapping[str, Any], name: str) -> list[str]:
    given = data.get(name) or []
    if not isinstance(given, list):
        raise malformed(name, given, "a list")
    # what is no number can't be in the batch: it is refused when it is added, and ignored when it is removed
    return [one if is_group(str(one)) else msisdn(str(one)) or str(one) for one in given]
