"""Takes what one arm says (a wording, a delay, an offer) over into a draft. A person does it, and publishes it."""

from __future__ import annotations

import copy
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.actions import BaseAction
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.engine.trials import experiment_of
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import VARIANTS, Discount, Send, Wait

#: What a variant says in its step's stead, by the kind of the step.
_TAKEN = {"send": ("text", "fallback", "translations"), "wait": ("amount", "unit"), "discount": ("kind", "amount")}


class CannotApply(Exception):
    """The draft of the flow no longer tries this. The message is a sentence."""


def with_winner(steps: list[Any], step: str, arm: str) -> list[Any]:
    """Return raw steps in which ``step`` has only what ``arm`` says. Nothing else changes."""
    changed = copy.deepcopy(steps)
    for block in _blocks(changed):
        value = block["value"]
        taken = _TAKEN.get(str(block.get("type")))
        if block.get("id") == step and taken:
            place = VARIANTS.index(arm)
            if place:
                chosen = value["variants"][place - 1]["value"]
                # an empty kind of an offer means the step's own
                value.update(
                    {name: chosen[name] for name in taken if name in chosen and (chosen[name] or name != "kind")}
                )
            value["variants"] = []
    return changed


def _blocks(value: Any) -> Any:
    """Yield every block of raw steps, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get("value"), dict):
            yield value
        for inner in value.values():
            yield from _blocks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _blocks(inner)


class ApplyWinner(BaseAction):  # type: ignore[misc]
    """Save a draft of a flow in which one arm is left of those that were tried.

    :param instance: the flow.
    :param experiment: its name, as in ``Exposure``.
    :param arm: "A", "B", …
    """

    action_name = "apply_winner"
    permission_policy_action = "change"

    def __init__(self, instance: Flow, user: Any = None, *, experiment: str, arm: str) -> None:
        super().__init__(instance, user=user)
        self.experiment = experiment
        self.arm = arm

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Flow:
        """Save the draft and log whose it is.

        :raises CannotApply: if the newest draft tries something else by now, or nobody may change it.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        draft: Flow = self.instance.get_latest_revision_as_object()
        if self.user is not None and draft.get_lock() and draft.get_lock().for_user(self.user):
            raise CannotApply(_("The flow is locked."))
        step = self._step(draft)
        field = Flow._meta.get_field("steps")
        raw = draft.steps.stream_block.get_prep_value(draft.steps)
        draft.steps = field.stream_block.to_python(with_winner(raw, step, self.arm))
        draft.save_revision(user=self.user, clean=False)
        log(
            instance=self.instance,
            action="smsflow.apply_winner",
            user=self.user,
            timestamp=clock.now(),
            data={"experiment": self.experiment, "arm": self.arm},
        )
        return draft

    def _step(self, draft: Flow) -> str:
        """Return the step of the draft that tries this very thing."""
        try:
            instructions = compile_flow(draft).instructions
        except CannotCompile:
            instructions = ()
        for each in instructions:
            if not isinstance(each, Send | Wait | Discount) or experiment_of(draft.pk, each) != self.experiment:
                continue
            if each.variants and self.arm in tuple(VARIANTS[: len(each.weights)]):
                return each.step
        raise CannotApply(_("The newest draft of the flow no longer tries this."))
