"""Looks at everything that a text needs to get out, and says how to mend what is wrong.

Each examination is a function that yields ``Finding``s. None of them changes anything
that stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib import import_module
from urllib.parse import urlsplit

import requests
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.governance.trip_words import sentence
from smsflow_plugin.measurement.usage import differences
from smsflow_plugin.messaging.gateway import GatewayUnavailable, gateway_for
from smsflow_plugin.models import (
    Batch,
    BreakerTrip,
    Connection,
    Delivery,
    Heartbeat,
    InboundPoll,
    PanicStop,
    Store,
)
from smsflow_plugin.stores.crypto import CannotDecrypt

#: A worker that has not shown itself for so long is not running: it does so every minute.
SILENCE = timedelta(minutes=3)
#: For so long a gateway may be silent about what people wrote: it is asked every hour.
UNREAD = timedelta(hours=24)
#: Seconds for the question whether our own address answers.
TIMEOUT = (3.05, 10)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy`` is empty when nothing is wrong."""

    area: str
    ok: bool
    message: str
    remedy: str = ""

    def as_json(self) -> dict[str, str | bool]:
        return asdict(self)


def examine() -> Iterator[Finding]:
    """Yield every finding. What needs the database is left out when the database is ill."""
    yield from settings()
    healthy = True
    for finding in database():
        healthy = healthy and finding.ok
        yield finding
    yield from queue()
    if not healthy:
        return
    for examination in (worker, gateways, calls, inbound_texts, counted_parts, stops, parked):
        yield from examination()
    yield from webhooks()


def settings() -> Iterator[Finding]:
    # those that ask the database pass over one that is ill
    found = checks.run_checks(databases=["default"])
    serious = [message for message in found if message.is_serious() or message.id == "smsflow.W004"]
    for message in serious:
        yield Finding("settings", False, f"{message.id}: {message.msg}", message.hint or _("See docs/install.md."))
    if not serious:
        yield Finding("settings", True, _("The settings are complete."))


def database() -> Iterator[Finding]:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        yield Finding(
            "database",
            False,
            _("The database cannot be reached: %(error)s") % {"error": error},
            _("Check DATABASE_URL, and that the database server runs."),
        )
        return
    yield Finding("database", True, _("The database answers (%(vendor)s).") % {"vendor": connection.vendor})
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        text = ngettext("%(count)d migration is missing.", "%(count)d migrations are missing.", missing)
        yield Finding("database", False, text % {"count": missing}, _("Run: manage.py migrate"))
    else:
        yield Finding("database", True, _("All migrations are applied."))
    if connection.vendor == "sqlite":
        yield from _sqlite()


def _sqlite() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = cursor.fetchone()[0]
    # a database in memory belongs to one process and has no journal
    if mode in ("wal", "memory"):
        yield Finding(
            "database", True, _("SQLite lets the worker write while the site reads (%(mode)s).") % {"mode": mode}
        )
    else:
        yield Finding(
            "database",
            False,
            _("SQLite is in the journal mode %(mode)s: the site and the worker block each other.") % {"mode": mode},
            _("Set OPTIONS['init_command'] of the database to 'PRAGMA journal_mode=WAL;'."),
        )


def queue() -> Iterator[Finding]:
    from huey.contrib.djhuey import HUEY

    key, value = f"smsflow.doctor.{secrets.token_hex(8)}", secrets.token_bytes(8)
    try:
        HUEY.storage.put_data(key, value)
        read = bytes(HUEY.storage.pop_data(key))
        waiting = HUEY.pending_count()
    except Exception as error:  # noqa: BLE001 - each storage has errors of its own, all mean the same here
        yield Finding(
            "queue",
            False,
            _("The queue cannot be used: %(error)s") % {"error": error},
            _("Check the setting HUEY (HUEY_URL), and that its server runs."),
        )
        return
    if read != value:
        yield Finding(
            "queue", False, _("The queue does not return what was put into it."), _("Check the setting HUEY.")
        )
    else:
        yield Finding("queue", True, _("The queue works; %(count)d tasks wait in it.") % {"count": waiting})


