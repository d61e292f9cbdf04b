"""The minute tick is the safety net: nothing that fails in it may keep the pumps from looking."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from smsflow_plugin import tasks
from smsflow_plugin.nudge import PUMPS
from smsflow_plugin.stores.models import Heartbeat


def test_the_pumps_look_even_when_the_heartbeat_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    insisted: list[str] = []

    def fail(**kwargs: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(tasks, "insist", lambda pump, **kwargs: insisted.append(pump))
    monkeypatch.setattr(Heartbeat.objects, "update_or_create", fail)
    with pytest.raises(OperationalError):
        tasks.tick.call_local()
    assert sorted(insisted) == sorted(PUMPS)
