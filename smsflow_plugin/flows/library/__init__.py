"""The prebuilt flows that a store can enable."""

from smsflow_plugin.flows.library.build import build
from smsflow_plugin.flows.library.definitions import FlowTemplate
from smsflow_plugin.flows.library.enable import AlreadyEnabled, EnableTemplate
from smsflow_plugin.flows.library.templates import TEMPLATES

__all__ = ["TEMPLATES", "AlreadyEnabled", "EnableTemplate", "FlowTemplate", "build"]
