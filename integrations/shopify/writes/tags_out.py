"""Tells a shop which tags flows have given to people and taken away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction

from smsflow_plugin import clock
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.integrations.shopify.admin.documents import TAGS_ADD, TAGS_REMOVE
from smsflow_plugin.integrations.shopify.writes.deciding import second
from smsflow_plugin.integrations.shopify.writes.echoes import ADDED, REMOVED, TAG_ECHO, remembered
from smsflow_plugin.integrations.shopify.writes.models import Write
from smsflow_plugin.integrations.shopify.writes.shift import Outcome, Shift, customers_of, gid, settle


def serve(shift: Shift, rows: Sequence[Write]) -> None:
    """Write these entries: at most two calls for each person."""
    if not shift.wishes.tags:
        for row in rows:
            settle(row, Outcome.OFF)
        return
    customers = customers_of(rows)
    people: dict[int, list[Write]] = defaultdict(list)
    for row in rows:
        people[row.contact_id].append(row)
    for contact_id, own in people.items():
        customer = customers.get(contact_id)
        if customer is None:
            for row in own:
                settle(row, Outcome.NO_CUSTOMER)
            continue
        shift.attempt(own, lambda own=own, customer=customer: _serve(shift, own, customer))  # type: ignore[misc]


def _serve(shift: Shift, rows: Sequence[Write], customer: str) -> None:
    intended = _intend(rows, customer)
    for what, document in ((ADDED, TAGS_ADD), (REMOVED, TAGS_REMOVE)):
        mine = [(row, tag) for row, tag, doing in intended if doing == what]
        if mine:
            shift.api.ask(document, id=gid(customer), tags=[tag for _row, tag in mine])
            for row, _tag in mine:
                settle(row, Outcome.DONE)


@transaction.atomic
def _intend(rows: Sequence[Write], customer: str) -> list[tuple[Write, str, str]]:
    """Look whether the person has the tags now, and note what is about to be written. See ``consent_out``."""
    locked = list(Write.objects.select_for_update().filter(pk__in=[row.pk for row in rows]).order_by("pk"))
    contact = Contact.objects.filter(pk=rows[0].contact_id, erased_at=None).only("tags").first()
    if contact is None:
        return []
    has = {str(tag).casefold(): str(tag) for tag in contact.tags}
    now = second(clock.now())
    intended = []
    for row in locked:
        what = ADDED if row.tag in has else REMOVED
        recent = [pair for pair in row.sent if pair[1] > (now - TAG_ECHO).isoformat()]
        # as it is spelt: what is taken away was written like that
        row.text = has.get(row.tag, row.text)
        row.customer, row.sent = customer, remembered(recent, (what, now.isoformat()))
        row.save(update_fields=["customer", "sent", "text"])
        intended.append((row, row.text, what))
    return intended
