"""A flow as large as flows get, with every type of step and ways four deep; and what a browser posts of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.forms import CheckboxInput
from wagtail import blocks


class Ids:
    """The same ids each time, in the form that the editor gives to blocks."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        return str(uuid5(NAMESPACE_URL, f"block {self.given}"))


class Builder:
    def __init__(self) -> None:
        self.next_id = Ids()

    def step(self, kind: str, /, **values: Any) -> dict[str, Any]:
        return {"type": kind, "value": values, "id": self.next_id()}

    def items(self, *values: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"type": "item", "value": value, "id": self.next_id()} for value in values]

    def copy(self, words: str) -> dict[str, Any]:
        if not words:
            return {"text": "", "fallback": "", "translations": []}
        danish = {"language": "da", "text": f"{words} på dansk", "fallback": ""}
        return {"text": words, "fallback": f"{words}, without a name", "translations": self.items(danish)}

    def send(self, words: str) -> dict[str, Any]:
        more = {"picture": None, "hold_amount": 6, "hold_unit": "hours", "when_blocked": "", "variants": []}
        return self.step("send", **self.copy(words), **more)

    def rules(self) -> list[dict[str, Any]]:
        two = [
            self.step("compare", field="orders_count", custom="", operator="ge", value="2"),
            self.step("known", field="email", custom="", known="yes"),
        ]
        return [self.step("any_of") | {"value": two}, self.step("tag", tag="vip")]

    def leaves(self) -> list[dict[str, Any]]:
        """One of each step that holds no other steps, but for those that lead elsewhere."""
        mail = {"language": "da", "subject": "Hej", "body": "En mail.\nTo linjer."}
        return [
            self.send("A text “with” 10% & <signs> 😀"),
            self.step("wait", amount=3, unit="days", variants=self.items({"weight": 50, "amount": 5, "unit": "days"})),
            self.step("wait_until_time", time="09:30:00", weekdays=["0", "4"]),
            self.step(
                "wait_until_date",
                source="field",
                custom="birthday",
                direction="before",
                amount=2,
                unit="weeks",
                time="08:00:00",
                if_past="leave",
            ),
            self.step("wait_best_time", within_hours=24),
            self.step("tag", action="add", tag="seen"),
            self.step("set_field", name="size", value="XL", source=""),
            self.step("email", subject="Hello", body="A mail.\nTwo lines.", translations=self.items(mail)),
            self.step("notify", to="a@example.com", subject="Look", body="Somebody answered."),
            self.step("goal", name="Answered", leave=False),
        ]

    def choice(self, *ways: list[dict[str, Any]]) -> dict[str, Any]:
        options = [
            {"words": f"{number}, w{number}", "reply": self.copy(f"Re {number}"), "steps": way, **self.kept()}
            for number, way in enumerate(ways)
        ]
        return self.step(
            "ask_choice",
            **self.copy("Reply 0 or 1."),
            options=self.items(*options),
            save_as="pick",
            score_as="",
            again=self.copy("Sorry?"),
            other=[self.send("Never mind.")],
            amount=2,
            unit="days",
            silence=[self.send("Still there?")],
        )

    def kept(self, value: str = "", tag: str = "", points: int | None = None) -> dict[str, Any]:
        return {"value": value, "tag": tag, "points": points}

    def yes_no(self, yes: list[dict[str, Any]], no: list[dict[str, Any]]) -> dict[str, Any]:
        return self.step(
            "ask_yes_no",
            **self.copy("Do you?"),
            yes={"reply": self.copy("Good."), "steps": yes, **self.kept("", "likes it", 1)},
            no={"reply": self.copy(""), "steps": no, **self.kept()},
            save_as="likes",
            score_as="liking",
            again=self.copy("Yes or no?"),
            other=[self.send("All right.")],
            amount=2,
            unit="days",
            silence=[],
        )

    def number(self, low: list[dict[str, Any]], high: list[dict[str, Any]]) -> dict[str, Any]:
        ranges = [
            {"low": 0, "high": 6, "reply": self.copy("Oh."), "steps": low, **self.kept("low", "unhappy", -1)},
            {"low": 7, "high": None, "reply": self.copy(""), "steps": high, **self.kept()},
        ]
        return self.step(
            "ask_number",
            **self.copy("0 to 10?"),
            lowest=0,
            highest=10,
            ranges=self.items(*ranges),
            save_as="score",
            score_as="nps",
            again=self.copy(""),
            other=[],
            amount=1,
            unit="weeks",
            silence=[],
        )

    def asked(self, *then: dict[str, Any]) -> dict[str, Any]:
        return self.step(
            "ask_text",
            **self.copy("Tell us why."),
            reply=self.copy("Thanks."),
            steps=list(then),
            save_as="why",
            amount=3,
            unit="hours",
            silence=[],
        )

    def event(self, happened: list[dict[str, Any]], timed_out: list[dict[str, Any]]) -> dict[str, Any]:
        return self.step(
            "wait_for_event",
            events=["order_created", "order_cancelled"],
            amount=2,
            unit="days",
            since="wait",
            same_subject=False,
            happened=happened,
            timed_out=timed_out,
        )

    def switch(self, *ways: list[dict[str, Any]]) -> dict[str, Any]:
        cases = [{"label": f"Way {n}", "condition": self.rules(), "steps": way} for n, way in enumerate(ways)]
        return self.step("switch", ways=self.items(*cases), otherwise=[self.step("exit", reason="None fits.")])

    def split(self, *ways: list[dict[str, Any]]) -> dict[str, Any]:
        return self.step("split", ways=self.items(*({"label": "", "weight": 50, "steps": way} for way in ways)))

    def discount(self, *failed: dict[str, Any]) -> dict[str, Any]:
        money = {"kind": "percent", "amount": "12.5", "minimum": "100"}
        more = {"prefix": "ADA-", "variants": self.items({"weight": 50, "kind": "percent", "amount": "15"})}
        return self.step("discount", name="thanks", **money, valid_days=14, **more, failed=list(failed))

    def webhook(self, *failed: dict[str, Any]) -> dict[str, Any]:
        address = {
            "url": "https://example.com/hook",
            "body": '{\n  "to": "{{ contact.email | default: \'\' }}"\n}',
            "save_as": "answer",
        }
        return self.step("webhook", **address, failed=list(failed))

    def if_else(self, yes: list[dict[str, Any]], no: list[dict[str, Any]]) -> dict[str, Any]:
        return self.step("if_else", condition=self.rules(), yes=yes, no=no)


