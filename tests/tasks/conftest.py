from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY
from huey.storage import BaseStorage, MemoryStorage, PostgresStorage, RedisStorage, SqliteStorage

STORAGES = [
    "memory",
    "sqlite",
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("postgres", marks=pytest.mark.postgres),
]


def make_storage(kind: str, folder: Path) -> BaseStorage:
    name = f"smsflow-test-{uuid.uuid4().hex}"
    if kind == "redis":
        url = os.environ.get("SMSFLOW_TEST_REDIS") or pytest.skip("SMSFLOW_TEST_REDIS is not set")
        return RedisStorage(name, url=url)
    if kind == "postgres":
        dsn = os.environ.get("SMSFLOW_TEST_POSTGRES") or pytest.skip("SMSFLOW_TEST_POSTGRES is not set")
        return PostgresStorage(name, dsn=dsn, table_prefix=f"smsflow_{uuid.uuid4().hex[:8]}")
    return SqliteStorage(name, filename=str(folder / "huey.sqlite3")) if kind == "sqlite" else MemoryStorage(name)


@pytest.fixture
def queue(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Huey on a storage of its own; "memory" unless the test asks for another."""
    storage = make_storage(getattr(request, "param", "memory"), tmp_path)
    monkeypatch.setattr(HUEY, "storage", storage)
    yield HUEY
    storage.flush_all()
    if isinstance(storage, PostgresStorage):
        for table in (storage.table_kv, storage.table_schedule, storage.table_task, storage.table_counter):
            storage.sql(f"DROP TABLE {table}")
    storage.close()


def names(huey: Any) -> list[str]:
    """Return the names of the tasks that wait in the queue, in order."""
    return [task.name for task in huey.pending()]


def work_off(huey: Any) -> list[str]:
    """Do as a worker does until the queue is empty; return the names of what ran."""
    ran = []
    while (task := huey.dequeue()) is not None:
        ran.append(task.name)
        huey.execute(task)
        assert len(ran) < 100, "the tasks never come to an end"
    return ran
