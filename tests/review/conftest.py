from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from smsflow_plugin.engine.facts import Programs
from tests.dispatch.conftest import connection, queue
from tests.dispatch.scripted import ScriptedGateway

__all__ = ["connection", "queue"]


@pytest.fixture(autouse=True)
def gateway(settings: Any, still: Any) -> Iterator[type[ScriptedGateway]]:
    """The clock stands still, "test" deliveries are understood, and "sinch" connections do as they are told."""
    ScriptedGateway.reset()
    settings.SMSFLOW = {
        **settings.SMSFLOW,
        "TRANSLATORS": {"test": "tests.engine.helpers.translate"},
        "GATEWAYS": {"sinch": "tests.dispatch.scripted.ScriptedGateway"},
    }
    Programs._kept.clear()
    yield ScriptedGateway
    ScriptedGateway.reset()
