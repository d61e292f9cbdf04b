from __future__ import annotations

from typing import Any

import pytest

from tests.dispatch.conftest import gateway  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _world(settings: Any, still: Any) -> None:
    """The clock stands still, and deliveries of the source "test" are understood."""
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}
