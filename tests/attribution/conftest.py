from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _world(request: Any) -> None:
    """The clock stands still, and deliveries of the source "test" are understood, where the database is used."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("still")
        settings = request.getfixturevalue("settings")
        settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": {"test": "tests.engine.helpers.translate"}}
