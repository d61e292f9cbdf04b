"""Tells the owner of a flow by e-mail that something went wrong with it: once, however many people it met."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from smsflow_plugin import bulk
from smsflow_plugin.engine.models import Effect, OwnerAlarm
from smsflow_plugin.flows.owners import owner_addresses
from smsflow_plugin.governance.spend import day_of
from smsflow_plugin.stores.models import Store

#: Stands in for the step in the name of the notice: no step of a form is called so.
_STEP = "no-code"


def no_code(effect: Effect, error: str, now: datetime) -> bool:
    """Tell whoever answers for the flow that there was no discount code; return whether a notice was queued.

    Once a day for each flow. The texts themselves went out without the discount.
    """
    day = day_of(now, effect.store.timezone).date
    key = f"no_code:{effect.flow_id}:{day.isoformat()}"
    if not bulk.insert(OwnerAlarm, ("store_id", "key", "told_at"), [(effect.store_id, key, now)]):
        return False
    to = addresses(effect.store, effect.flow_id)
    if not to:
        return False
    with override(effect.store.language):
        names = {"flow": effect.flow.name if effect.flow else "–", "store": effect.store.name, "error": error}
        subject = _("No discount code for “%(flow)s”") % names
        body = (
            _(
                "%(store)s: the flow “%(flow)s” asked for a discount code and got none.\n\n%(error)s\n\n"
                "The people in it get the text without a discount until this is mended. This is told once a day."
            )
            % names
        )
    payload = {"to": list(to), "subject": subject, "body": body}
    row = (
        effect.store_id, effect.contact_id, effect.flow_id, effect.enrollment_id, _STEP, effect.visit,
        Effect.Kind.NOTICE.value, payload, False, Effect.State.QUEUED.value, now, now,
    )  # fmt: skip
    columns = (
        "store_id", "contact_id", "flow_id", "enrollment_id", "step", "visit", "kind", "payload", "waits", "state",
        "not_before", "created_at",
    )  # fmt: skip
    return bool(bulk.insert(Effect, columns, [row]))


def addresses(store: Store, flow_id: int | None) -> Sequence[str]:
    """Return where to write to: to the flow's owner, or else to everybody who may change the store's rules."""
    if owner := list(owner_addresses([flow_id] if flow_id else []).values()):
        return owner
    users = get_user_model().objects.filter(is_active=True).exclude(email="")
    role = Q(
        store_memberships__store=store,
        store_memberships__role__permissions__content_type__app_label="smsflow",
        store_memberships__role__permissions__codename="change_policy",
    )
    return list(users.filter(role).order_by("pk").distinct().values_list("email", flat=True))
