"""Fixtures for all tests: a store with its people, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models.signals import post_migrate

from smsflow_plugin import clock
from smsflow_plugin.audience.ledger_protection import GUARD, LEDGER
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.engine.facts import Programs

# how long a test takes says nothing about whether the code is right
hypothesis.settings.register_profile(
    "smsflow", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("smsflow")

#: What tests ask for that touch the database.
DATABASE = {"db", "transactional_db", "django_db_setup", "live_server", "client", "admin_client"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that touch no database, so that they need not run on each of them."""
    for item in items:
        if not item.get_closest_marker("django_db") and DATABASE.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("pure")


#: A Wednesday, 11:00 in New York and 17:00 in Copenhagen: open everywhere.
NOON = datetime(2026, 3, 4, 16, 0, tzinfo=UTC)


class TestClock:
    """A clock that moves only when told."""

    __test__ = False

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **delta: float) -> datetime:
        """Move the clock by ``timedelta(**delta)`` and return the new time."""
        self.at += timedelta(**delta)
        return self.at


@pytest.fixture
def still(settings: Any) -> Iterator[TestClock]:
    """The time is ``NOON`` until the test moves it."""
    test_clock = TestClock(NOON)
    settings.SMSFLOW = {**settings.SMSFLOW, "CLOCK": test_clock}
    assert clock.now() == NOON
    yield test_clock
    smsflow_settings.reload()


@pytest.fixture(scope="session", autouse=True)
def _flushing_opens_the_ledger() -> Iterator[None]:
    """SQLite empties tables by DELETE, which the ledger of consent refuses; PostgreSQL truncates them."""
    with pytest.MonkeyPatch.context() as patch:
        operations = DatabaseWrapper.ops_class
        flush = operations.execute_sql_flush

        def with_guard(self: Any, sql_list: list[str]) -> None:
            ledger = [sql for sql in sql_list if LEDGER in sql]
            guard = [f"INSERT INTO {GUARD} (id, reason, ends_id) VALUES (1, 'flush', 1)"] if ledger else []
            others = [sql for sql in sql_list if sql not in ledger]
            flush(self, [*guard, *ledger, *others])

        patch.setattr(operations, "execute_sql_flush", with_guard)
        yield


@pytest.fixture(scope="session", autouse=True)
def _flushing_keeps_the_roots() -> Iterator[None]:
    """Wagtail's first locale, page, site and collection come from its migrations, and a flush takes them away."""

    def grow(sender: Any, using: str, **_kwargs: Any) -> None:
        from wagtail.models import Collection, Locale, Page, Site

        if sender.label != "wagtailcore":
            return
        if not Collection.objects.exists():
            Collection.add_root(name="Root")
        locale, _new = Locale.objects.get_or_create(language_code="en")
        if not Page.objects.exists():
            root = Page.add_root(title="Root", slug="root", locale=locale)
            home = root.add_child(title="Welcome to your new Wagtail site!", slug="home", locale=locale)
            Site.objects.create(hostname="localhost", root_page=home, is_default_site=True)

    post_migrate.connect(grow)
    yield
    post_migrate.disconnect(grow)


@pytest.fixture(autouse=True)
def _no_programs_of_other_tests() -> None:
    """Versions never change, so their programs are kept for good; but here ids are used again."""
    Programs._kept.clear()


@pytest.fixture
def store(db: None) -> Any:
    """Sierra Gear, a US store with default rules, connected to both vendors."""
    from tests.factories import make_store

    return make_store()


@pytest.fixture
def danish_store(db: None) -> Any:
    from tests.factories import make_store

    return make_store(
        name="Nordic Tea",
        brand="Nordic Tea",
        country="DK",
        timezone="Europe/Copenhagen",
        language="da",
        currency="DKK",
        domain="nordic-tea.myshopify.com",
        sender="+4592451000",
    )
