"""Writes to whoever answers for what a circuit breaker has stopped, in the language of the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.contrib.auth import get_user_model
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.notices import queue_notices
from smsflow_plugin.flows.owners import owner_addresses
from smsflow_plugin.governance.trip_words import sentence
from smsflow_plugin.governance.trips import BreakerTrip
from smsflow_plugin.stores.roles import STORE_ADMIN


def letters(trips: Sequence[BreakerTrip]) -> int:
    """Queue an e-mail for each trip: to the flow's owner, else to the store's admins."""
    admins = store_admins({trip.store_id for trip in trips})
    owners = owner_addresses(trip.flow_id for trip in trips if trip.flow_id)
    return queue_notices(
        _letter(trip, [owners[trip.flow_id]] if trip.flow_id in owners else admins.get(trip.store_id, []))
        for trip in trips
    )


def store_admins(store_ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the addresses of the admins of these stores, with one query."""
    users = get_user_model().objects.filter(
        is_active=True, store_memberships__store_id__in=list(store_ids), store_memberships__role__name=STORE_ADMIN
    )
    found: dict[int, list[str]] = defaultdict(list)
    for store_id, email in users.order_by("email").values_list("store_memberships__store_id", "email").distinct():
        if email:
            found[store_id].append(email)
    return found


def _letter(trip: BreakerTrip, to: list[str]) -> tuple[int, str, list[str], str, str]:
    with override(trip.store.language):
        if trip.flow:
            subject = _("“%(flow)s” was paused") % {"flow": trip.flow}
            meaning = _(
                "Nobody enters it, and everybody inside stays where they are. Nothing goes on until somebody decides: "
                "resume it, or close it."
            )
        else:
            subject = _("All texts of %(store)s were stopped") % {"store": trip.store}
            meaning = _(
                "Texts of several flows fail, so the number or the gateway is probably to blame. Nothing leaves until "
                "somebody lets the store go on; nobody is lost meanwhile."
            )
        lines = [f"{subject}.", sentence(trip), meaning]
        if address := _address(trip):
            lines.append(_("Look at it here: %(address)s") % {"address": address})
        return trip.store_id, f"breaker:{trip.pk}", to, subject[:200], "\n\n".join(lines) + "\n"


def _address(trip: BreakerTrip) -> str:
    # by its name only: a site without the screens has none
    with suppress(NoReverseMatch):
        return smsflow_settings.PUBLIC_URL.rstrip("/") + reverse("smsflow_breakers:inspect", args=[trip.pk])
    return ""
