"""The form of a policy: what is empty is as above, and every field says what applies now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList

from smsflow_plugin.admin_panels.governance.caps_field import CapsField, PricesField
from smsflow_plugin.admin_panels.governance.comparing import SettingComparison
from smsflow_plugin.admin_panels.governance.figures import floors
from smsflow_plugin.admin_panels.governance.law_field import LawField
from smsflow_plugin.admin_panels.governance.order_field import OrderField
from smsflow_plugin.admin_panels.governance.panels import (
    BestTimePanel,
    BreakersPanel,
    SuppressionPanel,
    UsagePanel,
)
from smsflow_plugin.admin_panels.governance.small_fields import CodesField, FlowsField, YesNoField
from smsflow_plugin.admin_panels.governance.states import States
from smsflow_plugin.admin_panels.governance.week_field import WeekField, stored
from smsflow_plugin.governance.policy import NEVER_LOOSER, OWN_FACTS, SETTINGS
from smsflow_plugin.measurement.setting_words import number, setting_label
from smsflow_plugin.models import Flow

YES_NO = ("holidays_off", "strict", "quiet_service", "skip_open_cases", "cart_confirmed", "escalate_unredeemed")
CODES = ("cart_countries", "double_opt_in_countries", "blocked_countries")

#: What only a store has, and what only the site has.
OF_STORE = ("flow_order", "exclusive_flows", "gross_margin")
OF_SITE = ("may_loosen",)


class PolicyForm(WagtailAdminModelForm):  # type: ignore[misc]
    """Shows for every setting what is above it, what applies now, and what a level overrules."""

    week = WeekField()
    caps = CapsField(flows={})
    prices = PricesField()
    stricter_law = LawField()
    flow_order = OrderField()
    exclusive_flows = FlowsField()
    cart_countries = CodesField()
    double_opt_in_countries = CodesField()
    blocked_countries = CodesField()
    holidays_off = YesNoField()
    strict = YesNoField()
    quiet_service = YesNoField()
    skip_open_cases = YesNoField()
    cart_confirmed = YesNoField()
    escalate_unredeemed = YesNoField()
    may_loosen = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.states = States(self.instance)
        for name in OF_STORE if self.instance.store_id is None else OF_SITE:
            self.fields.pop(name, None)
        for name, field in self.fields.items():
            field.label = setting_label(name)
            field.help_text = _HELP.get(name, field.help_text if name not in _BARE else "")
        self._fill_rows()
        self._fill_flows()
        for name in self.fields:
            if name in SETTINGS:
                self._tell(name)

    def _fill_rows(self) -> None:
        caps = self.fields["caps"]
        self.fields["caps"] = CapsField(flows=self.states.flows, label=caps.label, help_text=caps.help_text)
        for name in ("caps", "prices", "stricter_law"):
            self.fields[name].html_name = name
        week = self.fields["week"].widget
        above: Any = self.states.above.rules
        week.above, week.above_words = stored(above.week), self.states.above_words("week")
        week.floors = floors(self.instance.store if self.instance.store_id else None)

    def _fill_flows(self) -> None:
        if "may_loosen" in self.fields:
            free = [name for name in SETTINGS if name not in NEVER_LOOSER | OWN_FACTS]
            self.fields["may_loosen"].choices = [(name, setting_label(name)) for name in free]
        if "flow_order" in self.fields:
            flows = list(Flow.objects.filter(store=self.instance.store_id).order_by("name", "pk").defer("steps"))
            self.fields["flow_order"].widget.flows = flows
            self.fields["exclusive_flows"].choices = [(flow.pk, flow.name) for flow in flows]

    def _tell(self, name: str) -> None:
        field, above = self.fields[name], getattr(self.states.above.rules, name)
        told = self.states.told(name)
        if name == "caps" and (sentences := self.states.overruled_caps()):
            words = format_html_join(" ", "{}", ((sentence,) for sentence in sentences))
            told = format_html('{} <strong class="smsflow-setting__overruled">{}</strong>', told, words)
        field.help_text = format_html("{} {}", field.help_text, told) if field.help_text else told
        words = self.states.above_words(name)
        if name in YES_NO:
            field.choices = [("", _("As above: %(value)s") % {"value": words}), *list(field.choices)[1:]]
        elif name == "when_blocked":
            blank = [("", _("As above: %(value)s") % {"value": words})]
            field.choices = [*blank, *[choice for choice in field.choices if choice[0]]]
        elif name in CODES:
            field.widget.attrs["placeholder"] = words
        elif isinstance(field, forms.IntegerField | forms.DecimalField):
            field.widget.attrs |= {"placeholder": words if above is None else number(above), "class": "smsflow-short"}


#: Fields whose own words say nothing that the placeholder does not.
_BARE = frozenset({"minimum_gap", "recent_buyer_hours", "discount_days", "breaker_least"})
_HELP: Mapping[str, str | Promise] = {
    "caps": gettext_lazy("No stretch of time of this length ever holds more texts to one person than that."),
    "when_blocked": gettext_lazy("A text that names no limit itself comes too late after 24 hours."),
    "flow_order": gettext_lazy(
        "When two flows want to text the same person, the one that stands higher goes first. Drag a flow, or move it "
        "with its buttons. Service goes before lifecycle, and lifecycle before promotions."
    ),
    "exclusive_flows": gettext_lazy("People who are in one of these get no promotions."),
    "cart_countries": gettext_lazy("One reminder for each cart there, and none later than 48 hours after it was left."),
    "double_opt_in_countries": gettext_lazy("People there are asked to confirm that they want texts."),
    "stricter_law": gettext_lazy(
        "Rows of your own beside the law of a place, on its clock. They can only close more: a row that is looser than "
        "the law changes nothing. Times that are left empty are as the law has them."
    ),
    "prices": gettext_lazy("In the store's currency. A row without a country is for all others."),
    "may_loosen": gettext_lazy(
        "Stores may always be stricter than the site. In what is ticked here they may be less strict, too."
    ),
}


class SettingPanel(FieldPanel):  # type: ignore[misc]
    """A setting, which is compared as people read it."""

    def get_comparison_class(self) -> Callable[..., Any]:
        return SettingComparison

    class BoundPanel(FieldPanel.BoundPanel):  # type: ignore[misc]
        @property
        def comments_enabled(self) -> bool:
            return False


def _group(heading: Any, help_text: Any, *children: Any) -> MultiFieldPanel:
    panels = [SettingPanel(child) if isinstance(child, str) else child for child in children]
    return MultiFieldPanel(panels, heading=heading, help_text=help_text, classname="smsflow-setting")


def _row(*names: str) -> FieldRowPanel:
    return FieldRowPanel([SettingPanel(name) for name in names])


PANELS = ObjectList(
    [
        _group(
            gettext_lazy("Hours"),
            gettext_lazy(
                "When texts may go, on the clock of the person who gets them. "
                "The law of the place where they are counts beside this, and nobody can loosen it."
            ),
            "week",
            _row("holidays_off", "strict", "quiet_service"),
            "stricter_law",
        ),
        _group(
            gettext_lazy("Best time to send"),
            gettext_lazy("What flows that wait for the best time go by, inside these hours. Nothing is to be set."),
            BestTimePanel(),
        ),
        _group(
            gettext_lazy("Caps"),
            gettext_lazy("How many marketing texts one person gets. News of their own orders does not count."),
            "caps",
            _row("minimum_gap", "look_ahead"),
            "when_blocked",
        ),
        _group(gettext_lazy("Priority"), "", "flow_order"),
        _group(
            gettext_lazy("Suppression"),
            gettext_lazy("Who gets no promotions for a while, whatever a flow wants."),
            _row("recent_buyer_hours", "skip_open_cases"),
            "exclusive_flows",
            SuppressionPanel(),
        ),
        _group(
            gettext_lazy("Carts and consent"),
            "",
            _row("cart_countries", "cart_confirmed"),
            _row("double_opt_in_countries", "blocked_countries"),
        ),
        _group(
            gettext_lazy("Incentives"),
            gettext_lazy(
                "How often one person is offered a discount, by all flows together, and how much it may cost."
            ),
            _row("discounts", "discount_days"),
            _row("margin_floor", "gross_margin"),
            "escalate_unredeemed",
        ),
        _group(
            gettext_lazy("Spend"),
            gettext_lazy("When a budget is used up, marketing waits for the next day or month."),
            UsagePanel(),
            _row("budget_day", "budget_month"),
            _row("price_ceiling", "texts_per_second"),
            "prices",
        ),
        _group(
            gettext_lazy("Breakers"),
            gettext_lazy("A flow that does one of these is paused by itself, and its owner is told."),
            BreakersPanel(),
            _row("breaker_opt_outs", "breaker_failures"),
            _row("breaker_volume", "breaker_spend"),
            "breaker_least",
        ),
        _group(
            gettext_lazy("Measurement"),
            gettext_lazy("Service texts, opt-ins and answers are never held back."),
            "holdout",
        ),
        _group(gettext_lazy("What stores may loosen"), "", "may_loosen"),
    ],
    base_form_class=PolicyForm,
)

#: The groups of the page with their settings, in its order.
GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (gettext_lazy("Hours"), ("week", "holidays_off", "strict", "quiet_service", "stricter_law")),
    (gettext_lazy("Caps"), ("caps", "minimum_gap", "look_ahead", "when_blocked")),
    (gettext_lazy("Suppression"), ("recent_buyer_hours", "skip_open_cases", "exclusive_flows")),
    (
        gettext_lazy("Carts and consent"),
        ("cart_countries", "cart_confirmed", "double_opt_in_countries", "blocked_countries"),
    ),
    (
        gettext_lazy("Incentives"),
        ("discounts", "discount_days", "margin_floor", "gross_margin", "escalate_unredeemed"),
    ),
    (gettext_lazy("Spend"), ("budget_day", "budget_month", "price_ceiling", "texts_per_second")),
    (
        gettext_lazy("Breakers"),
        ("breaker_opt_outs", "breaker_failures", "breaker_volume", "breaker_spend", "breaker_least"),
    ),
    (gettext_lazy("Measurement"), ("holdout",)),
)
