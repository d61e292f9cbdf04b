from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _world(settings: Any, still: Any) -> None:
    """The clock stands still, and deliveries of the source "test" are understood."""
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}
