from __future__ import annotations

from tests.dispatch.conftest import gateway  # noqa: F401 - a fixture
