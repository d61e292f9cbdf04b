"""What the form's template needs: on the form's own pages, and in a page of a Wagtail site."""

from __future__ import annotations

from typing import Any

from smsflow_plugin import clock
from smsflow_plugin.signup.models import OptInForm
from smsflow_plugin.signup.reading import TRAP, Filled
from smsflow_plugin.signup.tokens import hand_out
from smsflow_plugin.signup.versions import current_version


def fields(form: OptInForm, said: dict[str, Any], filled: Filled) -> dict[str, Any]:
    """Return the fields as they are filled in, with a new slip. ``said`` is the form's wording."""
    version = current_version(form, said["language"])
    return {
        "filled": filled,
        "errors": {name: said["words"][key] for name, key in filled.errors.items()},
        "slip": hand_out(form, version, clock.now()),
        "trap": TRAP,
    }
