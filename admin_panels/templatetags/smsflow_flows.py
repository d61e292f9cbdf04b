"""What the previews and pages of a flow show: its diagram, and the phone on which it is tried."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from smsflow_plugin.admin_panels.flows.diagram import numbers_of, render_diagram
from smsflow_plugin.admin_panels.flows.walk import phone_context
from smsflow_plugin.flows.program import Program
from smsflow_plugin.models import Flow

register = template.Library()


@register.simple_tag
def flow_diagram(source: Flow | Program, link: str | None = None, live_numbers: bool = False) -> SafeString:
    """Draw a flow or a program; needs ``smsflow/diagram.css``.

    ``link`` is the address of the page with its form ("" for the page that the frame stands in).
    """
    numbers = numbers_of(source) if live_numbers and isinstance(source, Flow) else None
    return render_diagram(source, numbers=numbers, link=link)


@register.simple_tag(takes_context=True)
def flow_phone(context: Any, flow: Flow) -> dict[str, Any]:
    """Return what the phone shows; needs a request with a user and a session."""
    return phone_context(flow, context["request"])
