"""The settings of a policy in words: their values, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.governance.policy import Cap, Level, Scope
from smsflow_plugin.measurement.law_words import rows_words
from smsflow_plugin.measurement.week_words import week_words

LEVELS: Mapping[str, str | Promise] = {
    Level.BUILT_IN: gettext_lazy("built in"),
    Level.SITE: gettext_lazy("from the site"),
    Level.STORE: gettext_lazy("from this store"),
    Level.FLOW: gettext_lazy("from the flow"),
}
#: The windows that a cap counts in.
WINDOW_CHOICES = (
    ("hour", gettext_lazy("in 60 minutes")),
    ("day", gettext_lazy("in 24 hours")),
    ("week", gettext_lazy("in 7 days")),
    ("month", gettext_lazy("in 30 days")),
)
_WINDOWS = dict(WINDOW_CHOICES)

Names = Mapping[int, str]

#: Where a column's own name says too little beside the others.
_LABELS: Mapping[str, str | Promise] = {
    "stricter_law": gettext_lazy("stricter than the law"),
    "discount_days": gettext_lazy("days in which discounts count"),
}


def setting_label(name: str) -> str:
    """Return what a setting is called on the page."""
    return str(capfirst(_LABELS.get(name) or Policy._meta.get_field(name).verbose_name))


def setting_words(name: str, value: Any, flows: Names | None = None) -> str:
    """Return a setting's value, as ``PolicyRules`` holds it, in words without a full stop."""
    if name == "exclusive_flows":
        return _listed(flow_name(pk, flows) for pk in sorted(value))
    if name == "caps":
        return "; ".join(cap_words(cap, flows) for cap in value) or _("none")
    describe = _VALUES.get(name)
    if describe:
        return describe(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None:
        return _("no limit")
    return number(value)


def number(value: Any) -> str:
    """Return a number without the noughts that only say how many digits there may be."""
    if isinstance(value, Decimal):
        value = value.normalize()
        value = value.quantize(Decimal(1)) if value == value.to_integral() else value
    return number_format(value, use_l10n=True)


def cap_words(cap: Cap, flows: Names | None = None) -> str:
    """Return a cap in words: "at most 2 texts in 24 hours"."""
    words = {"count": cap.limit, "window": _WINDOWS[cap.window], "of": counted_words(cap.scope, cap.of, flows)}
    if cap.scope == Scope.ALL:
        return ngettext("at most %(count)d text %(window)s", "at most %(count)d texts %(window)s", cap.limit) % words
    return (
        ngettext(
            "at most %(count)d text of %(of)s %(window)s", "at most %(count)d texts of %(of)s %(window)s", cap.limit
        )
        % words
    )


def counted_words(scope: str, of: str, flows: Names | None = None) -> str:
    """Return what a cap counts."""
    match scope:
        case Scope.PRIORITY:
            labels: dict[str, Any] = dict(Flow.Priority.choices)
            return _("the class “%(name)s”") % {"name": labels.get(of, of)}
        case Scope.STAGE:
            labels = dict(Flow.Stage.choices)
            return _("the stage “%(name)s”") % {"name": labels.get(of, of)}
        case Scope.FLOW:
            return _("the flow %(name)s") % {"name": flow_name(int(of), flows)}
    return _("all flows")


def flow_name(pk: int, flows: Names | None) -> str:
    """Return a flow's name in quotes, its number where it is not known any more."""
    name = (flows or {}).get(pk)
    return f"“{name}”" if name else _("number %(pk)d") % {"pk": pk}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or _("none")


def _codes(codes: Iterable[str]) -> str:
    return _listed(sorted(codes))


def _blocked(value: str) -> str:
    labels: dict[str, Any] = dict(Policy.Blocked.choices)
    return str(labels.get(value, value))


def _minutes(value: int) -> str:
    if value and value % 60 == 0:
        return ngettext("%(count)d hour", "%(count)d hours", value // 60) % {"count": value // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", value) % {"count": value}


def _percent(value: Decimal | None) -> str:
    return _("no limit") if value is None else _("%(number)s %%") % {"number": number(value)}


def _held(value: int) -> str:
    return _("%(number)s %%") % {"number": value} if value else _("nobody")


_VALUES: Mapping[str, Callable[[Any], str]] = {
    "week": week_words,
    "stricter_law": rows_words,
    "minimum_gap": _minutes,
    "look_ahead": _minutes,
    "when_blocked": _blocked,
    "cart_countries": _codes,
    "double_opt_in_countries": _codes,
    "blocked_countries": _codes,
    "margin_floor": _percent,
    "gross_margin": _percent,
    "breaker_opt_outs": _percent,
    "breaker_failures": _percent,
    "holdout": _held,
}
