"""Compiles and renders copy in a Liquid that can do no harm. Copy is written by users of several stores.

Guarded are the length of the source, nesting, loops, output, and the operands and
the work of filters; there are no ranges, no includes, no attributes and no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from io import StringIO
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from liquid import BoundTemplate, Environment
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import StringLiteral
from liquid.builtin.expressions.filtered import FilteredExpression
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank, Empty, RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoTag
from liquid.exceptions import LiquidError, LiquidSyntaxError, OutputStreamLimitError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.stringify import to_liquid_string
from liquid.undefined import is_undefined

from smsflow_plugin.messaging import liquid_filters
from smsflow_plugin.messaging.liquid_context import MissingValue, SafeContext
from smsflow_plugin.messaging.liquid_errors import explain_syntax, explain_value, find_culprit
from smsflow_plugin.messaging.plain import clean_literal, clean_value

MAX_SOURCE = 2000
MAX_OUTPUT = 2000
#: Outputs and tags. The library's lexer takes quadratic time over unclosed ones.
MAX_MARKUP = 200

ALLOWED_TAGS = frozenset(
    ("#", "assign", "break", "case", "comment", "content", "continue", "doc", "echo", "for", "if")
    + ("illegal", "output", "unless")
)

#: What escapes from the library besides its own errors: number formats, deep nesting, odd operands.
_ODD_ERRORS = (ValueError, ArithmeticError, RecursionError, TypeError, AttributeError, LookupError, MemoryError)


class CopyError(Exception):
    """The copy cannot be used. The message is a sentence; line and column count from 1, 0 when unknown."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Compiled:
    """Copy, ready to be filled in.

    ``pieces`` are its literals and its output expressions in order, and None when
    it holds any tag: then only rendering as a whole gives its text.
    """

    template: BoundTemplate
    pieces: tuple[str | Expression, ...] | None


class _CleanOutputNode(OutputNode):
    """Prints a value as plain data: no control characters, one line, never Liquid again."""

    def render_to_output(self, context: Any, buffer: Any) -> int:
        return int(buffer.write(evaluate(self.expression, context)))


class _CleanOutput(Output):
    node_class = _CleanOutputNode


class _CleanEcho(EchoTag):
    node_class = _CleanOutputNode  # type: ignore[assignment]


class _Environment(Environment):
    block_nesting_limit = 5
    context_depth_limit = 12
    loop_iteration_limit = 50
    local_namespace_limit = 20_000
    output_stream_limit = MAX_OUTPUT * 4  # in bytes

    def setup_tags_and_filters(self, **kwargs: Any) -> None:
        super().setup_tags_and_filters(**kwargs)
        self.add_tag(_CleanOutput)
        self.add_tag(_CleanEcho)
        self.tags = {name: tag for name, tag in self.tags.items() if name in ALLOWED_TAGS}
        kept = {name: function for name, function in self.filters.items() if name in liquid_filters.ALLOWED}
        kept["round"] = liquid_filters.bounded_round(kept["round"])
        kept |= {"money": liquid_filters.money, "date": liquid_filters.format_date}
        self.filters = {name: liquid_filters.guarded(function) for name, function in kept.items()}


_environment = _Environment()


@lru_cache(maxsize=2048)
def compile_copy(source: str) -> Compiled:
    """Parse ``source``.

    :raises CopyError: with line and column, if it is not valid copy.
    """
    if len(source) > MAX_SOURCE:
        raise CopyError(_("This text is longer than %(limit)d characters.") % {"limit": MAX_SOURCE})
    if source.count("{{") + source.count("{%") > MAX_MARKUP:
        raise CopyError(_("This text has more than %(limit)d outputs and tags.") % {"limit": MAX_MARKUP})
    try:
        template = _environment.from_string(clean_literal(source))
    except LiquidError as error:
        raise _copy_error(error, clean_literal(source)) from error
    except _ODD_ERRORS as error:
        raise CopyError(_("This text cannot be understood.")) from error
    for node in walk(template.nodes):
        for outer in node.expressions():
            for expression in inner_expressions(outer):
                _check_expression(expression)
    return Compiled(template, _pieces(template.nodes))


