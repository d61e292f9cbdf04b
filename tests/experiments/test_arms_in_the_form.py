"""Other delays and offers in the editor, over HTTP: they are added, refused where they cannot be, and never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from wagtail.test.utils.form_data import streamfield

from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.program import Delay, Discount, Offer, Wait
from smsflow_plugin.models import Flow
from tests.flows.people import STORE_ADMIN, person, saved_flow
from tests.flows.test_editor import form, publish, signed_in, url
from tests.flows.test_large_flow import as_shown, large, newest

__all__ = ["large"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(store: Any) -> Client:
    return signed_in(person("Ines", (store, STORE_ADMIN)))


def waiting(*others: tuple[Any, Any, str]) -> tuple[str, dict[str, Any]]:
    tried = [("item", {"weight": weight, "amount": amount, "unit": unit}) for weight, amount, unit in others]
    return "wait", {"amount": "1", "unit": "hours", "variants": streamfield(tried)}


def offering(*others: tuple[Any, str, str]) -> tuple[str, dict[str, Any]]:
    tried = [("item", {"weight": weight, "kind": kind, "amount": amount}) for weight, kind, amount in others]
    own = {"name": "save", "kind": "percent", "amount": "10", "minimum": "", "valid_days": "7", "prefix": ""}
    return "discount", {**own, "variants": streamfield(tried), "failed": streamfield([])}


def saying(text: str) -> tuple[str, dict[str, Any]]:
    more = {"fallback": "Come and see.", "translations-count": "0", "variants-count": "0", "hold_unit": "hours"}
    return "send", {"text": text, "hold_amount": "", **more}


def steps(*each: tuple[str, dict[str, Any]]) -> Any:
    return streamfield([*each, saying("Hello from the mountains.")])


def errors(response: Any) -> Any:
    """What is said of the first step of the form."""
    (error,) = response.context["form"].errors.as_data()["steps"]
    return error.as_json_data()["blockErrors"]["0" if "0" in error.as_json_data()["blockErrors"] else 0]


def test_arms_of_the_form_are_arms_of_the_version(store: Any, ines: Client) -> None:
    flow = saved_flow(store)
    tried = steps(waiting((40, 1, "days")), offering((30, "percent", "15"), (20, "shipping", "")))
    assert publish(ines, flow, steps=tried).status_code == 302
    flow.refresh_from_db()
    wait, discount, _text = flow.current_version.compiled.instructions
    assert (wait.amount, wait.unit, wait.variants) == (1, "hours", (Delay("B", 40, 1, "days"),))
    assert discount.variants == (Offer("B", 30, "15"), Offer("C", 20, "", "shipping"))
    # and the form shows them again
    shown = ines.get(url("edit", flow.pk)).context["form"]["steps"].value()
    assert [dict(each) for each in shown[0].value["variants"]] == [{"weight": 40, "amount": 1, "unit": "days"}]
    assert [each["kind"] for each in shown[1].value["variants"]] == ["percent", "shipping"]


@pytest.mark.parametrize("button", ["", "action-publish"])
@pytest.mark.parametrize(
    "step",
    [
        waiting(*((10, number, "hours") for number in (2, 3, 4, 5))),
        offering(*((10, "percent", str(number)) for number in (12, 15, 18, 20))),
    ],
)
def test_a_fourth_other_arm_is_refused_and_all_stay_in_the_form(
    store: Any, ines: Client, step: Any, button: str
) -> None:
    flow = saved_flow(store)
    before = flow.revisions.count()
    response = ines.post(url("edit", flow.pk), form(steps=steps(step), **({button: "1"} if button else {})))
    assert response.status_code == 200
    assert "The maximum number of items is 3" in json.dumps(errors(response))
    assert len(response.context["form"]["steps"].value()[0].value["variants"]) == 4
    assert flow.revisions.count() == before


@pytest.mark.parametrize(
    ("step", "field", "message"),
    [
        (waiting((60, 4, "hours"), (40, 5, "hours")), ("weight", 1), "must leave something for the step's own"),
        (
            offering((60, "percent", "15"), (40, "percent", "20")),
            ("weight", 1),
            "must leave something for the step's own",
        ),
        (waiting((50, 60, "minutes")), ("amount", 0), "There is nothing to compare."),
        (offering((50, "percent", "10")), ("amount", 0), "There is nothing to compare."),
        (offering((50, "amount", "")), ("amount", 0), "Give a number above 0."),
    ],
)
def test_arms_that_cannot_be_compared_are_told_at_their_field(
    store: Any, ines: Client, step: Any, field: tuple[str, int], message: str
) -> None:
    flow = saved_flow(store)
    response = ines.post(url("edit", flow.pk), form(steps=steps(step), **{"action-publish": "1"}))
    assert response.status_code == 200
    name, number = field
    variant = errors(response)["blockErrors"]["variants"]["blockErrors"][number]
    assert message in json.dumps(variant["blockErrors"][name])
    shown = response.context["form"]["steps"].value()[0].value["variants"]
    assert len(shown) == number + 1
    # a draft may be unfinished
    assert ines.post(url("edit", flow.pk), form(steps=steps(step))).status_code == 302


def added(data: dict[str, Any], list_name: str, **values: str) -> dict[str, Any]:
    """Return what a browser posts after somebody has added an item to a list of the form."""
    number = int(data[f"{list_name}-count"])
    item = f"{list_name}-{number}"
    more = {f"{item}-deleted": "", f"{item}-order": str(number), f"{item}-id": f"new-{number}"}
    fields = {f"{item}-value-{name}": value for name, value in values.items()}
    return {**data, **more, **fields, f"{list_name}-count": str(number + 1)}


def item(pk: str, **value: Any) -> dict[str, Any]:
    return {"type": "item", "value": value, "id": pk}


def test_arms_that_are_added_to_a_large_flow_change_nothing_else(large: Flow, ines: Client) -> None:
    data = as_shown(large)
    (pause,) = [name for name, value in data.items() if name.endswith("-value-amount") and value == "24"]
    (code,) = [name for name, value in data.items() if name.endswith("-value-prefix") and value == "ADA-"]
    data = added(data, pause.replace("-amount", "-variants"), weight="30", amount="1", unit="days")
    data = added(data, code.replace("-prefix", "-variants"), weight="25", kind="shipping", amount="")
    response = ines.post(url("edit", large.pk), data)
    assert response.status_code == 302, response.context["form"].errors

    before = json.loads(json.dumps(list(large.steps.raw_data)))
    changed: list[str] = []

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            own = value.get("value")
            if value.get("type") == "wait" and own["amount"] == 24:
                own["variants"].append(item("new-0", weight=30, amount=1, unit="days"))
                changed.append("wait")
            if value.get("type") == "discount":
                own["variants"].append(item("new-1", weight=25, kind="shipping", amount=None))
                changed.append("discount")
            for inner in value.values():
                visit(inner)
        elif isinstance(value, list):
            for inner in value:
                visit(inner)

    visit(before)
    assert sorted(changed) == ["discount", "wait"]
    assert newest(large) == before
    program = compile_flow(large.revisions.latest("pk").as_object())
    [wait] = [each for each in program.instructions if isinstance(each, Wait) and each.amount == 24]
    [discount] = [each for each in program.instructions if isinstance(each, Discount)]
    assert wait.variants == (Delay("B", 30, 1, "days"),)
    assert discount.variants == (Offer("B", 50, "15"), Offer("C", 25, "", "shipping"))
