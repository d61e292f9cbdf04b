"""What the form's template needs: on the form's own pages, and in a page of a Wagtail site."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from smsflow_plugin import clock
from smsflow_plugin.signup.models import OptInForm
from smsflow_plugin.signup.reading import TRAP, Filled
from smsflow_plugin.signup.tokens import hand_out
from smsflow_plugin.signup.versions import current_version, offered_languages, wording


def fields(form: OptInForm, said: dict[str, Any], filled: Filled) -> dict[str, Any]:
    """Return the fields as they are filled in, with a new slip. ``said`` is the form's wording."""
    version = current_version(form, said["language"])
    return {
        "filled": filled,
        "errors": {name: said["words"][key] for name, key in filled.errors.items()},
        "slip": hand_out(form, version, clock.now()),
        "trap": TRAP,
    }


def embedded(form: OptInForm, language: str, came_from: str) -> dict[str, Any]:
    """Return what shows ``form`` in another page. What is posted is answered on the form's own page.

    :param came_from: the address of that page, which goes into the proof of consent.
    """
    offered = offered_languages(form)
    said = wording(form, language if language in offered else offered[0])
    return {
        **said,
        **fields(form, said, Filled()),
        "form": form,
        "store": form.store,
        "action": reverse("smsflow:join", args=[form.token]),
        "prefix": f"join-{form.pk}",
        "came_from": came_from,
    }
