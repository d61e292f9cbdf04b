"""Takes everything away by which a person could be recognised, and keeps what is counted (GDPR art. 17).

Rows stay, so that every total stays right; what they say of the person goes. A field that is
added to ``Contact`` later is blanked unless it is named in ``KEPT``, and a test fails until a new
table of ours that names contacts is dealt with here.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import BinaryField, BooleanField, CharField, Exists, Func, OuterRef, Q, QuerySet, Value
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.functions import Cast, Concat
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import bulk, clock
from smsflow_plugin.attribution import orders
from smsflow_plugin.attribution.models import Conversion, Exposure
from smsflow_plugin.attribution.orders import Fact
from smsflow_plugin.audience import ledger
from smsflow_plugin.audience.consent import REVOKED, Consent
from smsflow_plugin.audience.ledger import Opening, ledger_opened
from smsflow_plugin.audience.models import ConsentRecord, Contact, ContactDate, Identity
from smsflow_plugin.audience.suppression import suppress_erased
from smsflow_plugin.catalogue.models import Interest
from smsflow_plugin.conversations.models import Thread
from smsflow_plugin.engine.changed_runs import note_people
from smsflow_plugin.engine.models import Effect, Enrollment, Incentive
from smsflow_plugin.events.models import Delivery, Event, ReplyReview
from smsflow_plugin.flows.models import SegmentMember
from smsflow_plugin.governance.ledger import Decision, forget
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.messaging.models import Message
from smsflow_plugin.messaging.outbox import cancel_queued
from smsflow_plugin.stores.models import StoreLogEntry

#: Columns of a contact that say nothing about who it is, or hold what must hold.
KEPT = frozenset({
    "id", "store", "created_at", "orders_count", "first_order_at", "last_order_at", "total_spent", "last_texted_at",
    "ledger_head",
})  # fmt: skip

#: Tables of which nothing is left.
DELETED = (ContactDate, Identity, Interest, ReplyReview, SegmentMember, Thread)

#: Tables whose rows stay, without what they say of the person: dealt with one by one below.
BLANKED = (Conversion, ConsentRecord, Decision, Effect, Enrollment, Event, Exposure, Incentive, Link, Message)


class ErasePerson(BaseAction):  # type: ignore[misc]
    """Erase a person who asked for it. Nobody can bring them back; their number is never texted again.

    :param instance: the contact.
    """

    action_name = "erase"
    permission_policy_action = "erase"

    def execute(self, skip_permission_checks: bool = False) -> Contact:
        """Erase the person; somebody who is erased already stays so."""
        self.check(skip_permission_checks=skip_permission_checks)
        return erase(self.instance, self.user)


@transaction.atomic
def erase(contact: Contact, user: Any = None) -> Contact:
    """Erase a person: a couple of dozen statements in one transaction, whatever there is about them.

    ``user`` is None when the shop asked for it. Their runs end first, and what is queued is
    cancelled. Deliveries that nobody has read yet are left: what they say comes later.
    """
    contact = Contact.objects.select_for_update().select_related("store").get(pk=contact.pk)
    if contact.erased_at is not None:
        return contact
    now = clock.now()
    _stop(contact, now)
    if contact.phone:
        suppress_erased(contact.store_id, str(contact.phone), now)
    _blank_ledger(contact, user, now)
    _blank_deliveries(contact)
    _blank_rows(contact)
    for model, column in _deleted():
        model._base_manager.filter(**{column: contact.pk}).delete()
    _blank_log(contact)
    _blank_contact(contact, now)
    log(instance=contact, action="smsflow.erase", user=user, timestamp=now)
    return contact


def _deleted() -> list[tuple[type[Any], str]]:
    """Return the tables of which nothing is left, with the columns that name the contact.

    What other apps keep about a person goes as a whole: they know that contacts can be deleted.
    """
    relations = (
        relation
        for relation in Contact._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and (relation.one_to_many or relation.one_to_one)
    )
    return [
        (relation.related_model, relation.field.attname)
        for relation in relations
        if relation.related_model in DELETED or relation.related_model._meta.app_label != Contact._meta.app_label
    ]


def _stop(contact: Contact, now: datetime) -> None:
    Enrollment.objects.filter(contact=contact, status=Enrollment.Status.WAITING).update(
        status=Enrollment.Status.EXITED, exit_reason="erased", finished_at=now, wake_at=None
    )
    note_people([contact.pk], now)
    cancel_queued({contact.pk}, "erased", keep_classes=())
    Effect.objects.filter(contact=contact, state__in=(Effect.State.QUEUED, Effect.State.WORKING)).update(
        state=Effect.State.FAILED, finished_at=now
    )


def _blank_ledger(contact: Contact, user: Any, now: datetime) -> None:
    with ledger_opened(Opening.ERASURE, contact, user):
        ledger.redact(ConsentRecord.objects.filter(contact=contact), now)
    phone, contact.phone = contact.phone, None
    names = contact.first_name, contact.last_name
    contact.first_name = contact.last_name = ""
    # who was erased has refused: the last line says so, and names nobody
    consent = Consent(REVOKED, "all", "erased", now, key=f"erased:contact:{contact.pk}", own_words=True)
    statement = ledger.Statement(contact, consent)
    ledger.take_over(statement, now)
    ledger.append([statement], now)
    contact.phone, (contact.first_name, contact.last_name) = phone, names


def _blank_rows(contact: Contact) -> None:
    own = {"contact_id": contact.pk}
    amounts = _amounts(contact)
    Event.objects.filter(**own).update(data={}, subject="", key=_unique())
    bulk.update(Event, ("data",), amounts)
    Conversion.objects.filter(**own).update(order=_unique(), because={})
    forget([contact.pk])
    Incentive.objects.filter(**own).update(code="", code_key="", order="", notes={})
    Effect.objects.filter(**own).update(payload={}, result=None)
    Enrollment.objects.filter(**own).update(state={}, entry_key=_unique())
    # an address may hold the key to somebody's cart; a link without one leads to the shop's home
    Link.objects.filter(**own).update(target="")
    Click.objects.filter(link__contact_id=contact.pk).exclude(user_agent="").update(user_agent="")
    texts = Q(**own)
    if contact.phone:
        texts |= Q(store_id=contact.store_id, to=str(contact.phone))
    Message.objects.filter(texts).update(to="", body="", slots=[])


def _amounts(contact: Contact) -> list[tuple[int, dict[str, Any]]]:
    """Return what is left of the events that a person ordered: what their orders came to, less what was paid back."""
    columns = ("pk", "kind", "occurred_at", "contact_id", "data__order__total", "data__order__currency")
    rows = Event.objects.filter(contact=contact, kind__in=orders.KINDS).exclude(subject="")
    facts: dict[str, list[Fact]] = defaultdict(list)
    for subject, *fact in rows.values_list("subject", *columns, "data__order__refunded"):
        facts[subject].append(Fact(*fact))
    amounts = []
    for own in facts.values():
        order = orders.order_of(own, contact.store.currency)
        placed = min(
            (fact.pk for fact in own if order and (fact.kind, fact.at) == (orders.CREATED, order.at)), default=0
        )
        if order is None or order.blank:
            continue
        kept = {"total": str(order.revenue), "currency": order.currency, "cancelled": order.cancelled}
        amounts.append((placed, {"order": kept}))
    return sorted(amounts, key=lambda row: row[0])


def _unique() -> Any:
    """Return what takes the place of a key that told something, and is as unique as that was."""
    return Concat(Value("erased:"), Cast("pk", CharField()))


class _Holds(Func):
    """Whether a column of bytes holds these."""

    output_field = BooleanField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(instr(%(expressions)s) > 0)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        body, needle = (compiler.compile(part) for part in self.source_expressions)
        return f"(position({needle[0]}::bytea in {body[0]}) > 0)", [*needle[1], *body[1]]


def deliveries_about(contact: Contact) -> QuerySet[Delivery, Any]:
    """Return what vendors sent about a person: what their events came from, and whatever holds their number or address.

    The second is a look at every delivery that the store still keeps.
    """
    came_from = Exists(Event.objects.filter(contact_id=contact.pk, delivery_id=OuterRef("pk")))
    words = [str(contact.phone).lstrip("+")] if contact.phone else []
    words += [contact.email] if "@" in contact.email else []
    needles = (Value(word.encode("utf-8", "replace"), output_field=BinaryField()) for word in words)
    holds = (Q(_Holds("body", needle)) for needle in needles)
    return Delivery.objects.filter(reduce(or_, holds, Q(came_from)), store_id=contact.store_id)


def _blank_deliveries(contact: Contact) -> None:
    deliveries_about(contact).exclude(state=Delivery.State.PENDING).update(body=b"", headers={}, reason="")


def _blank_log(contact: Contact) -> None:
    """Leave in the audit log who did what and when, but not whose name and what about them."""
    texts = Message.objects.filter(contact_id=contact.pk).annotate(text=Cast("pk", CharField())).values("text")
    entries = StoreLogEntry.objects.filter(
        Q(content_type=_type(Contact), object_id=str(contact.pk)) | Q(content_type=_type(Message), object_id__in=texts)
    )
    entries.update(label="")
    entries.exclude(action__in=("smsflow.open_ledger", "smsflow.erase")).update(data={})


def _type(model: type[Any]) -> ContentType:
    return ContentType.objects.get_for_model(model)


def _blank_contact(contact: Contact, now: datetime) -> None:
    changed: Sequence[Any] = [field for field in Contact._meta.concrete_fields if field.name not in KEPT]
    consent = {name: getattr(contact, name) for name in ledger.CONTACT_COLUMNS}
    for field in changed:
        setattr(contact, field.attname, field.get_default())
    for name, value in consent.items():
        setattr(contact, name, value)
    # links that were sent must lead nowhere any more
    contact.uuid, contact.erased_at, contact.email_consent = uuid.uuid4(), now, REVOKED
    contact.save(update_fields=[*(field.name for field in changed), "ledger_head"])
