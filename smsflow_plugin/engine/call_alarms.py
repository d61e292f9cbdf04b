"""Tells a store's people by e-mail of calls that nobody can answer for but a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.contrib.auth import get_user_model
from django.db.models import Count, Max
from django.db.models.functions import Coalesce
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.notices import StaffNotice, queue_notices
from smsflow_plugin.messaging.models import Batch
from smsflow_plugin.stores.models import Store

#: Who is told: everybody who may do something about it.
_RIGHT = "change_batch"


def tell_of_calls() -> int:
    """Queue a letter for each store that has new parked calls; return how many. A call is told of once.

    The number of statements does not depend on that of the stores.
    """
    letters = _letters()
    if not letters:
        return 0
    stores, keys = {letter[0].pk for letter in letters}, {letter[1] for letter in letters}
    known = set(StaffNotice.objects.filter(store_id__in=stores, key__in=keys).values_list("store_id", "key"))
    new = [letter for letter in letters if (letter[0].pk, letter[1]) not in known]
    to = _addresses({letter[0].pk for letter in new}) if new else {}
    return queue_notices(
        (store.pk, key, to[store.pk], subject[:200], body) for store, key, subject, body in new if store.pk in to
    )


#: Store, key, subject and body.
Letter = tuple[Store, str, str, str]


def _letters() -> list[Letter]:
    """Return a letter for each store, named after the time of its newest call: one more is one more letter."""
    waiting = (
        Batch.objects.filter(state=Batch.State.PARKED)
        .values("store_id")
        .annotate(newest=Max(Coalesce("asked_at", "started_at")), calls=Count("pk"))
    )
    found = {row["store_id"]: (row["newest"], row["calls"]) for row in waiting.order_by()}
    stores = Store.objects.in_bulk(found) if found else {}
    letters = []
    for pk, store in sorted(stores.items()):
        newest, calls = found[pk]
        with override(store.language):
            names = {"store": store.name, "calls": calls, "url": _url()}
            subject = _("%(store)s: nobody knows whether some texts were sent") % names
            body = (
                ngettext(
                    "%(store)s: %(calls)d call to the gateway was cut off, and the gateway cannot say whether it was"
                    " taken.",
                    "%(store)s: %(calls)d calls to the gateway were cut off, and the gateway cannot say whether they"
                    " were taken.",
                    calls,
                )
                % names
                + "\n\n"
                + _(
                    "Its texts are not sent again by themselves, so that nobody gets one twice. Look into the gateway's"
                    " own list, and say here what became of them:\n%(url)s"
                )
                % names
            )
            letters.append((store, f"parked:{newest.isoformat()}", subject, body))
    return letters


def _url() -> str:
    try:
        return smsflow_settings.PUBLIC_URL.rstrip("/") + reverse("smsflow_parked_calls:index")
    except NoReverseMatch:  # a site without the admin's pages
        return smsflow_settings.PUBLIC_URL


def _addresses(store_ids: Collection[int]) -> Mapping[int, list[str]]:
    """Return whom to write to, by store. One query."""
    found: dict[int, list[str]] = defaultdict(list)
    people = get_user_model().objects.filter(
        is_active=True,
        store_memberships__store_id__in=store_ids,
        store_memberships__role__permissions__content_type__app_label="smsflow",
        store_memberships__role__permissions__codename=_RIGHT,
    )
    rows = people.exclude(email="").order_by("pk").values_list("store_memberships__store_id", "email").distinct()
    for store_id, email in rows:
        found[store_id].append(email)
    return found
