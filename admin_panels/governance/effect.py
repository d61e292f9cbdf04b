"""What the draft would have changed about the texts of the last week."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from smsflow_plugin.admin_panels.governance.pages import PolicyPage
from smsflow_plugin.measurement.reasons import why
from smsflow_plugin.models import Flow, Store
from smsflow_plugin.simulation.effect import MOST_TEXTS, Effect, effect_of


class EffectView(PolicyPage, TemplateView):
    """Replays the week once by the rules that count and once by the draft."""

    page_title = gettext_lazy("What the draft would change")
    header_icon = "view"
    template_name = "smsflow/governance/effect.html"

    def allowed(self) -> bool:
        return self.may("change")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        stores = [self.object.store] if self.object.store_id else list(Store.objects.visible_to(self.request.user))
        effect = effect_of(self.draft, stores)
        return super().get_context_data(
            effect=effect,
            waited=effect.waited.total(),
            dropped=effect.dropped.total(),
            by_rule=_by_rule(effect),
            by_flow=self._by_flow(effect),
            most=MOST_TEXTS,
            has_draft=self.object.has_unpublished_changes,
            **kwargs,
        )

    def _by_flow(self, effect: Effect) -> list[tuple[Any, int, int]]:
        flows = Flow.objects.visible_to(self.request.user).filter(pk__in=effect.flows).only("name")
        rows = [(flow, effect.flows[flow.pk]["waited"], effect.flows[flow.pk]["dropped"]) for flow in flows]
        return sorted(rows, key=lambda row: (-row[1] - row[2], row[0].name))


def _by_rule(effect: Effect) -> list[tuple[str, int, int]]:
    reasons = sorted({*effect.waited, *effect.dropped}, key=lambda r: (-effect.waited[r] - effect.dropped[r], r))
    return [(why(reason, str(gettext_lazy("the person's time zone"))), effect.waited[reason], effect.dropped[reason])
            for reason in reasons]  # fmt: skip
