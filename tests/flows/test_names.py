"""The editor lists the names that a text may use, and each of them really works."""

from __future__ import annotations

import pytest

from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.context import copy_context, sample_context
from smsflow_plugin.flows.names import Name, names_for
from smsflow_plugin.messaging.liquid import MissingValue, check_copy
from smsflow_plugin.messaging.liquid_environment import compile_copy, render_pieces

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


def test_with_several_triggers_what_one_of_them_lacks_may_be_missing() -> None:
    names = names_for(["order_created", "parcel_sent"])
    assert Name("order.name", optional=True) in names and Name("parcel.status", optional=True) in names
    assert Name("order.name", optional=False) in names_for(["order_created", "order_paid"])


def test_what_steps_remember_is_listed_and_nothing_else_is_known() -> None:
    gathered = {"answers": ["size"], "codes": ["ten"]}
    names = names_for("opted_in", gathered)
    assert {Name("answers.size", optional=True), Name("codes.ten", optional=True)} <= set(names)
    assert check_copy("{{ answers.size | default: '?' }}", sample_context("opted_in", gathered)) == []
    assert check_copy("{{ answers.size | default: '?' }}", sample_context("opted_in")) != []


def test_a_field_called_size_that_a_person_lacks_is_missing_and_not_a_count() -> None:
    """Liquid answers ``size`` of anything with how many things are in it."""
    known = copy_context({"fields": {"colour": "red"}}, {}, {}, {"answers": {"taste": "sweet"}})
    for path in ("contact.fields.size", "answers.size"):
        with pytest.raises(MissingValue):
            render_pieces(compile_copy(f"{{{{ {path} }}}}"), known)
    full = copy_context({"fields": {"size": "XL"}}, {}, {})
    assert "".join(piece for piece, _slot in render_pieces(compile_copy("{{ contact.fields.size }}"), full)) == "XL"


def test_the_trigger_never_hides_the_person_or_what_the_run_has_gathered() -> None:
    context = copy_context({"email": "a@x.com"}, {}, {"contact": 1, "answers": 2}, {"answers": {"taste": "sweet"}})
    assert (context["contact"]["email"], context["answers"]["taste"]) == ("a@x.com", "sweet")
