"""The editor lists the names that a text may use, and each of them really works."""

from __future__ import annotations

import pytest

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.context import sample_context
from smsflow_plugin.flows.names import Name, names_for
from smsflow_plugin.messaging.liquid import check_copy

TRIGGERS = [kind.name for kind in KINDS.values() if kind.trigger]


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_every_name_can_be_used_as_it_is_listed(trigger: str) -> None:
    for name in names_for(trigger):
        copy = f"{{{{ {name.path} | default: 'x' }}}}" if name.optional else f"{{{{ {name.path} }}}}"
        assert check_copy(copy, sample_context(trigger)) == [], name


def test_what_may_be_missing_is_marked_and_lists_are_reached_into() -> None:
    names = names_for("checkout_updated")
    assert Name("contact.first_name", optional=True) in names
    assert Name("cart.url", optional=False) in names
    assert Name("cart.lines[0].title", optional=False) in names
