"""The page of the experiments of a store: what each has come to, in a sentence and a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.permissions import policy_registry

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.flows.viewset import FlowViewSet
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin, may, number, visible
from smsflow_plugin.measurement.applying import ApplyWinner, CannotApply
from smsflow_plugin.measurement.experiments import KEEPABLE, Experiment, Result, experiments, result, title
from smsflow_plugin.measurement.judging import Arm, Comparison, State
from smsflow_plugin.measurement.standings import count, standing
from smsflow_plugin.measurement.verdicts import arm_name, between, signed
from smsflow_plugin.measurement.winners import outcome_words
from smsflow_plugin.models import Flow, FlowStat, Store
from smsflow_plugin.stores.querysets import ANY_ACTION


@dataclass(frozen=True, slots=True)
class Line:
    """One arm in the table, in words. Empty where nothing may be said."""

    name: str
    arm: str
    exposed: str
    ordered: str = ""
    rate: str = ""
    rate_interval: str = ""
    difference: str = ""
    difference_interval: str = ""
    revenue: str = ""
    revenue_difference: str = ""
    revenue_interval: str = ""
    clicked: str = ""
    opted_out: str = ""
    wins: bool = False


def lines(found: Result) -> list[Line]:
    """Return the table of a result. Of a broken split it has nothing but how many people there were."""
    judgement = found.judgement
    compared = {each.arm.name: each for each in judgement.comparisons}
    words = found.experiment.words
    rows = [_line(arm, compared.get(arm.name), judgement.state, judgement.winner) for arm in judgement.arms]
    return [replace(row, name=_called(row.arm, words)) for row in rows]


def _called(arm: str, words: Mapping[str, str]) -> str:
    """Return what an arm is called on the page: "B: 1 day", "with texts"."""
    return f"{arm}: {words[arm]}" if arm in words else arm_name(arm)


def _line(arm: Arm, compared: Comparison | None, state: State, winner: str) -> Line:
    name, exposed = arm_name(arm.name), number_format(arm.exposed)
    if state in (State.BROKEN, State.NOBODY):
        return Line(name, arm.name, exposed)
    return Line(
        name,
        arm.name,
        exposed,
        number_format(arm.converted),
        "" if arm.rate is None else _("%(number)s %%") % {"number": _percent(arm.rate)},
        "" if arm.rate is None else _span(_percent(arm.interval.low), _percent(arm.interval.high)),
        signed(compared.rate.difference) if compared else "",
        between(compared.rate.interval) if compared else "",
        _money(arm.revenue.mean),
        _signed_money(compared.revenue) if compared else "",
        _revenue_interval(compared) if compared else "",
        number_format(arm.clicked),
        number_format(arm.opted_out),
        arm.name == winner,
    )


def _span(low: str, high: str) -> str:
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def _percent(share: float) -> str:
    return number_format(round(share * 100, 1), 1)


def _money(value: float) -> str:
    return number_format(round(value, 2), 2)


def _revenue_interval(compared: Comparison) -> str:
    interval = compared.revenue_interval
    if interval is None:
        return _("too few orders to say")
    return _span(_signed_money(interval.low), _signed_money(interval.high))


def _signed_money(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_money(abs(value))}"


def stores_of(user: Any) -> list[Store]:
    """Return the stores whose flows and figures ``user`` may see: the rights are read once."""
    stores = Store.objects.visible_to(user).order_by("name", "pk")
    return [
        store
        for store in stores
        if may(user, "view", FlowStat(store=store))
        and (may(user, "view", Flow(store=store)) or may(user, "change", Flow(store=store)))
    ]


def may_see_some(user: Any) -> bool:
    """Return whether there is any such store, by the rights alone: the menu asks this on every page."""
    wanted = {FlowStat: ["view"], Flow: ["view", "change"], Store: ANY_ACTION}
    found = [policy_registry.get_by_type(model).stores_for(user, actions) for model, actions in wanted.items()]
    some = [ids for ids in found if ids is not None]
    return bool(set.intersection(*some)) if some else Store.objects.exists()


class ExperimentsPage(WagtailAdminTemplateMixin, TemplateView):  # type: ignore[misc]
    template_name = "smsflow/experiments/page.html"
    page_title = gettext_lazy("Experiments")
    header_icon = "rotate"
    index_url_name = ""
    edit_url_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.stores:
            raise PermissionDenied
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    @cached_property
    def stores(self) -> list[Store]:
        return stores_of(self.request.user)

    @cached_property
    def store(self) -> Store:
        """The store that is asked for, the first one if none is. Anybody else's is a 404."""
        wanted = self.request.GET.get("store")
        if not wanted:
            return self.stores[0]
        found = next((store for store in self.stores if store.pk == number(wanted)), None)
        if found is None:
            raise Http404
        return found

    @cached_property
    def experiments(self) -> list[Experiment]:
        return experiments(self.store)

    @cached_property
    def chosen(self) -> Experiment | None:
        """The experiment that is asked for, else the newest that still runs."""
        wanted = self.request.GET.get("experiment")
        if wanted:
            found = next((each for each in self.experiments if each.name == wanted), None)
            if found is None:
                raise Http404
            return found
        running = [each for each in self.experiments if each.running]
        return next(iter(running or self.experiments), None)

    def get_page_subtitle(self) -> str:
        return str(self.store)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.get_page_title(), "sublabel": str(self.store)}]

    @cached_property
    def result(self) -> Result | None:
        """What was counted last of the chosen experiment; counted now where the worker has not come to it yet."""
        chosen = self.chosen
        if chosen is None:
            return None
        return standing(chosen) or result(self.store, chosen, clock.now())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        chosen, found = self.chosen, self.result
        kept = chosen.standing if chosen else None
        context.update(
            store=self.store,
            stores=self.stores if len(self.stores) > 1 else [],
            rows=[(each, title(each), self._address(each), each == chosen) for each in self.experiments],
            chosen=chosen,
            heading=title(chosen) if chosen else "",
            result=found,
            lines=lines(found) if found else [],
            currency=self.store.currency,
            days=self.store.attribution_days,
            kept=kept,
            outcome=outcome_words(kept.outcome, kept.arm, kept.reason) if kept else "",
            address=self._address(chosen) if chosen else "",
            **self._applying(found),
        )
        return context

    def _address(self, experiment: Experiment) -> str:
        query = urlencode({"store": self.store.pk, "experiment": experiment.name})
        return f"{reverse(self.index_url_name)}?{query}"

    def _applying(self, found: Result | None) -> Mapping[str, Any]:
        """Return what the form needs that takes an arm over; nothing for who may not change the flow."""
        if found is None or found.experiment.kind not in KEEPABLE or not found.experiment.running:
            return {}
        # a running one has its flow, which is the store's: no need to read it again
        if not may(self.request.user, "change", Flow(store=self.store)):
            return {}
        return {"may_apply": True}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "count" in request.POST and self.chosen is not None:
            return self._count_again(self.chosen)
        return self._keep(request, self.chosen, request.POST.get("arm", ""))

    def _count_again(self, chosen: Experiment) -> HttpResponse:
        if chosen.standing and chosen.standing.closed_at:
            messages.error(self.request, _("Who took part is not known any more: these figures are the last ones."))
        else:
            [anew] = [each for each in experiments(self.store, [chosen.name]) if each.name == chosen.name]
            count(self.store, anew)
            messages.success(self.request, _("The experiment was counted again."))
        return redirect(self._address(chosen))

    def _keep(self, request: HttpRequest, chosen: Experiment | None, arm: str) -> HttpResponse:
        flow = visible(request.user, Flow).filter(store=self.store, pk=chosen.flow_id).first() if chosen else None
        if chosen is None or flow is None:
            raise Http404
        if not may(request.user, "change", flow):
            raise PermissionDenied
        found = self.result
        if found and "sure" not in request.POST and (why := caution(found, arm)):
            return self._ask(found, arm, why)
        try:
            ApplyWinner(flow, request.user, experiment=chosen.name, arm=arm).execute()
        except CannotApply as refusal:
            messages.error(request, str(refusal))
            return redirect(self._address(chosen))
        messages.success(
            request,
            _("The draft has only %(arm)s left. Publish it to end the experiment.")
            % {"arm": _called(arm, chosen.words)},
        )
        return redirect(reverse(self.edit_url_name, args=[flow.pk]))

    def _ask(self, found: Result, arm: str, why: str) -> HttpResponse:
        """Show once more what stands against keeping this one."""
        context = super().get_context_data(
            why=why,
            result=found,
            heading=title(found.experiment),
            arm=arm,
            name=_called(arm, found.experiment.words),
            address=self._address(found.experiment),
        )
        return TemplateResponse(self.request, "smsflow/experiments/sure.html", context)