def worker() -> Iterator[Finding]:
    last = Heartbeat.objects.filter(name="worker").values_list("at", flat=True).first()
    remedy = _("Start a worker: manage.py run_huey (or everything together: manage.py smsflow_serve).")
    if last is None:
        yield Finding("worker", False, _("No worker has ever run."), remedy)
    elif clock.now() - last > SILENCE:
        minutes = int((clock.now() - last).total_seconds() // 60)
        text = _("No worker has shown itself for %(minutes)d minutes: nothing is sent.") % {"minutes": minutes}
        yield Finding("worker", False, text, remedy)
    else:
        yield Finding("worker", True, _("A worker runs."))


def gateways() -> Iterator[Finding]:
    found = False
    for pk, kind, store in Connection.objects.filter(kind__in=smsflow_settings.GATEWAYS).values_list(
        "pk", "kind", "store__name"
    ):
        found = True
        yield _gateway(pk, kind, store)
    if not found:
        yield Finding(
            "gateway", False, _("No store has a gateway: nothing can be sent."), _("Add one in the store's settings.")
        )


def _gateway(pk: int, kind: str, store: str) -> Finding:
    names = {"store": store, "kind": kind}
    try:
        own = Connection.objects.get(pk=pk)
        gateway = gateway_for(kind, token=own.token, account=own.account, secrets=own.secrets, settings=own.settings)
        said = gateway.check()
    except GatewayUnavailable as error:
        remedy = _("Check the account and its token in the store's settings, and the vendor's status page.")
        return Finding("gateway", False, _("%(store)s (%(kind)s): %(error)s") % {**names, "error": error}, remedy)
    except (CannotDecrypt, ImproperlyConfigured, ImportError) as error:
        remedy = _("Put the key that was removed back into SMSFLOW['ENCRYPTION_KEYS'], or enter the credentials again.")
        return Finding("gateway", False, _("%(store)s (%(kind)s): %(error)s") % {**names, "error": error}, remedy)
    return Finding("gateway", True, _("%(store)s (%(kind)s): %(said)s") % {**names, "said": said})


def calls() -> Iterator[Finding]:
    """Tell of calls of which nobody knows whether they were made."""
    count = Batch.objects.filter(state=Batch.State.PARKED).count()
    if not count:
        yield Finding("calls", True, _("It is known what became of every call to a gateway."))
        return
    text = ngettext(
        "Nobody knows whether %(count)d call to a gateway was made.",
        "Nobody knows whether %(count)d calls to gateways were made.",
        count,
    )
    remedy = _("Look into the gateway's own list, and say it under “SMS flows › Unanswered calls”.")
    yield Finding("calls", False, text % {"count": count}, remedy)


def inbound_texts() -> Iterator[Finding]:
    """Tell of gateways that could not be asked for a day what people wrote."""
    late = Q(read_until__lte=clock.now() - UNREAD) | Q(
        read_until__isnull=True, connection__connected_at__lte=clock.now() - UNREAD
    )
    found = InboundPoll.objects.filter(late, connection__store__status=Store.Status.ACTIVE)
    for poll in found.select_related("connection__store").defer("connection__secrets").order_by("pk"):
        if not _lists_inbounds(poll.connection.kind):
            continue
        text = _("%(store)s (%(kind)s) could not be asked for a day what people wrote: a STOP may be missing.")
        names = {"store": poll.connection.store.name, "kind": poll.connection.kind}
        yield Finding("inbound texts", False, text % names, _("Check the connection, and whether the worker runs."))


def _lists_inbounds(kind: str) -> bool:
    path = smsflow_settings.GATEWAYS.get(kind)
    with suppress(ImportError):
        return bool(path and import_string(path).capabilities.lists_inbounds)
    return False


def counted_parts() -> Iterator[Finding]:
    """Tell where gateways count other parts than we do."""
    for store, sentence_ in differences(clock.now()):
        remedy = _("Compare with the gateway's bill. If it is right, report the texts as an error in our count.")
        yield Finding("parts", False, f"{store}: {sentence_}", remedy)


def stops() -> Iterator[Finding]:
    """Tell what people or circuit breakers have stopped, and nobody has let go yet."""
    found = False
    trips = BreakerTrip.objects.filter(state=BreakerTrip.State.OPEN).select_related("store", "flow").order_by("pk")
    for stop in PanicStop.objects.filter(released_at=None).select_related("store").order_by("pk"):
        found = True
        why = f" {stop.reason}" if stop.reason else ""
        text = _("All texts of %(what)s are stopped.") % {"what": stop}
        yield Finding("stops", False, f"{text}{why}", _("Let them go again when it is clear what was wrong."))
    for trip in trips:
        found = True
        text = _("A circuit breaker has stopped “%(name)s”.") % {"name": trip.flow or trip.store}
        yield Finding("stops", False, f"{text} {sentence(trip)}", _("Decide under “SMS flows › Breakers”."))
    if not found:
        yield Finding("stops", True, _("Nothing is stopped."))


def parked() -> Iterator[Finding]:
    count = Delivery.objects.filter(state=Delivery.State.PARKED).count()
    if not count:
        yield Finding("deliveries", True, _("Every delivery was understood."))
        return
    text = ngettext(
        "%(count)d delivery was not understood and is parked.",
        "%(count)d deliveries were not understood and are parked.",
        count,
    )
    yield Finding(
        "deliveries",
        False,
        text % {"count": count},
        _("See why under “SMS flows › Deliveries”, and replay them."),
    )


def webhooks() -> Iterator[Finding]:
    """Post nothing to our own webhook addresses: a site that is reached refuses it as unsigned."""
    paths = list(_webhook_paths())
    if not paths:
        yield Finding(
            "webhooks",
            False,
            _("The site's URLs do not include those of SMSFlow."),
            _('Add path("smsflow/", include("smsflow_plugin.urls")) to the URLs.'),
        )
    for path in paths:
        yield _webhook(smsflow_settings.PUBLIC_URL.rstrip("/") + path)


def _webhook_paths() -> Iterator[str]:
    """Yield the addresses that every vendor's adapter answers at, but not those of a single connection."""
    for vendor in smsflow_settings.WEBHOOK_URLS:
        for name in {pattern.name for pattern in import_module(smsflow_settings.WEBHOOK_URLS[vendor]).urlpatterns}:
            with suppress(NoReverseMatch):
                yield reverse(f"smsflow:{vendor}:{name}")


def _webhook(url: str) -> Finding:
    remedy = _("Vendors call this address. Check PUBLIC_URL, DNS, the certificate and the proxy in front of the site.")
    try:
        with requests.Session() as session:
            session.trust_env = urlsplit(url).hostname not in ("localhost", "127.0.0.1", "::1")
            status = session.post(url, data=b"", timeout=TIMEOUT, allow_redirects=False).status_code
    except requests.RequestException as error:
        text = _("%(url)s cannot be reached (%(error)s).") % {"url": url, "error": type(error).__name__}
        return Finding("webhooks", False, text, remedy)
    if status != 401:
        text = _("%(url)s answered with status %(status)d instead of 401.") % {"url": url, "status": status}
        return Finding("webhooks", False, text, remedy)
    return Finding("webhooks", True, _("%(url)s answers, and refuses what is not signed.") % {"url": url})
