from __future__ import annotations

from tests.engine.conftest import _world, gateway  # noqa: F401 - fixtures
