"""Carries every decision over into the new table, a few thousand at a time.

Each batch is committed on its own, and a run that was broken off goes on behind the last row that it has written.
What the numbers mean stands here as it was when this was written; ``governance.codes`` only ever adds to it.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from django.core.management.color import no_style
from django.db import migrations, transaction

BATCH = 5000

VERDICTS = ["", "allow", "defer", "skip"]
CLASSES = ["", "marketing", "service", "optin", "reply"]
REASONS = [
    "", "allowed", "no_phone", "no_consent", "opted_out", "quiet_hours", "cap_day", "cap_week", "minimum_gap", "stale",
    "audience", "missing_data", "store_off", "flow_off", "never_open", "reentry", "too_late", "flow_paused",
    "flow_full", "handed_over", "chain", "cap_hour", "cap_month", "cap_law", "look_ahead", "panic", "suppressed",
    "unclear_reply", "preference", "preference_week", "recent_buyer", "open_case", "in_other_flow", "converted",
    "cart_rule", "cart_opt_in", "country", "budget", "price", "incentive", "same_run",
]  # fmt: skip

COLUMNS = ("id", "store_id", "contact_id", "flow_id", "enrollment_id", "at", "until", "policy_id", "visit", "step")
WORDS = ("verdict", "reason", "message_class")


def forwards(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    old = apps.get_model("smsflow", "Decision").objects.using(alias)
    new_model = apps.get_model("smsflow", "LedgerRow")
    new = new_model.objects.using(alias)
    last = new.order_by("-pk").values_list("pk", flat=True).first() or 0
    while True:
        rows = list(old.filter(pk__gt=last).order_by("pk").values(*COLUMNS, *WORDS, "notes")[:BATCH])
        if not rows:
            break
        with transaction.atomic(using=alias):
            new.bulk_create([new_model(**_new(row)) for row in rows])
        last = rows[-1]["id"]
    _count_on(schema_editor, new_model)


def _count_on(schema_editor: Any, model: Any) -> None:
    """Let new rows get numbers behind those that were copied."""
    for sql in schema_editor.connection.ops.sequence_reset_sql(no_style(), [model]):
        schema_editor.execute(sql)


def _new(row: dict[str, Any]) -> dict[str, Any]:
    notes = list(row.pop("notes") or ())
    for name, words in zip(WORDS, (VERDICTS, REASONS, CLASSES), strict=True):
        word = row[name]
        if word not in words:  # nobody knows it, and it is still said
            notes.append({name: word})
        row[name] = words.index(word) if word in words else 0
    return {**row, "notes": _line(notes)}


def backwards(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    old_model = apps.get_model("smsflow", "Decision")
    old = old_model.objects.using(alias)
    new = apps.get_model("smsflow", "LedgerRow").objects.using(alias)
    last = old.order_by("-pk").values_list("pk", flat=True).first() or 0
    while True:
        # whom nobody knows any more has no place in the old table
        fresh = new.filter(pk__gt=last, contact__isnull=False)
        rows = list(fresh.order_by("pk").values(*COLUMNS, *WORDS, "notes")[:BATCH])
        if not rows:
            break
        last = rows[-1]["id"]
        for row in rows:
            row["notes"] = _notes(row["notes"])
            for name, words in zip(WORDS, (VERDICTS, REASONS, CLASSES), strict=True):
                row[name] = words[row[name]] if row[name] < len(words) else str(row[name])
        with transaction.atomic(using=alias):
            old.bulk_create([old_model(**row) for row in rows])
    _count_on(schema_editor, old_model)


# Notes as a line: see governance.notes ------------------------------------------------------------

_WORD = re.compile(r"[A-Za-z_][\w.:/+-]*\Z", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00\Z")
_TOKEN = re.compile(r'(?P<name>[^\s=;"]+)=|(?P<json>(?:"(?:[^"\\]|\\.)*"|[^\s;"])+)|(?P<end>;)')


def _line(notes: list[dict[str, Any]]) -> str:
    return "; ".join(" ".join(_pair(name, value) for name, value in _first(note).items()) for note in notes if note)


def _first(note: dict[str, Any]) -> dict[str, Any]:
    """Return the note with its rule at the front."""
    return {"rule": note["rule"], **note} if _is_word(note.get("rule")) else note


def _is_word(value: Any) -> bool:
    words = ("true", "false", "null", "NaN", "Infinity")
    return isinstance(value, str) and bool(_WORD.match(value)) and value not in words


def _pair(name: str, value: Any) -> str:
    if _is_word(value):
        return value if name == "rule" else f"{name}={value}"
    if isinstance(value, str) and _MOMENT.match(value):
        at = datetime.fromisoformat(value)
        micro = f".{at.microsecond:06d}" if at.microsecond else ""
        return f"{name}=@{int(at.replace(microsecond=0).timestamp())}{micro}"
    return f"{name}={json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"


def _notes(line: str) -> list[dict[str, Any]]:
    notes: list[dict[str, Any]] = [{}]
    name = ""
    for token in _TOKEN.finditer(line):
        if token["end"]:
            notes.append({})
            name = ""
        elif token["name"]:
            name = token["name"]
        else:
            notes[-1][name or "rule"] = _value(token["json"])
            name = ""
    return [note for note in notes if note]


def _value(text: str) -> Any:
    if text.startswith("@"):
        seconds, _point, micro = text[1:].partition(".")
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micro or 0)).isoformat()
    try:
        return json.loads(text)
    except ValueError:
        return text


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("smsflow", "0010_ledger")]

    operations = [migrations.RunPython(forwards, backwards)]
