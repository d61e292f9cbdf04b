"""A real browser on a real site: web, worker and phone network as processes, Chromium in front of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from smsflow_plugin.stores.roles import COPYWRITER, STORE_ADMIN
from tests.e2e.site import Site, running_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD = "a long password"

#: Milliseconds. Everything goes through a web server, a worker and a phone network, on a machine that may be busy.
PATIENCE = 60_000


def cannot_run(reason: str) -> None:
    """Skip on somebody's own machine; where the tests must all run, it is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, named by ``CHROMIUM`` or found on the path."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        cannot_run("Playwright is not installed.")
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        cannot_run("There is no Chromium: install Debian's package chromium, or name one in CHROMIUM.")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Sierra Gear on a site with all its parts, and somebody who may do everything."""
    with running_site(tmp_path_factory.mktemp("site"), "sqlite", DJANGO_SUPERUSER_PASSWORD=PASSWORD) as running:
        running.inside("make_store")
        running.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.com")
        yield running


@pytest.fixture(scope="module")
def quiet_site(site: Site) -> Site:
    """The site on a morning on which no flow of other tests texts anybody."""
    site.inside("start_anew")
    return site


#: A store admin and a copywriter of Sierra Gear.
INES, CARL = "ines", "carl"


@pytest.fixture(scope="session")
def people(site: Site) -> None:
    """Ines, who runs the store, and Carl, who writes its words."""
    for name, role in ((INES, STORE_ADMIN), (CARL, COPYWRITER)):
        site.inside("add_user", name=name, role=role, password=PASSWORD)


@contextmanager
def signed_in(browser: Browser, site: Site, name: str, *, refused: bool = False, **options: Any) -> Iterator[Page]:
    """A page of somebody who has signed in. Errors in its console fail the test.

    ``refused``: drafts with mistakes in them are refused while they are typed, and the browser says so.
    """
    context = browser.new_context(
        **{"base_url": site.url, "viewport": {"width": 1280, "height": 1000}, "locale": "en-GB", **options}
    )
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(f"{said.text} {said.location}") if said.type == "error" else None)
    opened.goto("/admin/login/")
    opened.locator("#id_username").fill(name)
    opened.locator("#id_password").fill(PASSWORD)
    opened.get_by_role("button", name="Sign in").click()
    opened.wait_for_url("**/admin/")
    yield opened
    context.close()
    assert [error for error in errors if not (refused and "400 (Bad Request)" in error)] == []


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of somebody who may do everything."""
    with signed_in(browser, site, "admin") as opened:
        yield opened


@pytest.fixture
def ines(browser: Browser, site: Site, people: None) -> Iterator[Page]:
    """A page of the store admin."""
    with signed_in(browser, site, INES) as opened:
        yield opened


@pytest.fixture
def carl(browser: Browser, site: Site, people: None) -> Iterator[Page]:
    """A page of the copywriter."""
    with signed_in(browser, site, CARL) as opened:
        yield opened
