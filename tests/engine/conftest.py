from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.engine.facts import Programs


@pytest.fixture(autouse=True)
def _world(settings: Any, still: Any) -> None:
    """The clock stands still, and deliveries of the source "test" are understood."""
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}
    # ids are used again by the next test's rows
    Programs._kept.clear()
