"""Puts the compiler's problems where the editor shows them: at the nested field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from wagtail import blocks
from wagtail.blocks.list_block import ListBlockValidationError
from wagtail.blocks.stream_block import StreamBlockValidationError
from wagtail.blocks.struct_block import StructBlockValidationError

from smsflow_plugin.flows.problems import Path, Problem

Trouble = tuple[Path, str]


def field_errors(flow: Any, problems: Iterable[Problem]) -> dict[str, ValidationError]:
    """Return one error for each field of ``flow`` that has problems, nested as its blocks are."""
    by_field: dict[str, list[Trouble]] = defaultdict(list)
    for problem in problems:
        by_field[str(problem.path[0])].append((problem.path[1:], problem.message))
    return {field: _field_error(flow, field, troubles) for field, troubles in by_field.items()}


def _field_error(flow: Any, field: str, troubles: list[Trouble]) -> ValidationError:
    value = getattr(flow, field, None)
    if isinstance(value, blocks.StreamValue):
        return _block_error(value.stream_block, value, troubles)
    return ValidationError([message for _path, message in troubles])


def _block_error(block: blocks.Block, value: Any, troubles: list[Trouble]) -> ValidationError:
    own: list[ValidationError] = []
    below: dict[Any, list[Trouble]] = defaultdict(list)
    for path, message in troubles:
        if path and _has(block, value, path[0]):
            below[path[0]].append((path[1:], message))
        else:  # what has no field of its own is said at the block
            own.append(ValidationError(message))
    if isinstance(block, blocks.StreamBlock):
        nested = {i: _block_error(value[i].block, value[i].value, some) for i, some in below.items()}
        return StreamBlockValidationError(block_errors=nested, non_block_errors=own)
    if isinstance(block, blocks.StructBlock):
        nested = {name: _block_error(block.child_blocks[name], value[name], some) for name, some in below.items()}
        return StructBlockValidationError(block_errors=nested, non_block_errors=own)
    if isinstance(block, blocks.ListBlock):
        nested = {i: _block_error(block.child_block, value[i], some) for i, some in below.items()}
        return ListBlockValidationError(block_errors=nested, non_block_errors=own)
    return ValidationError([message for _path, message in troubles])


def _has(block: blocks.Block, value: Any, part: str | int) -> bool:
    """Return whether ``part`` of a path names something inside ``block``."""
    if isinstance(block, blocks.StructBlock):
        return part in block.child_blocks
    return isinstance(block, blocks.StreamBlock | blocks.ListBlock) and isinstance(part, int) and part < len(value)
