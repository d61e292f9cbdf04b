"""The report of what was not sent, or not yet: by day, flow and reason, with every case below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import django_filters
from django.db.models import QuerySet
from django.forms import Media
from django.urls import URLPattern, path
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.filters import DateRangePickerWidget
from wagtail.admin.ui.tables import Column, StatusTagColumn, TitleColumn

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.listing import (
    WIDE,
    ListView,
    ReadOnlyViewSet,
    StoreFilterSet,
    TimeColumn,
    csv_safe,
    own_flows,
)
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.why import DecisionPage, RulesPage
from smsflow_plugin.governance import codes
from smsflow_plugin.governance.unsent import Key, Wanted, counts, moments
from smsflow_plugin.measurement.reasons import why
from smsflow_plugin.models import Decision, Flow, Store

#: Days that are shown unless somebody asks for others, and most that are drawn.
DAYS, MOST_DAYS = 30, 366

#: Lines of the small tables.
TOP = 12

VERDICTS = [("skip", gettext_lazy("Not sent")), ("defer", gettext_lazy("Put off"))]


def reason_words(reason: str) -> str:
    """Return a reason in words that stand alone."""
    words = why(reason, _("the person's time zone"))
    return words[:1].upper() + words[1:]


def _reasons() -> list[tuple[str, str]]:
    return sorted(((name, reason_words(name)) for name in codes.REASONS if name not in ("", "allowed")), key=_second)


def _second(pair: tuple[str, str]) -> str:
    return pair[1]


class NotSentFilterSet(StoreFilterSet):
    """Days are those of the store's own clock; without any, the last month counts."""

    flow = django_filters.ModelChoiceFilter(queryset=own_flows, label=gettext_lazy("Flow"))
    verdict = django_filters.ChoiceFilter(choices=VERDICTS, label=gettext_lazy("Verdict"))
    reason = django_filters.ChoiceFilter(choices=_reasons, label=gettext_lazy("Reason"))
    at = django_filters.DateFromToRangeFilter(
        label=gettext_lazy("Date"), widget=DateRangePickerWidget, method="on_days"
    )

    class Meta:
        model = Decision
        fields = ["store", "flow", "verdict", "reason", "at"]

    def on_days(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset  # with the days that nobody has chosen, below

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        begin, end = moments(self.wanted, self.zone)
        return queryset.filter(at__gte=begin, at__lt=end)

    @cached_property
    def stores(self) -> list[Store]:
        """The stores that are counted: the chosen one, or all that the user may see the texts of."""
        chosen = self.form.cleaned_data.get("store") if self.form.is_valid() else None
        if chosen is not None:
            return [chosen]
        return visible_stores(self.request.user)

    @property
    def zone(self) -> str:
        """The clock by which the list below is cut: that of the only store, else UTC."""
        zones = {store.timezone for store in self.stores}
        return zones.pop() if len(zones) == 1 else "UTC"

    @cached_property
    def wanted(self) -> Wanted:
        cleaned = self.form.cleaned_data if self.form.is_valid() else {}
        chosen = cleaned.get("at")
        first, last = (getattr(chosen, side, None) for side in ("start", "stop"))
        end = last.date() if last else clock.now().astimezone(ZoneInfo(self.zone)).date()
        begin = first.date() if first else end - timedelta(days=DAYS - 1)
        flow = cleaned.get("flow")
        return Wanted(begin, end, flow.pk if flow else None, cleaned.get("verdict") or "", cleaned.get("reason") or "")


def visible_stores(user: Any) -> list[Store]:
    """Return the stores whose decisions ``user`` may see: the rights are read once."""
    stores = Store.objects.visible_to(user).only("name", "timezone").order_by("pk")
    return [store for store in stores if may(user, "view", Decision(store=store))]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table of totals. ``share`` is how long its bar is, in percent of the longest."""

    words: str
    skipped: int
    deferred: int
    share: int = 0

    @property
    def both(self) -> int:
        return self.skipped + self.deferred


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart, in the chart's own units (100 high)."""

    day: date
    x: int
    skipped: int
    deferred: int
    skipped_height: float
    deferred_height: float

    @property
    def skipped_y(self) -> float:
        return 100 - self.skipped_height

    @property
    def deferred_y(self) -> float:
        return 100 - self.skipped_height - self.deferred_height


@dataclass(frozen=True, slots=True)
class Report:
    first: date
    last: date
    skipped: int
    deferred: int
    days: list[Bar]
    reasons: list[Line]
    flows: list[Line]
    highest: int

    @property
    def width(self) -> int:
        return max(len(self.days), 1) * 10


def report(found: Counter[Key], wanted: Wanted, flow_names: Callable[[set[int]], dict[int, str]]) -> Report:
    """Add up what was counted, by day, by reason and by flow."""
    names = flow_names({key[1] for key in found} - {0})
    skipped = sum(texts for key, texts in found.items() if key[2] == "skip")
    reasons = _lines(found, lambda key: reason_words(key[3]))
    flows = _lines(found, lambda key: (names.get(key[1]) or _("A flow that is gone")) if key[1] else _("No flow"))
    days, highest = _bars(found, wanted)
    return Report(wanted.first, wanted.last, skipped, sum(found.values()) - skipped, days, reasons, flows, highest)


def _lines(found: Counter[Key], name: Callable[[Key], str]) -> list[Line]:
    sums: dict[str, list[int]] = {}
    for key, texts in found.items():
        own = sums.setdefault(name(key), [0, 0])
        own[key[2] == "defer"] += texts
    rows = sorted(sums.items(), key=lambda item: (-sum(item[1]), item[0]))
    rest = rows[TOP:]
    if rest:
        rows = [*rows[:TOP], (_("All others"), [sum(both[side] for _name, both in rest) for side in (0, 1)])]
    most = max((sum(both) for _name, both in rows), default=0) or 1
    return [Line(words, both[0], both[1], round(100 * sum(both) / most)) for words, both in rows]


def _bars(found: Counter[Key], wanted: Wanted) -> tuple[list[Bar], int]:
    sums: dict[date, list[int]] = {}
    for key, texts in found.items():
        sums.setdefault(key[0], [0, 0])[key[2] == "defer"] += texts
    highest = max((sum(both) for both in sums.values()), default=0)
    scale = 100 / (highest or 1)
    bars = []
    for place in range(min((wanted.last - wanted.first).days + 1, MOST_DAYS)):
        day = wanted.first + timedelta(days=place)
        skipped, deferred = sums.get(day, (0, 0))
        heights = (round(skipped * scale, 2), round(deferred * scale, 2))
        bars.append(Bar(day, place * 10, skipped, deferred, *heights))
    return bars, highest


class NotSentView(ListView):
    any_permission_required = ["view"]
    page_title = gettext_lazy("Not sent")
    results_template_name = "smsflow/not_sent/results.html"
    select_related = ("store", "contact", "flow")
    defer = ("flow__steps", "flow__audience", "contact__fields", "contact__recent_sends")
    default_ordering = ("-at", "-pk")
    list_export = [
        "at", "store.name", "contact_name", "flow.name", "get_verdict_display", "reason_in_words", "reason", "until",
        "step",
    ]  # fmt: skip
    export_headings = {
        "at": gettext_lazy("At (UTC)"),
        "store.name": gettext_lazy("Store"),
        "contact_name": gettext_lazy("Person"),
        "flow.name": gettext_lazy("Flow"),
        "get_verdict_display": gettext_lazy("Verdict"),
        "reason_in_words": gettext_lazy("Reason"),
        "reason": gettext_lazy("Reason's name"),
        "until": gettext_lazy("Until (UTC)"),
        "step": gettext_lazy("Step"),
    }
    custom_field_preprocess = {
        name: {"csv": csv_safe} for name in ("store.name", "contact_name", "flow.name", "reason_in_words", "step")
    }

    def get_base_queryset(self) -> QuerySet[Any]:
        # as the index has it, so that it is used
        return super().get_base_queryset().filter(verdict__gt=codes.ALLOW)

    def to_row_dict(self, item: Decision) -> Any:
        if item.flow is None:
            # multigetattr does not go through a missing relation
            item.flow = Flow(name="")
        item.contact_name = _person(item) if item.contact_id else ""  # type: ignore[attr-defined]
        item.reason_in_words = reason_words(str(item.reason))  # type: ignore[attr-defined]
        return super().to_row_dict(item)

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(*args, **kwargs)
        context["media"] += Media(css={"all": ["smsflow/why.css"]})
        filters = self.filters
        if filters is not None and filters.is_valid():
            found = counts(filters.stores, filters.wanted)
            context["report"] = report(found, filters.wanted, self._flow_names)
            context["zone"] = filters.zone if len({store.timezone for store in filters.stores}) < 2 else ""
        return context

    def _flow_names(self, ids: set[int]) -> dict[int, str]:
        mine = Flow.objects.visible_to(self.request.user)
        return dict(mine.filter(pk__in=ids).values_list("pk", "name"))


def _person(decision: Decision) -> str:
    return str(decision.contact) if decision.contact else _("Nobody any more")


def _reason(decision: Decision) -> str:
    return reason_words(str(decision.reason))


class NotSentViewSet(ReadOnlyViewSet):
    model = Decision
    name = "smsflow_decisions"
    url_prefix = "smsflow/not-sent"
    menu_label = gettext_lazy("Not sent")
    icon = "no-view"
    menu_order = 235
    index_view_class = NotSentView
    index_results_template_name = "smsflow/not_sent/results.html"
    inspect_view_class = DecisionPage
    inspect_template_name = "smsflow/why/why.html"
    filterset_class = NotSentFilterSet
    search_fields = None
    export_filename = "not-sent"
    list_display = [
        TitleColumn("contact", label=gettext_lazy("Person"), accessor=_person, url_name="smsflow_decisions:inspect"),
        Column("reason", label=gettext_lazy("Why"), accessor=_reason),
        StatusTagColumn(
            "get_verdict_display",
            label=gettext_lazy("Verdict"),
            primary=lambda decision: decision.verdict == Decision.Verdict.SKIP,
        ),
        Column("flow", label=gettext_lazy("Flow"), classname=WIDE),
        Column("store", label=gettext_lazy("Store"), classname=WIDE),
        TimeColumn("at", label=gettext_lazy("At"), classname=WIDE),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        rules = self.construct_view(RulesPage, template_name="smsflow/why/rules.html")
        return [*super().get_urlpatterns(), path("<int:pk>/rules/", rules, name="rules")]