def caution(found: Result, arm: str) -> str:
    """Return why keeping this arm should be thought over, "" where nothing stands against it."""
    judgement = found.judgement
    match judgement.state:
        case State.BROKEN:
            return _(
                "People were not parted as they should have been, so the figures say nothing about which is better."
            )
        case State.NOBODY | State.EARLY:
            return _("There is not enough data yet. What looks better now may well be chance.")
        case State.OPEN:
            return _("The test is not conclusive yet. What looks better now may be chance.")
        case State.CONCLUSIVE if arm != judgement.winner:
            winner = _called(judgement.winner, found.experiment.words)
            return _("The test is conclusive, and %(winner)s is better.") % {"winner": winner}
    if arm in {each.arm.name for each in judgement.harmful}:
        return _("More people opt out with it.")
    return ""


class ExperimentsMenuItem(MenuItem):  # type: ignore[misc]
    def is_shown(self, request: HttpRequest) -> bool:
        return may_see_some(request.user)


class ExperimentsViewSet(ScopedViewSetMixin, ViewSet):  # type: ignore[misc]
    name = "smsflow_experiments"
    url_prefix = "smsflow/experiments"
    icon = "rotate"
    menu_label = gettext_lazy("Experiments")
    menu_name = "smsflow-experiments"
    menu_order = 236
    menu_item_class = ExperimentsMenuItem

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {
            "index_url_name": self.get_url_name("index"),
            "edit_url_name": FlowViewSet().get_url_name("edit"),
            **kwargs,
        }

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("", self.construct_view(ExperimentsPage), name="index")]
