"""What a person may choose on their own page, and what follows from it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.ingest import ingest_now
from smsflow_plugin.events.inbox import store_delivery
from smsflow_plugin.events.models import Event
from smsflow_plugin.nudge import nudge
from smsflow_plugin.signup.translate import FORM, REQUEST, STOP

#: Texts a week that may be chosen; None is as many as come.
PER_WEEK = (None, 4, 2, 1)

#: The stages of a customer's life that marketing flows belong to, in the order in which people live them.
STAGES = ("welcome", "cart", "browse", "order", "after", "retention", "win_back", "news")


def chosen(contact: Contact) -> tuple[int | None, list[str]]:
    """Return the most texts a week, and the stages of which the person wants none. Tolerates anything stored."""
    stored: Any = contact.preferences if isinstance(contact.preferences, dict) else {}
    per_week = stored.get("per_week")
    refused = stored.get("refused")
    return (
        per_week if isinstance(per_week, int) and per_week in PER_WEEK else None,
        [stage for stage in STAGES if isinstance(refused, list) and stage in refused],
    )


@transaction.atomic
def choose(contact: Contact, per_week: int | None, refused: list[str]) -> bool:
    """Keep what the person has chosen, and tell it in their history. Return False if it is what it was."""
    locked = Contact.objects.select_for_update().get(pk=contact.pk)
    before = chosen(locked)
    after = (per_week, [stage for stage in STAGES if stage in refused])
    if before == after:
        return False
    now = clock.now()
    locked.preferences = {"per_week": after[0], "refused": after[1]}
    locked.save(update_fields=["preferences"])
    Event.objects.create(
        store_id=locked.store_id,
        contact=locked,
        kind="preferences_changed",
        key=f"{locked.pk}:{uuid.uuid4().hex}",
        occurred_at=now,
        recorded_at=now,
        data={
            **locked.preferences,
            "before": {"per_week": before[0], "refused": before[1]},
        },
    )
    contact.preferences = locked.preferences
    return True


def stop(contact: Contact, scope: str, evidence: Mapping[str, Any]) -> None:
    """End marketing texts, or all of them ("all"), at once: through the inbox, and without waiting for the worker."""
    _say(contact, STOP, {"scope": scope}, evidence)


def ask_again(contact: Contact, language: str, evidence: Mapping[str, Any]) -> None:
    """Ask the person by text whether they want marketing texts. Who gets them or is being asked is not asked."""
    if contact.marketing_consent in (Contact.Consent.GRANTED, Contact.Consent.PENDING):
        return
    _say(contact, REQUEST, {"language": language}, evidence)


def _say(contact: Contact, topic: str, said: Mapping[str, Any], evidence: Mapping[str, Any]) -> None:
    external_id = f"{topic}:{uuid.uuid4()}"
    body = {"phone": str(contact.phone), "at": clock.now().isoformat(), "evidence": dict(evidence), **said}
    store_delivery(
        store_id=contact.store_id,
        source=FORM,
        external_id=external_id,
        topic=topic,
        headers={},
        body=json.dumps(body).encode(),
    )
    ingest_now(contact.store_id, FORM, external_id)
    nudge("advance")
    nudge("dispatch")
