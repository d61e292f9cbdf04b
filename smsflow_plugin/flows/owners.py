"""Where to write to whoever answers for a flow."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F, Q

from smsflow_plugin.flows.models import Flow


def owner_addresses(flow_ids: Iterable[int]) -> dict[int, str]:
    """Return the e-mail addresses of the owners of flows, by the flow's id, with one query.

    Missing are those of nobody, and those whose owner may not see the flow any more: who has left a store hears nothing
    of it.
    """
    found = (
        Flow.objects.filter(pk__in=list(flow_ids), owner__is_active=True)
        .filter(
            Q(owner__is_superuser=True)
            | _sees("owner__store_memberships__role__permissions", owner__store_memberships__store=F("store"))
            | _sees("owner__groups__permissions")
            | _sees("owner__user_permissions")
        )
        .exclude(owner__email="")
    )
    return dict(found.order_by().values_list("pk", "owner__email").distinct())


def _sees(permissions: str, **where: F) -> Q:
    of_flows = {f"{permissions}__codename": "view_flow", f"{permissions}__content_type__app_label": "smsflow"}
    return Q(**of_flows, **where)
