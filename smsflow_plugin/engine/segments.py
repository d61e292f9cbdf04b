"""A saved segment as a condition, for those who look at its people now."""

from __future__ import annotations

from smsflow_plugin.audience.filters import Condition
from smsflow_plugin.flows.condition_compiler import ConditionCompiler
from smsflow_plugin.flows.lookups import StoreLookups
from smsflow_plugin.flows.models import Segment
from smsflow_plugin.flows.problems import Path


class NotACondition(Exception):
    """The rules of a segment cannot be asked. The message is a sentence for people."""


def condition_of(segment: Segment) -> Condition:
    """Return the rules of a segment as a condition of ``audience.filters``.

    :raises NotACondition: if they are not all filled in.
    """
    problems: list[str] = []

    def report(path: Path, message: str) -> None:
        problems.append(message)

    compiler = ConditionCompiler((), report, segments=StoreLookups(segment.store_id).segments, segment_id=segment.pk)
    condition = compiler.compile(segment.rules)
    if problems:
        raise NotACondition(problems[0])
    return condition
