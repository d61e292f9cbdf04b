"""System checks: what would only be noticed when a text is lost, said when the site starts.

Those of ``deploy`` run with ``manage.py check --deploy`` and guard a real site.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.utils.module_loading import import_string

from smsflow_plugin.conf import smsflow_settings

APP = "smsflow"
#: Apps that SMSFlow's screens, fields and tasks need.
NEEDED_APPS = (
    "smsflow_plugin.admin_panels",
    "wagtail",
    "wagtail.admin",
    "wagtail.images",
    "wagtail.snippets",
    "wagtail.search",
    "wagtail.users",
    "phonenumber_field",
    "huey.contrib.djhuey",
)
#: Fields that the form of a large flow posts.
NEEDED_FIELDS = 5_000

Found = list[CheckMessage]
Apps = Sequence[AppConfig] | None


@register(APP)
def check_settings(app_configs: Apps, **kwargs: Any) -> Found:
    """The dictionary SMSFLOW: no unknown key, and every dotted path leads somewhere."""
    try:
        gateways, translators = smsflow_settings.GATEWAYS, smsflow_settings.TRANSLATORS
        _ = smsflow_settings.CLOCK
    except (ImproperlyConfigured, ImportError) as error:
        return [Error(str(error), hint="Compare the setting SMSFLOW with docs/install.md.", id="smsflow.E008")]
    found: Found = []
    for setting, paths in (("GATEWAYS", gateways), ("TRANSLATORS", translators)):
        for kind, path in paths.items():
            try:
                import_string(path)
            except ImportError as error:
                found.append(Error(f"SMSFLOW[{setting!r}][{kind!r}] cannot be imported: {error}.", id="smsflow.E012"))
    return found


@register(APP)
def check_encryption_keys(app_configs: Apps, **kwargs: Any) -> Found:
    try:
        keys = smsflow_settings.ENCRYPTION_KEYS
    except ImproperlyConfigured:
        return []  # smsflow.E008 speaks of it
    hint = "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
    if not keys:
        return [Error("SMSFLOW['ENCRYPTION_KEYS'] is empty: credentials cannot be stored.", hint, id="smsflow.E001")]
    return [
        Error(f"SMSFLOW['ENCRYPTION_KEYS'][{place}] is not a Fernet key.", hint, id="smsflow.E002")
        for place, key in enumerate(keys)
        if not _is_fernet_key(key)
    ]


@register(APP)
def check_apps(app_configs: Apps, **kwargs: Any) -> Found:
    return [
        Error(f"SMSFlow needs {name!r} in INSTALLED_APPS.", hint="See docs/install.md.", id="smsflow.E003")
        for name in NEEDED_APPS
        if not apps.is_installed(name)
    ]


@register(APP, Tags.database)
def check_sqlite(app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any) -> Found:
    """Looks at settings only, but runs where databases are checked as well."""
    return [
        Warning(
            f"The SQLite database {alias!r} is not in the transaction mode IMMEDIATE.",
            hint=(
                "Autosave, previews and the worker write at the same moment; without it they fail with "
                "'database is locked'. Set OPTIONS['transaction_mode'] = 'IMMEDIATE'."
            ),
            id="smsflow.W004",
        )
        for alias, database in settings.DATABASES.items()
        if database["ENGINE"].endswith("sqlite3")
        and str(database.get("OPTIONS", {}).get("transaction_mode", "")).upper() != "IMMEDIATE"
    ]


@register(APP)
def check_form_size(app_configs: Apps, **kwargs: Any) -> Found:
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    if limit is None or limit >= NEEDED_FIELDS:
        return []
    return [
        Error(
            f"DATA_UPLOAD_MAX_NUMBER_FIELDS is {limit}: a large flow could not be saved.",
            hint=f"Set it to {NEEDED_FIELDS} or more.",
            id="smsflow.E005",
        )
    ]


@register(APP)
def check_time_zones(app_configs: Apps, **kwargs: Any) -> Found:
    if settings.USE_TZ:
        return []
    return [Error("USE_TZ must be on: quiet hours are wall times in many zones.", id="smsflow.E006")]


@register(APP)
def check_tasks(app_configs: Apps, **kwargs: Any) -> Found:
    return [
        Warning(
            f"TASKS[{alias!r}] runs on Huey without ENQUEUE_ON_COMMIT.",
            hint="A task could run before its rows are committed, and not find them. Set it to True.",
            id="smsflow.W007",
        )
        for alias, task in (getattr(settings, "TASKS", None) or {}).items()
        if "huey" in task.get("BACKEND", "") and not task.get("ENQUEUE_ON_COMMIT")
    ]


@register(APP)
def check_reconcile(app_configs: Apps, **kwargs: Any) -> Found:
    timeout = smsflow_settings.GATEWAY_TIMEOUT
    longest = sum(timeout) if isinstance(timeout, (tuple, list)) else timeout
    if longest < smsflow_settings.RECONCILE_AFTER:
        return []
    return [
        Warning(
            f"SMSFLOW['RECONCILE_AFTER'] is {smsflow_settings.RECONCILE_AFTER} s, "
            f"but a gateway call may take {longest} s.",
            hint="A call that is still under way could be taken for lost, and its texts sent twice. Make it longer.",
            id="smsflow.W013",
        )
    ]


@register(APP, Tags.security, deploy=True)
def check_queue_for_deployment(app_configs: Apps, **kwargs: Any) -> Found:
    huey = getattr(settings, "HUEY", None)
    immediate = huey.get("immediate", settings.DEBUG) if isinstance(huey, dict) else getattr(huey, "immediate", False)
    if not immediate:
        return []
    return [
        Error(
            "Huey runs tasks at once, inside the request.",
            hint="Vendors would wait for the whole work of a webhook. Set HUEY['immediate'] = False and run a worker.",
            id="smsflow.E009",
        )
    ]


@register(APP, Tags.security, deploy=True)
def check_demo_for_deployment(app_configs: Apps, **kwargs: Any) -> Found:
    """The demo's secrets are published in the source; the simulator's screens make up events."""
    try:
        switched_on = [name for name in ("DEMO", "SIMULATOR") if getattr(smsflow_settings, name)]
    except ImproperlyConfigured:
        return []
    return [
        Error(
            f"SMSFLOW[{name!r}] is on.",
            hint="Anybody could sign webhooks or make up replies. Never switch it on where real people get texts.",
            id="smsflow.E010",
        )
        for name in switched_on
    ]


@register(APP, Tags.security, deploy=True)
def check_public_url_for_deployment(app_configs: Apps, **kwargs: Any) -> Found:
    try:
        url = urlsplit(smsflow_settings.PUBLIC_URL)
    except ImproperlyConfigured:
        return []
    if url.scheme == "https" and url.hostname not in (None, "localhost", "127.0.0.1", "::1"):
        return []
    return [
        Error(
            f"SMSFLOW['PUBLIC_URL'] is {smsflow_settings.PUBLIC_URL!r}: vendors cannot reach it safely.",
            hint="Set it to the site's public https:// address.",
            id="smsflow.E011",
        )
    ]


@register(APP, Tags.security, deploy=True)
def check_phone_pepper_for_deployment(app_configs: Apps, **kwargs: Any) -> Found:
    try:
        given = bool(smsflow_settings.PHONE_PEPPER)
    except ImproperlyConfigured:
        return []
    if given:
        return []
    return [
        Error(
            "SMSFLOW['PHONE_PEPPER'] is empty: the suppression list hangs on the encryption keys.",
            hint=(
                "With the next key that is thrown away, suppressed numbers would be forgotten and texted again. "
                "Set it to what “manage.py smsflow_pepper” prints, and keep it with your other secrets for ever."
            ),
            id="smsflow.E015",
        )
    ]


@register(APP, Tags.database)
def check_suppression_keys(app_configs: Apps, databases: Sequence[str] | None = None, **kwargs: Any) -> Found:
    """Numbers that were hashed with a key that is gone are on the list, and are never found there."""
    from smsflow_plugin.audience.phone_keys import key_ids
    from smsflow_plugin.audience.suppression import Suppression

    lost = 0
    try:
        for alias in databases or ():
            lost += Suppression.objects.using(alias).exclude(key_id__in=key_ids()).count()
    except (DatabaseError, ImproperlyConfigured):
        return []  # not migrated yet, or without any key: others speak of it
    if not lost:
        return []
    return [
        Error(
            f"{lost} numbers on the suppression list were hashed with a key that is no longer configured.",
            hint="They would be texted again. Add the old text to SMSFLOW['PHONE_PEPPER'], behind the new one.",
            id="smsflow.E016",
        )
    ]


def _is_fernet_key(key: Any) -> bool:
    try:
        Fernet(key)
    except (TypeError, ValueError):
        return False
    return True