def render_pieces(copy: Compiled, context: Mapping[str, object], *, language: str = "") -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it came from the data.

    :raises MissingValue: if it prints what is not known.
    :raises CopyError: if it cannot be filled in with this data.
    """
    render_context = SafeContext(copy.template, globals=context, language=language)
    try:
        if copy.pieces is None:
            return [(_render_whole(copy.template, render_context), False)]
        return [
            (piece, False) if isinstance(piece, str) else (evaluate(piece, render_context), True)
            for piece in copy.pieces
        ]
    except LiquidError as error:
        raise _copy_error(error) from error
    except _ODD_ERRORS as error:
        raise CopyError(_("This text cannot be filled in with this person's data.")) from error


def evaluate(expression: Expression, context: SafeContext) -> str:
    """Return the value of an output expression as clean text.

    :raises MissingValue: if there is none and nothing stands in for it.
    """
    value = expression.evaluate(context)
    if isinstance(value, str):
        return clean_value(value)
    if is_undefined(value):
        raise MissingValue(value.name)  # type: ignore[attr-defined]
    if value is None:
        if not has_default(expression):
            raise MissingValue(str(expression))
        return ""
    if not isinstance(value, (int, float, Decimal, date)):
        raise CopyError(_("“%(path)s” is not a text.") % {"path": expression})
    return clean_value(to_liquid_string(value, autoescape=False))


def has_default(expression: Expression) -> bool:
    """Return whether something stands in for the value when it is missing."""
    filters = expression.filters if isinstance(expression, FilteredExpression) else None
    return any(step.name == "default" for step in filters or ())


def walk(nodes: Any) -> Iterator[Node]:
    """Yield all nodes below ``nodes``, outer ones first."""
    for node in nodes:
        yield node
        yield from walk(node.children(None, include_partials=False))


def inner_expressions(expression: Expression) -> Iterator[Expression]:
    """Yield ``expression`` and all expressions in it, outer ones first."""
    yield expression
    for child in expression.children():
        yield from inner_expressions(child)


class _OrEmpty(Expression):
    """A missing value as the empty text, so that ``x != blank`` asks what people mean by it."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def __str__(self) -> str:
        return str(self.inner)

    def evaluate(self, context: Any) -> object:
        value = self.inner.evaluate(context)
        return "" if is_undefined(value) else value

    def children(self) -> list[Expression]:
        return [self.inner]


def _check_expression(expression: Expression) -> None:
    if isinstance(expression, RangeLiteral):
        _refuse(_("A range such as (1..5) cannot be used in a text."), expression.token)
    if isinstance(expression, FilteredExpression):
        for step in expression.filters or ():
            if step.name not in _environment.filters:
                _refuse(_("There is no filter called “%(name)s”.") % {"name": step.name}, step.token)
    if isinstance(expression, (EqExpression, NeExpression)):
        if _is_emptiness(expression.right):
            expression.left = _OrEmpty(expression.left)
        elif _is_emptiness(expression.left):
            expression.right = _OrEmpty(expression.right)


def _is_emptiness(expression: Expression) -> bool:
    return isinstance(expression, (Blank, Empty)) or (isinstance(expression, StringLiteral) and not expression.value)


def _pieces(nodes: list[Node]) -> tuple[str | Expression, ...] | None:
    pieces: list[str | Expression] = []
    for node in nodes:
        if isinstance(node, ContentNode):
            if pieces and isinstance(before := pieces[-1], str):
                pieces[-1] = before + node.text
            else:
                pieces.append(node.text)
        elif type(node) is _CleanOutputNode and node.token.kind == "output":
            pieces.append(node.expression)
        else:
            return None
    for at, strip in ((0, str.lstrip), (-1, str.rstrip)):
        if pieces and isinstance(literal := pieces[at], str):
            pieces[at] = strip(literal)
    return tuple(pieces)


def _render_whole(template: BoundTemplate, context: SafeContext) -> str:
    buffer: StringIO = LimitedStringIO(MAX_OUTPUT * 4)
    template.render_with_context(context, buffer)
    return buffer.getvalue().strip()


def position(source: str, index: int) -> tuple[int, int]:
    """Return line and column of ``index`` in ``source``, both from 1."""
    return source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index)


def _refuse(message: str, token: Any) -> NoReturn:
    raise CopyError(message, *position(token.source, max(token.start_index, 0)))


def _copy_error(error: LiquidError, source: str = "") -> CopyError:
    line = column = 0
    if error.token is not None and error.token.start_index >= 0:
        line, column = position(error.token.source, error.token.start_index)
    elif source and (culprit := find_culprit(source, str(error.message), _complaint)) >= 0:
        line, column = position(source, culprit)
    if isinstance(error, OutputStreamLimitError):
        return CopyError(_("The text becomes longer than %(limit)d characters.") % {"limit": MAX_OUTPUT}, line, column)
    if isinstance(error, LiquidSyntaxError):
        return CopyError(explain_syntax(str(error.message)), line, column)
    if isinstance(error, liquid_filters.Refused):
        return CopyError(str(error.message), line, column)
    return CopyError(explain_value(str(error.message)), line, column)


def _complaint(markup: str) -> str:
    """Return what the library says about one piece of markup alone."""
    try:
        _environment.from_string(markup)
    except LiquidError as error:
        return str(error.message)
    except _ODD_ERRORS:
        return ""
    return ""
