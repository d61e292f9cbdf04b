"""Writes to a store's admins when its gateway takes nothing any more: once for each incident.

The gateway says so in dispatch, which stands below the letters; what it leaves in the connection's settings is found
here, by the pump ``watch``.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.notices import queue_notices
from smsflow_plugin.engine.trip_letters import store_admins
from smsflow_plugin.messaging.settling import ONE_INCIDENT, PAUSE, blocked_since, paused_until
from smsflow_plugin.stores.models import Connection, Store


def tell_of_blocked(now: datetime) -> int:
    """Queue an e-mail for each connection that is blocked and of which nobody was told; return how many."""
    rows = Connection.objects.filter(
        kind__in=list(smsflow_settings.GATEWAYS),
        store__status=Store.Status.ACTIVE,
        settings__has_key=PAUSE,
    )
    blocked = [
        (connection, since)
        for connection in rows.select_related("store").defer("secrets").order_by("pk")
        if (since := blocked_since(connection.settings)) and _lasts(connection, now)
    ]
    if not blocked:
        return 0
    admins = store_admins({connection.store_id for connection, _since in blocked})
    return queue_notices(
        _letter(connection, since, admins.get(connection.store_id, [])) for connection, since in blocked
    )


def _lasts(connection: Connection, now: datetime) -> bool:
    until = paused_until(connection.settings)
    return until is not None and now - until < ONE_INCIDENT


def _letter(connection: Connection, since: datetime, to: list[str]) -> tuple[int, str, list[str], str, str]:
    store = connection.store
    with override(store.language):
        names = {"store": store, "why": connection.settings[PAUSE].get("reason", "")}
        subject = _("The gateway takes no texts of %(store)s") % names
        lines = [
            f"{subject}.",
            _("It says: %(why)s") % names,
            _(
                "Texts wait meanwhile, and are tried again every five minutes; those that get too old are dropped. "
                "Look at the credit of the account and at the connection of the store, and save it: then it is tried "
                "at once."
            ),
        ]
        # by its name only: a site without the screens has none
        with suppress(NoReverseMatch):
            address = smsflow_settings.PUBLIC_URL.rstrip("/") + reverse("smsflow_stores:edit", args=[store.pk])
            lines.append(_("Look at it here: %(address)s") % {"address": address})
        key = f"gateway:{connection.pk}:{since:%Y%m%d%H%M%S}"
        return store.pk, key, to, subject[:200], "\n\n".join(lines) + "\n"
