"""Checks copy when it is saved, against sample data of what a flow will know of a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from liquid.ast import Node
from liquid.builtin.expressions import LoopExpression, Path
from liquid.builtin.output import OutputNode
from liquid.expression import Expression

from smsflow_plugin.messaging.liquid_context import MissingValue, as_text, get_item
from smsflow_plugin.messaging.liquid_environment import (
    CopyError,
    compile_copy,
    has_default,
    inner_expressions,
    position,
)
from smsflow_plugin.messaging.stuck_addresses import stuck_addresses

__all__ = ["CopyError", "MissingValue", "Problem", "check_copy", "check_syntax"]

#: Stands for a value that a check cannot know: what ``assign`` computed, the items of an empty list.
_ANYTHING = object()
_UNKNOWN = object()
#: Characters of a text that a problem repeats.
_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong with copy, as a sentence; line and column count from 1, 0 when unknown."""

    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names mean at one place of the copy, and which paths a condition around it has asked about."""

    sample: Mapping[str, Any]
    local: dict[str, Any]
    asked: frozenset[str] = frozenset()


def check_copy(source: str, sample: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with ``source``, in order.

    ``sample`` holds every value that copy may use; None marks those that may be missing,
    which copy must give a default or ask for in a condition around them.
    """
    if problems := check_syntax(source):
        return problems
    found = set(_check_nodes(compile_copy(source).template.nodes, _Scope(sample, {})))
    return sorted(found.union(_check_addresses(source)))


def check_syntax(source: str) -> list[Problem]:
    """Return what keeps ``source`` from being copy at all, whatever names it uses."""
    try:
        compile_copy(source)
    except CopyError as error:
        return [Problem(error.line, error.column, error.message)]
    return []


def _check_addresses(source: str) -> Iterator[Problem]:
    for at, both in stuck_addresses(source):
        shown = both if len(both) <= _SHOWN else f"{both[:_SHOWN]}…"
        message = _("Put a blank between the two addresses: stuck together, neither of them leads anywhere (%(both)s).")
        yield Problem(*position(source, at), message % {"both": shown})


def _check_nodes(nodes: Iterable[Node], scope: _Scope) -> Iterator[Problem]:
    for node in nodes:
        expressions = list(node.expressions())
        for expression in expressions:
            yield from _check_expression(expression, scope, printed=isinstance(node, OutputNode))
        scope.local.update((str(name), _ANYTHING) for name in node.template_scope())
        inner = _inside(node, expressions, scope)
        yield from _check_nodes(node.children(None, include_partials=False), inner)  # type: ignore[arg-type]


def _inside(node: Node, expressions: list[Expression], scope: _Scope) -> _Scope:
    """Return the scope of the children of ``node``."""
    local = dict(scope.local)
    for name in node.block_scope():
        local[str(name)] = _ANYTHING
    for expression in expressions:
        if isinstance(expression, LoopExpression) and isinstance(expression.iterable, Path):
            items = _resolve(expression.iterable, scope)
            if isinstance(items, list) and items:
                local[str(expression.identifier)] = items[0]
    asked = {str(path) for expression in expressions for path in _paths(expression)}
    return _Scope(scope.sample, local, scope.asked | asked)


def _check_expression(expression: Expression, scope: _Scope, *, printed: bool) -> Iterator[Problem]:
    iterable = expression.iterable if isinstance(expression, LoopExpression) else None
    safe = getattr(expression, "left", None) if has_default(expression) else None
    for path in _paths(expression):
        value = _resolve(path, scope)
        if value is _UNKNOWN:
            yield _problem(path, _("There is no “%(path)s” here."))
        elif value is None or value == "":
            needed = (printed and path is not safe) or path is iterable
            if needed and str(path) not in scope.asked:
                yield _problem(
                    path, _("“%(path)s” may be missing. Add words for that: {{ %(path)s | default: 'words' }}.")
                )


def _paths(expression: Expression) -> Iterator[Path]:
    return (inner for inner in inner_expressions(expression) if isinstance(inner, Path))


def _resolve(path: Path, scope: _Scope) -> Any:
    """Return the sample value at ``path``, ``_UNKNOWN`` if there is none."""
    head, *rest = path.path
    if head in scope.local:
        value = scope.local[str(head)]
    elif head in scope.sample:
        value = scope.sample[str(head)]
    else:
        return _UNKNOWN
    for key in rest:
        if value is _ANYTHING or value is None or isinstance(key, Path):
            return None if value is None else _ANYTHING
        if isinstance(value, list) and not value and key != "size":
            return _ANYTHING
        try:
            value = get_item(value, key)
        except (KeyError, IndexError, TypeError):
            return _UNKNOWN
    return value


def _problem(path: Path, message: str) -> Problem:
    line, column = position(path.token.source, max(path.token.start_index, 0))
    return Problem(line, column, message % {"path": as_text(path.path)})
