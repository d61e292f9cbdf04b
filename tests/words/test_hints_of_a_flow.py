"""All hints about a flow in one list, with where they belong."""

from __future__ import annotations

from typing import Any

import pytest

from smsflow_plugin.admin_panels.flows.copy_hints import flow_hints
from tests.words.people import ask, make_flow, send

pytestmark = pytest.mark.django_db


def test_hints_name_the_text_they_are_about(store: Any) -> None:
    steps = [send("10% off.", "good"), ask("a-1", reply="Look: https://bit.ly/x"), send("10% off " + "y" * 200, "long")]
    found = flow_hints(make_flow(store, steps))
    assert [(item.step, item.hint.code) for item in found] == [("a-1", "shortener"), ("long", "many_parts")]
    assert found[0].where.startswith("Step 2, ") and found[0].where.endswith("Answer “A, yes” · Reply · Text")
    assert "2 parts" in found[1].hint.message


def test_a_flow_without_words_has_no_hints(store: Any) -> None:
    assert flow_hints(make_flow(store, [])) == []
