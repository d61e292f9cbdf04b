"""Triggers by which the database itself refuses to change or delete lines of the consent ledger.

They let pass only a transaction that has put a row into ``smsflow_ledgerguard``, see
``audience.ledger.ledger_opened``. SQLite drops a table's triggers whenever Django rebuilds it
for a migration, so they are put back after every ``migrate``.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

LEDGER, GUARD = "smsflow_consentrecord", "smsflow_ledgerguard"
REFUSAL = "The ledger of consent is append-only: lines are added, and neither changed nor deleted."

_TRIGGERS = {"smsflow_ledger_update": "UPDATE", "smsflow_ledger_delete": "DELETE"}


def protect(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place where they are missing."""
    if is_protected(connection) or not _has_tables(connection):
        return
    with connection.cursor() as cursor:
        for statement in _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE:
            cursor.execute(statement)


def unprotect(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away, for migrations that go back behind the guard's table."""
    with connection.cursor() as cursor:
        for name in _TRIGGERS:
            table = f" ON {LEDGER}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{table}")
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS smsflow_protect_ledger()")


def is_protected(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the database refuses changes."""
    if connection.vendor == "postgresql":
        # one that somebody has disabled (tgenabled = 'D') refuses nothing
        question = "SELECT count(*) FROM pg_trigger WHERE tgname IN (%s, %s) AND tgrelid = to_regclass(%s)"
        question += " AND tgenabled <> 'D'"
    else:
        question = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (%s, %s) AND tbl_name = %s"
    with connection.cursor() as cursor:
        cursor.execute(question, [*_TRIGGERS, LEDGER])
        return bool(cursor.fetchone()[0] == len(_TRIGGERS))


def _has_tables(connection: BaseDatabaseWrapper) -> bool:
    return {LEDGER, GUARD} <= set(connection.introspection.table_names())


_GUARDED = f"(SELECT 1 FROM {GUARD})"  # noqa: S608 - a name of ours

_SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON {LEDGER} WHEN NOT EXISTS {_GUARDED} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for name, event in _TRIGGERS.items()
]

_POSTGRESQL = [
    f"""
    CREATE OR REPLACE FUNCTION smsflow_protect_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS {_GUARDED} THEN
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
        END IF;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END $$
    """,
    *(f"DROP TRIGGER IF EXISTS {name} ON {LEDGER}" for name in _TRIGGERS),
    *(
        f"CREATE TRIGGER {name} BEFORE {event} ON {LEDGER} FOR EACH ROW EXECUTE FUNCTION smsflow_protect_ledger()"
        for name, event in _TRIGGERS.items()
    ),
]
