"""One list of all flows of a store, class by class: who goes first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.admin_panels.flows.pages import page_url
from smsflow_plugin.admin_panels.scoping import number
from smsflow_plugin.governance.effective import UNORDERED
from smsflow_plugin.models import Flow


@dataclass(frozen=True, slots=True)
class Line:
    """A flow in the list. ``new``: nobody has put it in its place yet."""

    flow: Flow
    new: bool

    @property
    def url(self) -> str:
        return page_url("edit", self.flow)

    @property
    def limits(self) -> str:
        """Return the flow's own limits for one person; empty if it has none."""
        flow, parts = self.flow, []
        if flow.cap_day:
            parts.append(
                ngettext("at most %(count)d text in 24 hours", "at most %(count)d texts in 24 hours", flow.cap_day)
                % {"count": flow.cap_day}
            )
        if flow.cap_week:
            parts.append(
                ngettext("at most %(count)d text in 7 days", "at most %(count)d texts in 7 days", flow.cap_week)
                % {"count": flow.cap_week}
            )
        if flow.own_gap:
            parts.append(
                ngettext("%(count)d minute of peace before", "%(count)d minutes of peace before", flow.own_gap)
                % {"count": flow.own_gap}
            )
        return ", ".join(parts)


def in_order(flows: Iterable[Flow], order: Iterable[int]) -> list[Line]:
    """Return the flows as they take their turn: those that are in ``order``, then the others by their own numbers."""
    place = {pk: at for at, pk in enumerate(list(order)[:UNORDERED])}
    lines = [Line(flow, flow.pk not in place) for flow in flows]
    return sorted(
        lines,
        key=lambda line: (
            place.get(line.flow.pk, UNORDERED + line.flow.priority_number),
            line.flow.name.casefold(),
            line.flow.pk,
        ),
    )


class OrderWidget(forms.Widget):
    """Lists that are ordered by dragging, or by the buttons of each line."""

    template_name = "smsflow/governance/order.html"

    class Media:
        css = {"all": ["smsflow/governance.css"]}
        js = ["smsflow/governance.js"]

    def __init__(self) -> None:
        super().__init__()
        self.flows: list[Flow] = []

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[int]:
        given = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [pk for each in given if (pk := number(str(each))) is not None]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data

    def id_for_label(self, id_: str, index: Any = None) -> str:
        return ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        lines = in_order(self.flows, value if isinstance(value, list) else [])
        context["classes"] = [
            (priority.label, [line for line in lines if line.flow.priority == priority]) for priority in Flow.Priority
        ]
        context["moved"] = _("%(flow)s is now number %(place)s of %(count)s.") % {
            "flow": "{flow}",
            "place": "{place}",
            "count": "{count}",
        }
        return context


class OrderField(forms.Field):
    """Ids of flows of the store, the most important first."""

    widget = OrderWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[int]:
        known = {flow.pk for flow in self.widget.flows}
        # what is not the store's own is passed over: a flow may have been deleted meanwhile
        return [pk for pk in dict.fromkeys(value or ()) if pk in known]

    def has_changed(self, initial: Any, data: Any) -> bool:
        shown = [line.flow.pk for line in in_order(self.widget.flows, initial or ())]
        return shown != [line.flow.pk for line in in_order(self.widget.flows, data or ())]
