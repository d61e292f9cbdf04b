"""Notes which days of a store have to be counted anew: see ``stores.changes``, where every room can reach it."""

from __future__ import annotations

from smsflow_plugin.stores.changes import ChangedDay, note, note_days

__all__ = ["ChangedDay", "note", "note_days"]
