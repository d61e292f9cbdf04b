from __future__ import annotations

import os
from typing import Any

import pytest


def services_missing() -> str:
    missing = [name for name in ("SMSFLOW_TEST_POSTGRES", "SMSFLOW_TEST_REDIS") if not os.environ.get(name)]
    return f"needs {' and '.join(missing)}" if missing else ""


@pytest.fixture(params=["sqlite", pytest.param("postgres+redis", marks=[pytest.mark.postgres, pytest.mark.redis])])
def kind(request: Any) -> str:
    if request.param != "sqlite" and (reason := services_missing()):
        pytest.skip(reason)
    return str(request.param)
