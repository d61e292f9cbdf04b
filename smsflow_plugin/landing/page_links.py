"""Links in the words of a landing page that lead to pages of this site: never to landing pages of another store.

Wagtail keeps such a link by the page's number and shows the page's address. Whoever puts in number after number would
read off the addresses of other stores' pages, of drafts as well.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from wagtail.models import Page
from wagtail.rich_text.rewriters import FIND_A_TAG, extract_attrs

from smsflow_plugin.stores.models import Store

_NUMBER = re.compile("[0-9]{1,18}")


def has_strange(html: str, store: Store | None) -> bool:
    """Return whether ``html``, as Wagtail keeps it, has a link to a landing page that is not of ``store``."""
    return without_strange(html, store) != html


def without_strange(html: str, store: Store | None) -> str:
    """Return ``html`` with the words of such links, but not with the links."""
    numbers = {attrs.get("id", "") for attrs in map(extract_attrs, FIND_A_TAG.findall(html)) if _to_page(attrs)}
    strange = _strange(numbers, store) if numbers else set()
    if not strange:
        return html

    def replaced(match: re.Match[str]) -> str:
        attrs = extract_attrs(match[1])
        return "<a>" if _to_page(attrs) and attrs.get("id", "") in strange else match[0]

    # found as Wagtail finds them when it shows the page
    return FIND_A_TAG.sub(replaced, html)


def refusal(store: Store) -> str:
    return _("The text can link to landing pages of the store %(store)s only. Links to others are left out.") % {
        "store": store
    }


def _to_page(attrs: dict[str, str]) -> bool:
    return attrs.get("linktype") == "page"


def _strange(numbers: set[str], store: Store | None) -> set[str]:
    from smsflow_plugin.landing.models import LandingFolder

    known = {number for number in numbers if _NUMBER.fullmatch(number)}
    paths: dict[int, str] = dict(Page.objects.filter(pk__in=known).values_list("pk", "path"))
    # a landing page is always right in its folder
    places = {place for path in paths.values() for place in (path, path[: -Page.steplen])}
    folders = LandingFolder.objects.filter(path__in=places).values_list("path", "store_id")
    others = tuple(path for path, owner in folders if owner is None or store is None or owner != store.pk)
    # what is no number is nobody's page, and Wagtail would fail when it shows it
    return (numbers - known) | {number for number in known if paths.get(int(number), "").startswith(others)}
