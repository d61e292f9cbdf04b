"""Who may do what with landing pages: what Wagtail's page permissions give, inside one's own stores only."""

from __future__ import annotations

from typing import Any

from wagtail.models import Page
from wagtail.models.pages import PagePermissionTester
from wagtail.permissions import policy_registry

from smsflow_plugin.signup.models import OptInForm


class StorePageTester(PagePermissionTester):  # type: ignore[misc]
    """Adds the store wall: somebody whose role gives no opt-in forms in the store has no right to its pages either.

    Wagtail gives page permissions by subtree, so a site could give somebody a wrong one. This also keeps everybody,
    superusers as well, from taking a page into another store's folder: its form, code and address would stay behind.
    """

    def __init__(self, user: Any, page: Page) -> None:
        super().__init__(user, page)
        self._folders = folders_known_to(user)
        self._store_id = self._store_of(page)
        self.outside = not (user.is_superuser or may_edit_in(user, self._store_id))
        if self.outside:
            self.permissions = set()

    def can_edit(self) -> bool:
        # a task of a workflow may let people in who have no permission at all
        return not self.outside and bool(super().can_edit())

    def can_lock(self) -> bool:
        return not self.outside and bool(super().can_lock())

    def can_unlock(self) -> bool:
        return not self.outside and bool(super().can_unlock())

    def can_move_to(self, destination: Page) -> bool:
        return self._stays_in_store(destination) and bool(super().can_move_to(destination))

    def can_copy_to(self, destination: Page, recursive: bool = False) -> bool:
        return self._stays_in_store(destination) and bool(super().can_copy_to(destination, recursive))

    def _stays_in_store(self, destination: Page) -> bool:
        is_folder = self.page.path in self._folders
        return is_folder or self._store_of(destination) == self._store_id

    def _store_of(self, page: Page) -> int | None:
        return next((store for path, store in self._folders.items() if page.path.startswith(path)), None)


def may_edit_in(user: Any, store_id: int | None) -> bool:
    """Return whether ``user`` makes landing pages in a store: whoever makes its opt-in forms does."""
    if store_id is None:
        return False
    policy = policy_registry.get_by_type(OptInForm)
    return bool(policy.user_has_permission_for_instance(user, "change", OptInForm(store_id=store_id)))


def has_strange_below(user: Any, page: Page) -> bool:
    """Return whether ``page`` is or holds a folder in whose store ``user`` makes no landing pages."""
    stores = {store for path, store in folders_known_to(user).items() if path.startswith(page.path)}
    return not (user.is_superuser or all(may_edit_in(user, store) for store in stores))


def without_strange(pages: Any, user: Any) -> Any:
    """Return those of ``pages``, a query of pages of whatever kind, that are not behind the store wall for ``user``."""
    if not user.is_superuser:
        for path, store in folders_known_to(user).items():
            if not may_edit_in(user, store):
                pages = pages.exclude(path__startswith=path)
    return pages


def folders_known_to(user: Any) -> dict[str, int | None]:
    """Return the store of each folder by its place in the tree; read once for each request, as lists ask often."""
    found: dict[str, int | None] | None = getattr(user, "_smsflow_landing_folders", None)
    if found is None:
        from smsflow_plugin.landing.models import LandingFolder

        found = dict(LandingFolder.objects.values_list("path", "store_id"))
        user._smsflow_landing_folders = found
    return found
