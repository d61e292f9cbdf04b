"""Tells flows of texts that will not arrive, through the inbox like everything else that comes back."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from django.db.models import F

from smsflow_plugin import bulk
from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    Person,
    PersonFact,
    RawDelivery,
    StoreInfo,
    Translation,
)
from smsflow_plugin.events.models import Delivery
from smsflow_plugin.messaging.models import Message

#: The source of these deliveries, and what they are about.
SOURCE, TOPIC = "outbox", "failed"


def tell(message_ids: Collection[int], now: datetime) -> int:
    """Put the failure of these texts into the inbox, each once; return of how many. Two statements.

    Texts of no flow are nobody's business. Neither are those of people who were erased or have another number
    since: what happened to a number is not told of somebody else. Call this in the transaction that lets them fail.
    """
    if not message_ids:
        return 0
    failed = Message.objects.filter(
        pk__in=message_ids, state=Message.State.FAILED, flow__isnull=False,
        contact__erased_at__isnull=True, contact__phone=F("to"),
    ).order_by("pk")  # fmt: skip
    rows = []
    for pk, store_id, to, flow_id, step, reason, code, at in failed.values_list(
        "pk", "store_id", "to", "flow_id", "step", "reason", "error_code", "finished_at"
    ):
        at = min(at or now, now)
        body = {"phone": to, "at": at.isoformat(), "message": pk, "flow": flow_id, "step": step, "cause": reason}
        body |= {"code": code} if code is not None else {}
        rows.append((store_id, SOURCE, f"{TOPIC}:{pk}", TOPIC, json.dumps(body).encode(), now))
    return bulk.insert(Delivery, ("store_id", "source", "external_id", "topic", "body", "received_at"), rows)


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """The translator of the source "outbox": a text of a flow could not be delivered.

    :raises CannotUnderstand: if this is not what ``tell`` writes.
    """
    try:
        body = json.loads(raw.body)
        phone, at = str(body.pop("phone")), datetime.fromisoformat(body.pop("at"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CannotUnderstand("This is not what the outbox tells of its texts.") from error
    happening = Happening("message_failed", raw.external_id, at, data=body)
    return Translation((PersonFact(Person(phone=phone), (), (happening,)),))