def large_steps(other_flow: int) -> list[dict[str, Any]]:
    """Return the steps as the database holds them. ``other_flow`` is where one of them leads."""
    make = Builder()
    deepest = make.if_else(make.leaves(), [make.step("go_to", flow=other_flow, leave=True)])
    score = make.number([deepest, make.send("Sorry.")], [make.send("Nice.")])
    event = make.event([make.asked(make.send("We read it."))], [make.step("hand_over", note="No order.")])
    agreed = make.step("agree")
    likes = make.yes_no([make.send("So do we.")], [make.step("tag", action="add", tag="dislikes")])
    answered = make.step("wait_for_reply", amount=1, unit="days", replied=[make.send("Yes.")], silence=[])
    systems = [make.discount(make.send("No code.")), make.webhook(make.send("No answer."))]
    return [
        make.send("First"),
        make.choice([make.switch([score], [event])], [agreed, make.split(systems, [answered])]),
        make.step("wait", amount=24, unit="hours", variants=[]),
        likes,
        make.send("Third"),
        make.step("wait", amount=1, unit="months", variants=[]),
        make.send("Last"),
    ]


def every_step(steps: list[dict[str, Any]], depth: int = 1) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield each step, with how deep it stands: 1 for those on the first level."""
    for step in steps:
        yield step, depth
        for value in step["value"].values():
            yield from _inside(value, depth)


def _inside(value: Any, depth: int) -> Iterator[tuple[dict[str, Any], int]]:
    if isinstance(value, dict):  # what follows a yes, or a no
        for inner in value.values():
            yield from _inside(inner, depth)
    if not isinstance(value, list):
        return
    for each in value:
        if not isinstance(each, dict):
            continue
        if each["type"] == "item":
            for inner in each["value"].values():
                yield from _inside(inner, depth)
        elif isinstance(each["value"], dict) and not {"operator", "known"} & set(each["value"]):
            yield from every_step([each], depth + 1)


def posted(block: blocks.Block, value: Any, name: str) -> dict[str, Any]:
    """Return what a browser posts for ``value`` when nobody has touched the form."""
    if isinstance(block, blocks.StructBlock):
        found: dict[str, Any] = {}
        for child_name, child in block.child_blocks.items():
            found |= posted(child, value.get(child_name), f"{name}-{child_name}")
        return found
    if isinstance(block, blocks.StreamBlock | blocks.ListBlock):
        return _posted_list(block, value, name)
    field = block.field
    shown = field.prepare_value(block.value_for_form(value))
    if isinstance(field.widget, CheckboxInput):
        return {name: "on"} if shown else {}
    if isinstance(shown, list | tuple):
        return {name: [str(each) for each in shown]}
    if shown is None:
        return {name: ""}
    # text areas send their lines with other ends
    return {name: str(getattr(shown, "pk", shown)).replace("\n", "\r\n")}


def _posted_list(block: Any, value: Any, name: str) -> dict[str, Any]:
    children = list(value if isinstance(block, blocks.StreamBlock) else value.bound_blocks)
    found: dict[str, Any] = {f"{name}-count": str(len(children))}
    for number, child in enumerate(children):
        item = f"{name}-{number}"
        found |= {f"{item}-deleted": "", f"{item}-order": str(number), f"{item}-id": child.id}
        if isinstance(block, blocks.StreamBlock):
            found[f"{item}-type"] = child.block_type
        found |= posted(child.block, child.value, f"{item}-value")
    return found
