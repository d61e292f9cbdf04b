"""What forms leave to the purge: who tried to sign up is told by hashes, which limits ask for a few days only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from smsflow_plugin.engine import purging
from smsflow_plugin.engine.purging import Kind, Rows
from smsflow_plugin.signup.models import OptInAttempt


def _attempts(before: datetime) -> Rows:
    return OptInAttempt.objects.filter(at__lt=before).exclude(phone_hash="")


def _blank_attempts(rows: Rows, now: datetime) -> int:
    """Leave when, where and what came of it: forms count that for good."""
    return int(rows.update(phone_hash="", ip_hash="", prefix="", key=""))


#: Everything that is purged.
KINDS: Mapping[str, Kind] = {**purging.KINDS, "attempts": Kind(_attempts, _blank_attempts)}
