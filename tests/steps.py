"""The migrations one by one, also where one stands for many of them."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader


def models_after(name: str) -> Any:
    """Return the models as they stand after migration ``name`` of ``smsflow``."""
    return MigrationLoader(connection, replace_migrations=False).project_state(("smsflow", name)).apps
