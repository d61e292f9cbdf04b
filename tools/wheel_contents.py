"""Check that a wheel holds what a site needs, installs only under smsflow_plugin, and that all of it imports."""

from __future__ import annotations

import pkgutil
import sys
import zipfile
from importlib import import_module
from pathlib import PurePosixPath


def main(wheel: str) -> int:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {PurePosixPath(name).parts[0] for name in names}
    problems = [f"top level: {top}" for top in tops if top != "smsflow_plugin" and not top.endswith(".dist-info")]
    for what, start, end in (
        ("templates of the admin", "smsflow_plugin/admin_panels/templates/", ".html"),
        ("static files of the admin", "smsflow_plugin/admin_panels/static/", ".css"),
        ("templates of the simulator", "smsflow_plugin/integrations/simulator/templates/", ".html"),
        ("migrations", "smsflow_plugin/migrations/0001", ".py"),
        ("the mark of a typed package", "smsflow_plugin/py.typed", ""),
    ):
        if not any(name.startswith(start) and name.endswith(end) for name in names):
            problems.append(f"missing: {what} ({start}…{end})")
    sources = (name for name in names if name.startswith("smsflow_plugin/locale/") and name.endswith(".po"))
    problems += [f"not compiled: {name}" for name in sources if name[:-2] + "mo" not in names]
    problems += not_importable()
    print("\n".join(problems) or f"The wheel is complete: {len(names)} files.")
    return bool(problems)


def not_importable() -> list[str]:
    """Import every module of the installed package, and return those that fail."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsflow_site.settings")
    os.environ.setdefault("SMSFLOW_DEMO", "1")
    sys.path.insert(0, os.getcwd())
    import django

    django.setup()
    import smsflow_plugin

    failed = []
    for module in pkgutil.walk_packages(smsflow_plugin.__path__, "smsflow_plugin."):
        try:
            import_module(module.name)
        except ImportError as error:
            failed.append(f"cannot import {module.name}: {error}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
