from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from smsflow_plugin.conf import DEFAULTS
from smsflow_plugin.models import Store
from tests.factories import make_store


@pytest.fixture(autouse=True)
def _world(settings: Any, still: Any) -> Iterator[None]:
    """The clock stands still, nobody has guessed yet, and deliveries of tests and of links are understood."""
    translators = {"test": "tests.engine.helpers.translate", "links": DEFAULTS["TRANSLATORS"]["links"]}
    settings.SMSFLOW = {**settings.SMSFLOW, "TRANSLATORS": translators}
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def shop(db: None) -> Store:
    """A store that shortens its links."""
    return make_store(website="https://sierra-gear.example", shorten_links=True)
