"""What the flows of a store need of Shopify, read from the database."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, F, OuterRef, Q

from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.engine.facts import Programs
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.segments import condition_of
from smsflow_plugin.flows.models import FlowVersion, Segment
from smsflow_plugin.flows.program import Program
from smsflow_plugin.integrations.shopify.admin.scopes import shortest
from smsflow_plugin.integrations.shopify.models import Grant
from smsflow_plugin.integrations.shopify.subscriptions import Needs, needs
from smsflow_plugin.integrations.shopify.translate import TOPICS


def needs_of(store_id: int) -> Needs:
    """Return what a store's flows need: those that are live, and those that somebody is still in.

    Who is inside a flow that was closed waits for orders and replies like everybody else.
    """
    inside = Enrollment.objects.filter(version=OuterRef("pk"), status=Enrollment.Status.WAITING)
    live = Q(flow__live=True, flow__current_version=F("pk"))
    rows = FlowVersion.objects.filter(live | Q(Exists(inside)), store=store_id).order_by("flow__name", "pk")
    names = dict(rows.values_list("pk", "flow__name"))
    programs = Programs.load(names)
    flows = [(name, programs[pk]) for pk, name in names.items() if pk in programs]
    return needs(flows, understood=TOPICS, more=_segments(store_id, flows))


def scopes_to_ask_for(store_ids: Iterable[int], granted: Iterable[str] = ()) -> list[str]:
    """Return the scopes that flows of these stores need, and those that are granted already.

    Whoever agrees again agrees to these instead of the old ones; a flow that is only paused must not lose its own.
    """
    wanted = {scope for store_id in store_ids for scope in needs_of(store_id).scopes}
    return shortest(wanted | set(granted))


def stores_of_app(app_id: int) -> list[int]:
    """Return the ids of the stores that are connected through an app."""
    return list(Grant.objects.filter(app=app_id).order_by("pk").values_list("connection__store_id", flat=True))


def _segments(store_id: int, flows: list[tuple[str, Program]]) -> list[tuple[str, Condition]]:
    """Return what the segments ask whose newcomers start a flow, by the flow's name."""
    users = [
        (name, trigger.options.get("segment"))
        for name, program in flows
        for trigger in program.triggers
        if isinstance(trigger.options.get("segment"), int)
    ]
    if not users:
        return []
    found = Segment.objects.filter(store=store_id).in_bulk({pk for _name, pk in users if isinstance(pk, int)})
    return [(name, condition_of(found[pk])) for name, pk in users if pk in found]
