"""The addresses of the inbox."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from wagtail.admin.menu import MenuItem

from smsflow_plugin.admin_panels.inbox import deeds
from smsflow_plugin.admin_panels.inbox.canned import CannedView
from smsflow_plugin.admin_panels.inbox.listing import InboxFilterSet, InboxListView
from smsflow_plugin.admin_panels.inbox.menu_item import InboxMenuItem
from smsflow_plugin.admin_panels.inbox.polling import CountView, NewsView
from smsflow_plugin.admin_panels.inbox.start import StartView
from smsflow_plugin.admin_panels.inbox.thread_page import EarlierView, RailView, ThreadPage
from smsflow_plugin.admin_panels.listing import ReadOnlyViewSet
from smsflow_plugin.models import Contact, Thread

#: What is done with a thread, by the last word of its address.
_DEEDS = {
    "reply": deeds.ReplyView,
    "note": deeds.NoteView,
    "assign": deeds.AssignView,
    "snooze": deeds.SnoozeView,
    "close": deeds.CloseView,
    "reopen": deeds.ReopenView,
    "take-over": deeds.TakeOverView,
    "hand-back": deeds.HandBackView,
    "opt-out": deeds.OptOutView,
}


class InboxViewSet(ReadOnlyViewSet):
    model = Thread
    name = "smsflow_inbox"
    url_prefix = "smsflow/inbox"
    icon = "comment"
    menu_order = 205
    menu_label = gettext_lazy("Inbox")
    list_per_page = 25
    index_view_class = InboxListView
    inspect_view_class = ThreadPage
    index_template_name = "smsflow/inbox/index.html"
    index_results_template_name = "smsflow/inbox/results.html"
    inspect_template_name = "smsflow/inbox/thread.html"
    filterset_class = InboxFilterSet
    search_fields = ["contact__first_name", "contact__last_name", "contact__phone", "last_words"]
    list_display = ["__str__"]
    list_export: list[str] = []

    @cached_property
    def menu_item_class(self) -> type[MenuItem]:
        return InboxMenuItem

    def _of_contact(self) -> dict[str, Any]:
        return {
            "model": Contact,
            "index_url_name": "smsflow_contacts:index",
            "object_url_name": "smsflow_contacts:inspect",
        }

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("count/", CountView.as_view(), name="count"),
            path("<int:pk>/earlier/", self.construct_view(EarlierView), name="earlier"),
            path("<int:pk>/rail/", self.construct_view(RailView), name="rail"),
            path("<int:pk>/news/", self.construct_view(NewsView), name="news"),
            path("<int:pk>/canned/", self.construct_view(CannedView), name="canned"),
            path("start/<int:pk>/", self.construct_view(StartView, **self._of_contact()), name="start"),
            *(
                path(f"<int:pk>/{word}/", self.construct_view(view), name=word.replace("-", "_"))
                for word, view in _DEEDS.items()
            ),
        ]
