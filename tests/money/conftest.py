from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _world(settings: Any, still: Any) -> None:
    """The clock stands still, deliveries of the source "test" are understood, and codes are made up."""
    settings.SMSFLOW = {
        **settings.SMSFLOW,
        "TRANSLATORS": {"test": "tests.engine.helpers.translate"},
        "PERFORMERS": {
            **settings.SMSFLOW.get("PERFORMERS", {}),
            "discount": "tests.money.shop.make",
            "notice": "smsflow_plugin.integrations.outgoing.mail.to_staff",
        },
    }
