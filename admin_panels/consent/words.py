"""Lines of the ledger of consent as somebody reads them who has to prove them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.models import ConsentRecord

#: How much of a hash is shown: enough to compare it by eye.
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Proof:
    """A line, and what stands behind it as pairs of label and value."""

    record: ConsentRecord
    facts: list[tuple[str, Any]]


def proofs(records: Iterable[ConsentRecord]) -> list[Proof]:
    return [
        Proof(record, [(label, value) for label, value in _facts(record) if value not in ("", None)])
        for record in records
    ]


def _facts(record: ConsentRecord) -> list[tuple[str, Any]]:
    return [
        (_("How"), record.get_channel_display()),
        (_("Opt-in"), record.get_opt_in_level_display()),
        (_("Programme"), record.programme),
        (_("Number"), record.phone),
        (_("Name at that time"), record.name),
        (_("Recorded by"), record.actor),
        (_("Form"), _form(record)),
        (_("Text beside the box"), record.disclosure),
        (_("Box"), _box(record.box_ticked)),
        (_("Page"), record.source_url),
        (_("IP address"), record.ip),
        (_("Browser"), record.user_agent),
        *((name.replace("_", " "), _plain(value)) for name, value in sorted(record.evidence.items())),
        (_("Hash"), f"{record.hash[:SHOWN]}…" if record.hash else ""),
    ]


def _form(record: ConsentRecord) -> str:
    if not record.form_version:
        return record.form
    return _("%(form)s, version %(version)s") % {"form": record.form, "version": record.form_version[:SHOWN]}


def _box(ticked: bool | None) -> str:
    if ticked is None:
        return ""
    return _("Ticked") if ticked else _("Not ticked")


def _plain(value: Any) -> str:
    return "" if value in (None, [], {}) else str(value)
