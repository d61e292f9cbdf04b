"""The store wall above the folders: Wagtail asks for the page on which somebody acts, not for what is in it.

Whoever may delete a section of the site would delete with it the landing pages of every store that are somewhere in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from wagtail.admin import messages
from wagtail.models import Page

from smsflow_plugin.landing.permissions import has_strange_below, without_strange

#: The bulk actions that take along what is in a page, and ask nothing of it; the others ask page by page.
_WITH_ALL_INSIDE = ("delete", "move")


def keep_from_deleting(request: HttpRequest, page: Page) -> HttpResponse | None:
    return _refuse(request, [page])


def keep_from_moving(request: HttpRequest, page: Page, destination: Page) -> HttpResponse | None:
    # another place in the tree would give other people rights to what is in it
    return _refuse(request, [page])


def keep_from_copying(request: HttpRequest, page: Page) -> HttpResponse | None:
    """Refuse a copy of all that is in a page. A copy of the page alone takes nothing of a store's along."""
    with_all_inside = request.method == "POST" and bool(request.POST.get("copy_subpages"))
    return _refuse(request, [page]) if with_all_inside else None


def keep_from_bulk_actions(request: HttpRequest, action: str, objects: Iterable[Any], view: Any) -> HttpResponse | None:
    pages = [page for page in objects if isinstance(page, Page)]
    if action not in _WITH_ALL_INSIDE or not pages:
        return None
    return _refuse(request, pages, view.next_url)


def keep_from_choosing(pages: Any, request: HttpRequest) -> Any:
    """Leave pages behind the wall out where Wagtail offers pages to link to: it tells the address of each."""
    return without_strange(pages, request.user)


def _refuse(request: HttpRequest, pages: Iterable[Page], back: str = "") -> HttpResponse | None:
    for page in pages:
        if any(has_strange_below(request.user, each) for each in (page, *_translations(page))):
            messages.error(
                request,
                _(
                    "“%(page)s” holds landing pages of a store in which you may not change them. "
                    "Nothing was deleted, moved or copied."
                )
                % {"page": page.get_admin_display_title()},
            )
            parent = page.get_parent()
            return redirect(back) if back else redirect("wagtailadmin_explore", parent.pk if parent else page.pk)
    return None


def _translations(page: Page) -> Iterable[Page]:
    """Return the pages that go the same way as ``page``, on sites that keep translations of pages together."""
    together = getattr(settings, "WAGTAIL_I18N_ENABLED", False)
    return page.get_translations() if together else ()
