"""Does what the law lets people ask for by way of Shopify. Every request is done once, and said to be done.

* Somebody asks what is known about them: a file for the store's owner, who passes it on.
* Somebody is to be erased: ``engine.erasing`` does it. Their number is never texted again.
* A shop that has taken the app away is to be erased: with a week's notice, and not if it came back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.db import transaction
from django.db.models import F, Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override
from wagtail.log_actions import log

from smsflow_plugin import bulk, clock
from smsflow_plugin.audience.ledger import Opening, ledger_opened
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine import alarms
from smsflow_plugin.engine.deleting import DeleteStore
from smsflow_plugin.engine.erasing import erase
from smsflow_plugin.engine.notices import queue_notices
from smsflow_plugin.events.facts import StoreWord
from smsflow_plugin.integrations.shopify.kept import TIME_TO_ANSWER, PrivacyRequest
from smsflow_plugin.measurement.export import ExportPerson
from smsflow_plugin.models import Connection, Contact, Delivery, Event, Identity, Message, Store

logger = logging.getLogger(__name__)

Kind, State = PrivacyRequest.Kind, PrivacyRequest.State

#: How long a shop's data stays after Shopify has asked for its end: somebody may have made a mistake.
NOTICE = timedelta(days=7)
#: Shopify asks for the end of a shop this long after the app was taken away, and not if it came back.
AFTER_UNINSTALL = timedelta(hours=48)
#: How long a file stays that nobody has fetched.
FILE_KEPT = timedelta(days=30)
#: A worker that was killed lets go of its request after this.
LEASE = timedelta(minutes=15)
#: People who are deleted in one transaction.
BATCH = 500

TOPICS = ("customers/data_request", "customers/redact")


def note_requests(said: Sequence[tuple[int, StoreWord]], now: datetime) -> None:
    """Write requests down, with the day by which they must be done. Called by the ingest pump."""
    shops = dict(
        Connection.objects.filter(store_id__in={store_id for store_id, _word in said}, kind="shopify").values_list(
            "store_id", "account"
        )
    )
    rows = [
        (
            store_id, shops.get(store_id, ""), word.data["what"], word.data["key"][:255], word.data["customer"],
            word.data["phone"], word.data["email"], word.data["orders"], word.at, word.at + TIME_TO_ANSWER,
            now + NOTICE if word.data["what"] == Kind.SHOP else now,
        )
        for store_id, word in said
    ]  # fmt: skip
    columns = (
        "store_id", "shop", "kind", "key", "customer", "phone", "email", "orders", "asked_at", "due_at", "not_before",
    )  # fmt: skip
    bulk.insert(PrivacyRequest, columns, rows)


def comply() -> int:
    """Do the next request that is due; return 1, or 0 if there is none."""
    request = _claim()
    if request is None:
        return 0
    try:
        carry_out(request)
    except Exception:
        # it is tried again when its lease is over; the page shows for how long it has been due
        logger.exception("The privacy request %s could not be done.", request.pk)
    return 1


def tidy() -> int:
    """Throw away the files that nobody has fetched in time."""
    old = PrivacyRequest.objects.filter(file__isnull=False, done_at__lt=clock.now() - FILE_KEPT)
    return old.update(file=None)


def carry_out(request: PrivacyRequest, by: Any = None) -> PrivacyRequest:
    """Do what is asked for. Somebody who does a request that waits for a person says so by it."""
    if request.state not in (State.OPEN, State.HELD):
        return request
    match request.kind:
        case Kind.EXPORT:
            _export(request, by)
        case Kind.ERASE:
            _erase(request, by)
        case Kind.SHOP:
            _erase_shop(request, by)
    request.refresh_from_db()
    return request


@transaction.atomic
def _claim() -> PrivacyRequest | None:
    now = clock.now()
    request = (
        PrivacyRequest.objects.filter(state=State.OPEN, not_before__lte=now)
        .order_by("not_before", "pk")
        .select_for_update(skip_locked=True)
        .first()
    )
    if request is not None:
        PrivacyRequest.objects.filter(pk=request.pk).update(not_before=now + LEASE)
    return request


def people_of(request: PrivacyRequest) -> list[Contact]:
    """Return everybody whom a request is about, in the order of their ids: by customer, orders, number and address."""
    if request.store_id is None:
        return []
    named = Q(kind="customer", value=request.customer) if request.customer else Q(pk=None)
    if request.orders:
        named |= Q(kind="order", value__in=[str(order) for order in request.orders])
    ids = Identity.objects.filter(named, store_id=request.store_id).values("contact_id")
    wanted = Q(pk__in=ids)
    if request.phone:
        wanted |= Q(phone=request.phone)
    if request.email:
        wanted |= Q(email__iexact=request.email)
    return list(Contact.objects.filter(wanted, store_id=request.store_id, erased_at__isnull=True).order_by("pk"))


# What is known about somebody --------------------------------------------------------------------


def _export(request: PrivacyRequest, by: Any) -> None:
    people = people_of(request)
    files = [ExportPerson(contact, by).execute(skip_permission_checks=True) for contact in people]
    with transaction.atomic():
        with override(request.store.language if request.store else None):
            outcome = (
                ngettext("%(count)d file to pass on.", "%(count)d files to pass on.", len(files))
                % {"count": len(files)}
                if files
                else _("Nothing is known about this person.")
            )
        if _finish(request, outcome, len(people), by, file=_packed(files)):
            _tell_owner(request, outcome)


def _packed(files: Sequence[bytes]) -> bytes | None:
    """Return one file: somebody with two numbers is two contacts."""
    if len(files) < 2:
        return files[0] if files else None
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for number, content in enumerate(files, start=1):
            archive.writestr(f"person-{number}.zip", content)
    return packed.getvalue()


def _tell_owner(request: PrivacyRequest, outcome: str) -> None:
    store = request.store
    to = list(alarms.addresses(store, None)) if store else []
    if store is None or not to:
        return
    try:
        url = f"{smsflow_settings.PUBLIC_URL}{reverse('smsflow_shopify_privacy:inspect', args=(request.pk,))}"
    except NoReverseMatch:  # a site without our screens
        url = smsflow_settings.PUBLIC_URL
    with override(store.language):
        subject = _("%(store)s: a customer asks what is known about them") % {"store": store.name}
        body = _(
            "Shopify passes on that a customer asks what is known about them. The law gives until %(day)s for the "
            "answer. %(outcome)s\n\nFetch it here and send it to the customer:\n%(url)s"
        ) % {"day": request.due_at.date().isoformat(), "outcome": outcome, "url": url}
    queue_notices([(store.pk, f"privacy:{request.pk}", to, subject, body)])


# Somebody is to be erased ------------------------------------------------------------------------


def _erase(request: PrivacyRequest, by: Any) -> None:
    people = people_of(request)
    for contact in people:
        # each in a transaction of its own, and only once
        erase(contact, by)
    if request.store_id is not None:
        # the requests themselves say who it was
        read = (Delivery.State.DONE, Delivery.State.IGNORED, Delivery.State.PARKED)
        Delivery.objects.filter(store_id=request.store_id, source="shopify", topic__in=TOPICS, state__in=read).update(
            body=b"", headers={}
        )
    outcome = (
        ngettext("%(count)d contact was erased.", "%(count)d contacts were erased.", len(people))
        % {"count": len(people)}
        if people
        else _("Nothing was known about this person.")
    )
    _finish(request, outcome, len(people), by)


# A shop is to be erased --------------------------------------------------------------------------


def _erase_shop(request: PrivacyRequest, by: Any) -> None:
    store = request.store
    if store is None:
        _finish(request, _("The store had been deleted before."), 0, by)
        return
    connection = Connection.objects.filter(store=store, kind="shopify").first()
    if connection is None or connection.account != request.shop:
        _finish(request, _("The store is connected to another shop by now: nothing was deleted."), 0, by, State.VOID)
        return
    if connection.connected_at > request.asked_at - AFTER_UNINSTALL:
        _finish(request, _("The shop has installed the app again: nothing was deleted."), 0, by, State.VOID)
        return
    if store.status != Store.Status.UNINSTALLED and by is None:
        # nobody has told us that the app was taken away: somebody must look before a shop that is at work goes
        PrivacyRequest.objects.filter(pk=request.pk, state=State.OPEN).update(
            state=State.HELD, outcome=_("The store is still at work. Look into it, and carry it out by hand.")
        )
        return
    Store.objects.filter(pk=store.pk).update(status=Store.Status.UNINSTALLED)
    people = _delete_in_batches(store)
    with transaction.atomic():
        outcome = _("Everything of the shop was deleted.")
        if _finish(request, outcome, F("people") + people, by):
            DeleteStore(store, by).execute(skip_permission_checks=True)
            rest = PrivacyRequest.objects.filter(store=None, shop=request.shop)
            rest.update(customer="", phone="", email="", orders=[], file=None)


def _delete_in_batches(store: Store) -> int:
    """Delete what there is most of, batch by batch, so that the last transaction is short; return how many people.

    Killed in between it goes on where it was: nothing of a shop that has gone is of use without the rest.
    """
    people = 0
    for model in (Message, Event, Delivery):
        for ids in _batches(model._base_manager.filter(store=store)):
            with transaction.atomic():
                model._base_manager.filter(pk__in=ids).delete()
    for ids in _batches(Contact._base_manager.filter(store=store)):
        with transaction.atomic(), ledger_opened(Opening.STORE_DELETED, store):
            people += len(ids)
            Contact._base_manager.filter(pk__in=ids).delete()
    return people


def _batches(rows: Any) -> Iterable[list[int]]:
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids


# What all of them end with -----------------------------------------------------------------------


def _finish(
    request: PrivacyRequest,
    outcome: str,
    people: Any,
    by: Any,
    state: PrivacyRequest.State = State.DONE,
    *,
    file: bytes | None = None,
) -> bool:
    """Write down what became of a request, and forget whom it was about; return whether nobody had done so before."""
    mine = PrivacyRequest.objects.filter(pk=request.pk, state__in=(State.OPEN, State.HELD))
    done = mine.update(
        state=state, outcome=outcome[:255], people=people, done_at=clock.now(),
        done_by=by.get_username() if by is not None else "", customer="", phone="", email="", orders=[], file=file,
    )  # fmt: skip
    if done:
        log(
            instance=request,
            action="smsflow.privacy_request",
            user=by,
            timestamp=clock.now(),
            data={"kind": request.kind, "outcome": outcome[:255]},
        )
    return bool(done)
