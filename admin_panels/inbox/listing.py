"""The list of conversations: its parts, its filters, its search, and the rows beside an open conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.inbox.stream import day_words
from smsflow_plugin.admin_panels.listing import ListView, StoreFilterSet
from smsflow_plugin.conversations import reading
from smsflow_plugin.models import Store, Thread

#: The part that the list shows when nobody has chosen one.
ALL = ""


class InboxFilterSet(StoreFilterSet):
    part = django_filters.ChoiceFilter(
        label=gettext_lazy("Show"),
        choices=list(reading.PARTS.items()),
        empty_label=gettext_lazy("All"),
        method="in_part",
    )
    needs = django_filters.ChoiceFilter(
        label=gettext_lazy("Opened because"), choices=Thread.Needs.choices, empty_label=gettext_lazy("All")
    )

    class Meta:
        model = Thread
        fields = ["store"]

    def in_part(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(reading.part(value, self.request.user))


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation in a list."""

    thread: Thread
    url: str
    when: str
    initials: str
    assigned: str

    @property
    def name(self) -> str:
        return str(self.thread.contact)

    @property
    def preview(self) -> str:
        words = self.thread.last_words or _("No text yet")
        return words if self.thread.last_from_person else _("You: %(words)s") % {"words": words}


def rows_of(threads: list[Thread], query: str) -> list[Row]:
    """Return the rows of these threads; ``query`` keeps the list that they were found in."""
    now = clock.now()
    return [
        Row(
            thread=thread,
            url=reverse("smsflow_inbox:inspect", args=(thread.pk,)) + (f"?{query}" if query else ""),
            when=short_time(thread.last_at, now, thread.store),
            initials=_initials(str(thread.contact)),
            assigned=reading.name_of(thread.assigned_to) if thread.assigned_to else "",
        )
        for thread in threads
    ]


def short_time(at: datetime, now: datetime, store: Store) -> str:
    """Return the time of a day that is today, else the day, on the store's clock."""
    zone = ZoneInfo(store.timezone)
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return date_format(local.replace(tzinfo=None), "H:i")
    if (today - local.date()).days == 1:
        return day_words(local.date(), today)
    return date_format(local.date(), "j M" if local.year == today.year else "j M Y")


def _initials(name: str) -> str:
    words = [word for word in name.split() if word[:1].isalpha()]
    return "".join(word[0] for word in (*words[:1], *words[1:][-1:])).upper() or "#"


def kept(request: HttpRequest) -> str:
    """Return the query that names the list from which somebody came."""
    names = ("part", "store", "needs", "q")
    return urlencode({name: request.GET[name] for name in names if request.GET.get(name)})


def found(request: HttpRequest) -> QuerySet[Any]:
    """Return the threads of the list that the query names, newest first."""
    threads = Thread.objects.visible_to(request.user).select_related("store", "contact", "assigned_to")
    filters = InboxFilterSet(request.GET, queryset=threads, request=request)
    threads = filters.qs if filters.is_valid() else threads
    words = request.GET.get("q", "").strip()
    threads = threads.filter(reading.found_by(words)) if words else threads
    return threads.defer("contact__fields", "contact__recent_sends").order_by("-last_at", "-pk")


class InboxListView(ListView):
    any_permission_required = ["view", "change"]
    template_name = "smsflow/inbox/index.html"
    results_template_name = "smsflow/inbox/results.html"
    page_title = gettext_lazy("Inbox")
    select_related = ("store", "contact", "assigned_to")
    defer = ("contact__fields", "contact__recent_sends")
    default_ordering = ("-last_at", "-pk")
    show_export_buttons = False

    def get_page_subtitle(self) -> str:
        return ""

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reading.found_by(self.search_query)) if self.is_searching else queryset

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        query = kept(self.request)
        context.update(
            rows=rows_of(list(context["object_list"]), query),
            parts=self._parts(),
            several_stores=len(Store.objects.visible_to(self.request.user)[:2]) > 1,
            results_url=f"{self.index_results_url}?{self.request.GET.urlencode()}",
        )
        return context

    def _parts(self) -> list[dict[str, Any]]:
        chosen = self.request.GET.get("part", ALL)
        others = {name: self.request.GET[name] for name in ("store", "needs", "q") if self.request.GET.get(name)}
        names = [(ALL, _("All")), *reading.PARTS.items()]
        return [
            {
                "label": label,
                "chosen": name == chosen,
                "url": f"{self.index_url}?{urlencode({**others, **({'part': name} if name else {})})}",
            }
            for name, label in names
        ]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # conversations are read here, not taken away: exports are for the contact's own page
        self.is_export = False
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response
