"""The wheel holds everything and nothing else, and the lock files name no place to fetch from."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
MAPPED = {"integrations": "smsflow_plugin.integrations", "admin_panels": "smsflow_plugin.admin_panels"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    data: dict[str, Any] = tomllib.loads((TOP / "pyproject.toml").read_text())
    return data


def folders_of_packages() -> set[str]:
    found = set()
    for top in ("smsflow_plugin", *MAPPED):
        for init in (TOP / top).rglob("__init__.py"):
            parts = init.parent.relative_to(TOP).parts
            found.add(".".join([MAPPED.get(parts[0], parts[0]), *parts[1:]]))
    return found


def test_every_package_of_the_checkout_is_in_the_wheel(project: dict[str, Any]) -> None:
    listed = project["tool"]["setuptools"]["packages"]
    assert sorted(listed) == listed, "keep the list in order"
    assert set(listed) == folders_of_packages() | {"smsflow_plugin.locale"}


def test_nothing_is_installed_beside_the_package(project: dict[str, Any]) -> None:
    assert {name.partition(".")[0] for name in project["tool"]["setuptools"]["packages"]} == {"smsflow_plugin"}


def test_templates_and_static_files_are_packed(project: dict[str, Any]) -> None:
    packed = project["tool"]["setuptools"]["package-data"]
    for top in ("smsflow_plugin", *MAPPED):
        for kind in ("templates", "static"):
            for folder in (TOP / top).rglob(kind):
                if not folder.is_dir() or not any(path.is_file() for path in folder.rglob("*")):
                    continue
                if (folder / "__init__.py").exists():  # a package of that name
                    continue
                parts = folder.parent.relative_to(TOP).parts
                package = ".".join([MAPPED.get(parts[0], parts[0]), *parts[1:]])
                assert f"{kind}/**/*" in packed.get(package, []), f"{folder} would be missing"


def test_the_version_of_python_and_wagtail_have_no_upper_bound(project: dict[str, Any]) -> None:
    for requirement in [*project["project"]["dependencies"], project["project"]["requires-python"]]:
        assert "<" not in requirement and "==" not in requirement


@pytest.mark.parametrize("name", ["demo", "dev"])
def test_lock_files_are_hashed_and_name_no_index(name: str) -> None:
    text = (TOP / "requirements" / f"{name}.txt").read_text()
    packages = re.findall(r"^[\w.-]+==.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) > 40
    assert "://" not in text and "--index" not in text and "--find-links" not in text and "file:" not in text
    assert "wagtail-smsflow" not in text


def test_what_the_tests_use_is_what_the_site_runs_on() -> None:
    pins = {name: pinned((TOP / "requirements" / f"{name}.txt").read_text()) for name in ("demo", "dev")}
    assert pins["demo"].items() <= pins["dev"].items()


def pinned(text: str) -> dict[tuple[str, str], str]:
    """Versions by name and condition: a lock for all platforms may hold one package twice."""
    rows = re.findall(r"^([\w.-]+)==([\w.!+]+)(?: ; ([^\\\n]*))?", text, re.MULTILINE)
    return {(name, condition.strip()): version for name, version, condition in rows}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as the wheel would have it, with the mapped folders in their places."""
    folder = tmp_path_factory.mktemp("staged")
    command = [sys.executable, "-c", "from setuptools import setup; setup()", "--quiet", "build_py", "--build-lib"]
    subprocess.run([*command, str(folder)], cwd=TOP, check=True, capture_output=True)
    return folder


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(TOP / "pyproject.toml")]
    return subprocess.run(
        [*command, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_imports_run_downwards_only(staged: Path) -> None:
    result = lint_imports(staged)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("stores/peek.py", "from smsflow_plugin.engine import models", "Law 10: imports run downwards only"),
        ("engine/peek.py", "from smsflow_plugin.integrations.sinch import gateway", "Law 10: imports run downwards"),
        ("integrations/sinch/peek.py", "from smsflow_plugin.admin_panels import apps", "Law 10: imports run downwards"),
        ("governance/decide.py", "from django.utils import timezone", "Laws 2 and 3"),
        ("messaging/peek.py", "import sinch", "Law 10: the core knows no vendor"),
        ("integrations/shopify/peek.py", "import smsflow_plugin.integrations.sinch.gateway", "Adapters do not know"),
    ],
)
def test_a_forbidden_import_is_caught(staged: Path, module: str, line: str, contract: str) -> None:
    path = staged / "smsflow_plugin" / module
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        result = lint_imports(staged)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    assert result.returncode == 1
    assert re.search(rf"{re.escape(contract)}[^\n]*(\n[^\n]+)?BROKEN", result.stdout), result.stdout
