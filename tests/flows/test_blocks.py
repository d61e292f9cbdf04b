from __future__ import annotations

import json
import re
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from django.db.migrations.state import ModelState
from wagtail.admin.telepath import JSContext
from wagtail.blocks import StreamBlockValidationError

from smsflow_plugin.flows.blocks import MAX_DEPTH, audience_block, steps_block, triggers_block
from smsflow_plugin.flows.fields import StepsField
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.step_compiler import COMPILERS
from smsflow_plugin.flows.trigger_blocks import kind_of
from tests.flows.people import if_else, rule, send, wait


def packed(depth: int) -> int:
    return len(json.dumps(JSContext().pack(steps_block(depth))))


def test_the_editor_s_definitions_grow_by_the_same_amount_with_every_level() -> None:
    sizes = [packed(depth) for depth in range(1, 6)]
    growth = [after - before for before, after in zip(sizes, sizes[1:], strict=False)]
    # each level lists all kinds of events to wait for: the 24 of Shopify that came last take some 2 kB of it
    assert max(growth) < 36_000
    assert max(growth) - min(growth) < 200
    assert sizes[MAX_DEPTH - 1] < 250_000


def test_each_level_shares_one_list_of_steps_among_all_its_ways() -> None:
    block = steps_block()
    for _level in range(MAX_DEPTH):
        branching = block.child_blocks
        option = branching["ask_choice"].child_blocks["options"].child_block
        ways = [branching["if_else"].child_blocks["yes"], option.child_blocks["steps"]]
        assert ways[0].steps is ways[1].steps
        block = ways[0].steps
    assert "if_else" not in block.child_blocks and "discount" in block.child_blocks


def test_the_system_check_looks_at_each_list_once() -> None:
    """Nested steps lead to the same blocks over and over: without memory it would take hours."""
    checked: list[Any] = []
    block = steps_block(8)
    block.child_blocks["send"].check = lambda **kwargs: checked.append(1) or []
    assert block.check() == []
    # the leaves are the same block in every list: once for each of the nine lists
    assert len(checked) == 9


@pytest.mark.parametrize("block", [steps_block(1), triggers_block()], ids=["steps", "triggers"])
def test_everything_in_a_picker_has_an_icon_a_group_and_a_description(block: Any) -> None:
    for name, child in block.child_blocks.items():
        if name == "retired":
            continue
        assert child.meta.icon != "placeholder" and child.meta.group and child.get_description(), name
        if child.child_blocks:
            assert child.meta.label_format, name
            assert set(re.findall(r"{(\w+)}", child.meta.label_format)) <= child.child_blocks.keys(), name


def test_every_step_and_every_trigger_of_the_form_can_be_compiled() -> None:
    assert steps_block().child_blocks.keys() - {"retired"} == COMPILERS.keys()
    for name, child in triggers_block().child_blocks.items():
        if name != "retired":
            assert kind_of(SimpleNamespace(block_type=name, value=child.get_default())), name


def test_a_step_whose_value_is_of_another_shape_is_kept_too() -> None:
    raw = [{"type": "send", "value": "Hello", "id": "a"}, {"type": "wait", "value": None, "id": "b"}]
    block = steps_block()
    assert block.get_prep_value(block.to_python(json.loads(json.dumps(raw)))) == raw


def test_a_draft_may_have_an_empty_text_and_a_publication_may_not() -> None:
    block = steps_block()
    value = block.to_python([{**send(""), "id": "a"}])
    assert block.clean_deferred(value)[0].value["text"] == ""
    with pytest.raises(StreamBlockValidationError) as refusal:
        block.clean(value)
    assert "text" in refusal.value.block_errors[0].block_errors


def test_saving_drafts_in_other_threads_never_lets_an_empty_text_be_published() -> None:
    """The shared blocks lose their ``required`` while a draft is cleaned (finding 2)."""
    block = steps_block()
    value = block.to_python([{**if_else([rule()], [send("")], [wait()]), "id": "a"}])
    accepted: list[Any] = []
    stop = threading.Event()

    def save_drafts() -> None:
        while not stop.is_set():
            block.clean_deferred(value)

    savers = [threading.Thread(target=save_drafts) for _ in range(2)]
    for saver in savers:
        saver.start()
    try:
        for _ in range(150):
            try:
                accepted.append(block.clean(value))
            except ValidationError:
                continue
    finally:
        stop.set()
        for saver in savers:
            saver.join()
    assert accepted == []
    with pytest.raises(ValidationError):
        block.clean(value)


def test_all_lists_of_steps_and_rules_share_one_lock() -> None:
    assert steps_block()._cleaning is audience_block()._cleaning


def test_a_step_of_an_app_that_is_gone_is_kept_to_the_byte() -> None:
    raw = [
        {"type": "carrier_pigeon", "value": {"speed": 9, "name": "Ø"}, "id": "p"},
        {**if_else([rule()], [{"type": "carrier_pigeon", "value": [1, None], "id": "q"}], []), "id": "b"},
    ]
    block = steps_block()
    value = block.to_python(json.loads(json.dumps(raw)))
    assert [child.block_type for child in value] == ["retired", "if_else"]
    through_the_form = block.clean_deferred(value)
    stored = block.get_prep_value(through_the_form)
    assert stored[0] == raw[0]
    assert stored[1]["value"]["yes"] == raw[1]["value"]["yes"]


def test_a_kept_step_works_again_when_its_app_is_back() -> None:
    gone, back = audience_block(), steps_block()
    raw = [{**wait(2, "hours"), "id": "w"}]
    stored = gone.get_prep_value(gone.to_python(raw))
    assert back.to_python(stored)[0].value["amount"] == 2


def test_the_editor_is_told_which_step_to_keep_out_of_its_picker() -> None:
    context = JSContext()
    assert '"keptType": "retired"' in json.dumps(context.pack(steps_block()))
    assert "smsflow/step-list.js" in str(context.media)


def test_migrations_record_steps_as_plain_json_whatever_the_blocks_are() -> None:
    for name in ("steps", "audience"):
        field = Flow._meta.get_field(name)
        _name, path, args, kwargs = field.deconstruct()
        assert (path, args) == ("django.db.models.JSONField", [])
        assert set(kwargs) <= {"blank", "default", "verbose_name", "help_text"}
        assert isinstance(field, StepsField)
        assert type(field.clone()) is models.JSONField


def test_the_migration_state_of_a_flow_does_not_depend_on_depth() -> None:
    state = ModelState.from_model(Flow)
    other = StepsField(
        steps_block(2), blank=True, collapsed=True, verbose_name=Flow._meta.get_field("steps").verbose_name
    )
    other.set_attributes_from_name("steps")
    assert state.fields["steps"].deconstruct()[1:] == other.deconstruct()[1:]
