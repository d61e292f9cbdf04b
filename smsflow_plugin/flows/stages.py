"""Where in the life of a customer a flow speaks. Pure."""

from __future__ import annotations

from smsflow_plugin.flows.program import Program
from smsflow_plugin.governance.rules import Stage

#: What starts a flow that does not say its stage: older versions do not.
_BY_TRIGGER = {
    "cart_updated": Stage.CART,
    "checkout_updated": Stage.CART,
    "product_viewed": Stage.BROWSE,
}


def stage_of(program: Program) -> str:
    """Return the flow's stage, or an empty string if nothing tells it."""
    if program.stage:
        return program.stage
    found = (_BY_TRIGGER.get(trigger.kind) for trigger in program.triggers)
    return next((stage.value for stage in found if stage), "")
