"""The templates themselves: who, when and in which order. Their words stand in ``library/copy``."""

from __future__ import annotations

from smsflow_plugin.flows.library.definitions import FlowTemplate
from smsflow_plugin.flows.library.templates import after, ask, back, grow, news, orders, sell

TEMPLATES: dict[str, FlowTemplate] = {
    template.key: template for module in (grow, sell, orders, after, back, ask, news) for template in module.ALL
}
