"""Two versions of a policy beside each other, as people read them: rows, weeks and orders in words."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from wagtail.admin.compare import FieldComparison

from smsflow_plugin.admin_panels.governance.states import raw
from smsflow_plugin.governance.policy import NEVER_LOOSER, SETTINGS
from smsflow_plugin.measurement.law_words import row_words
from smsflow_plugin.measurement.setting_words import cap_words, flow_name, setting_label, setting_words
from smsflow_plugin.measurement.week_words import week_parts
from smsflow_plugin.models import Flow

_NEW_LINE = mark_safe("<br>")


class SettingComparison(FieldComparison):  # type: ignore[misc]
    """One setting in both versions, as a list of lines."""

    def __init__(self, field: Any, obj_a: Any, obj_b: Any) -> None:
        super().__init__(field, obj_a, obj_b)
        self.name = field.name
        self.lines_a, self.lines_b = (self._lines(obj) for obj in (obj_a, obj_b))

    def _lines(self, policy: Any) -> list[str]:
        flows = _names(policy) if self.name in ("caps", "flow_order", "exclusive_flows") else {}
        if self.name == "flow_order":
            return [flow_name(pk, flows) for pk in policy.flow_order or ()]
        if self.name == "prices":
            return [f"{country or _('others')}: {price}" for country, price in (policy.prices or {}).items()]
        if self.name == "may_loosen":
            return [setting_label(name) for name in policy.may_loosen or () if name in SETTINGS]
        value = raw(policy, self.name)
        if value is None:
            return [_("none") if self.name in NEVER_LOOSER else _("as above")]
        if self.name == "caps":
            return [cap_words(cap, flows) for cap in value]
        if self.name == "week":
            return week_parts(value)
        if self.name == "stricter_law":
            return [row_words(row) for row in value]
        return [setting_words(self.name, value, flows)]

    def field_label(self) -> str:
        return setting_label(self.name)

    def has_changed(self) -> bool:
        return bool(self.val_a != self.val_b) and self.lines_a != self.lines_b

    def htmldiff(self) -> SafeString:
        """Return the lines, those that are gone and those that are new marked as such."""
        rows: list[tuple[str, str]] = []
        for kind, a1, a2, b1, b2 in SequenceMatcher(None, self.lines_a, self.lines_b, autojunk=False).get_opcodes():
            if kind == "equal":
                rows += [("", line) for line in self.lines_a[a1:a2]]
                continue
            rows += [("deletion", line) for line in self.lines_a[a1:a2]]
            rows += [("addition", line) for line in self.lines_b[b1:b2]]
        return format_html_join(_NEW_LINE, "{}", ((_marked(*row),) for row in rows))


def _marked(kind: str, line: str) -> Any:
    return format_html('<span class="{}">{}</span>', kind, line) if kind else escape(line)


def _names(policy: Any) -> dict[int, str]:
    """Return the names of the store's flows, read once for both versions and all settings."""
    known: dict[int, str] | None = getattr(policy, "_flow_names", None)
    if known is None:
        known = policy._flow_names = dict(Flow.objects.filter(store=policy.store_id).values_list("pk", "name"))
    return known
