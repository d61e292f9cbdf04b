"""Enabling a template in a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from wagtail.actions.base import BaseAction
from wagtail.log_actions import log
from wagtail.permissions import policy_registry

from smsflow_plugin.flows.library.build import build
from smsflow_plugin.flows.library.definitions import FlowTemplate
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.stores.models import Store


class AlreadyEnabled(Exception):
    """The store has a flow of this template. ``flow`` is that one."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        super().__init__(f"{flow.store} already has {flow}.")


class EnableTemplate(BaseAction):  # type: ignore[misc]
    """Create a flow of a template in a store, as a draft for a person to look at.

    :param instance: the store.
    :param template: the template.
    :param settings: the cleaned answers to what the template asks; its defaults stand in for the rest.
    :param another: a flow of this template may be there already, and one more is wanted.
    """

    action_name = "enable_template"

    def __init__(
        self,
        instance: Store,
        user: Any = None,
        *,
        template: FlowTemplate,
        settings: Mapping[str, Any] | None = None,
        another: bool = False,
    ) -> None:
        super().__init__(instance, user=user)
        self.store = instance
        self.template = template
        self.settings = settings
        self.another = another

    def user_has_permission(self) -> bool:
        policy = policy_registry.get_by_type(Flow)
        return bool(policy.user_has_permission_for_instance(self.user, "add", Flow(store=self.store)))

    def execute(self, skip_permission_checks: bool = False) -> Flow:
        """Create the flow and its first draft.

        :raises AlreadyEnabled: if the store has it already, unless another one is wanted.
        """
        self.check(skip_permission_checks=skip_permission_checks)
        with transaction.atomic():
            # two clicks at once must not make two flows that both text the same people
            Store.objects.select_for_update().get(pk=self.store.pk)
            existing = Flow.objects.filter(store=self.store, template=self.template.key).first()
            if existing is not None and not self.another:
                raise AlreadyEnabled(existing)
            flow = build(self.template, self.store, self.settings)
            flow.name = self._free_name(flow.name)
            flow.owner = self.user
            flow.save()
            flow.save_revision(user=self.user, clean=False)
            log(instance=flow, action="smsflow.enable", user=self.user, data={"template": self.template.key})
            return flow

    def _free_name(self, name: str) -> str:
        """Return ``name``, with a number behind it if the store has a flow of that name."""
        taken = set(Flow.objects.filter(store=self.store, name__startswith=name).values_list("name", flat=True))
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name} {number}"
        return free
