"""Settings of the worker process that ``test_worker`` starts: database and queue are files of its own."""

import os
from pathlib import Path
from typing import Any

from tests.settings import *  # noqa: F403
from tests.settings import SMSFLOW

FOLDER = Path(os.environ["SMSFLOW_TEST_FOLDER"])
HUEY: dict[str, Any] = {
    "huey_class": "huey.SqliteHuey",
    "name": "worker",
    "immediate": False,
    "connection": {"filename": str(FOLDER / "huey.sqlite3")},
}
SMSFLOW = {**SMSFLOW, "GATEWAYS": {"null": "smsflow_plugin.messaging.gateway.NullGateway"}}


class NoMigrations:
    """Makes all tables at once: the worker is what is tested, not the way to its tables."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = NoMigrations()
