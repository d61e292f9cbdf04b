"""Programs that tests walk through."""

from __future__ import annotations

from smsflow_plugin.flows.program import (
    Branch,
    Choice,
    Discount,
    Exit,
    HandOver,
    Jump,
    Listen,
    Program,
    Send,
    SetField,
    Split,
    Tag,
    Trigger,
    Wait,
    WaitForEvent,
    WaitUntilTime,
)

CART = (Trigger("checkout_updated"),)

CART_REMINDER = Program(
    CART,
    (
        Wait("w1", 1, "hours"),
        Send("s1", {"": "{{ cart.first_item }} waits for you."}),
        Wait("w2", 1, "days"),
        Branch("b1", {"field": "orders_count", "op": "ge", "value": 1}, 6),
        Send("s2", {"": "Welcome back, {{ contact.first_name | default: 'you' }}."}),
        Jump("b1", 7),
        Send("s3", {"": "Ten percent off."}),
    ),
    exits=("order_created",),
)

QUIZ = Program(
    (Trigger("opted_in"),),
    (
        Send("q", {"": "Tea or coffee? Reply A or B."}),
        Listen(
            "q",
            (Choice(5, ("a", "tea"), value="tea"), Choice(8, ("b", "coffee"), value="coffee")),
            1,
            "days",
            "drink",
            on_other=2,
            on_timeout=10,
        ),
        Send("q", {"": "Please reply A or B."}, reply=True, part="again"),
        Listen(
            "q",
            (Choice(5, ("a", "tea"), value="tea"), Choice(8, ("b", "coffee"), value="coffee")),
            1,
            "days",
            "drink",
            on_other=10,
            on_timeout=10,
            part="again",
        ),
        Jump("q", 10),
        Send("q", {"": "Tea it is."}, reply=True, part="1"),
        Tag("t", "tea"),
        Jump("q", 10),
        Send("q", {"": "Coffee it is."}, reply=True, part="2"),
        SetField("f", "roast", "dark"),
        Wait("w", 3, "days"),
        Send("s", {"": "How was it?"}),
    ),
)

EVENING = Program(
    (Trigger("order_created"),),
    (
        WaitUntilTime("u", "23:30"),
        Send("s1", {"": "Thank you for {{ order.name }}."}),
        WaitForEvent("e", ("parcel_delivered",), 2, "days", on_timeout=4),
        Exit("x", "delivered"),
        Split("c", (1, 1), (5, 7)),
        Send("s2", {"": "First way."}),
        Jump("c", 8),
        Send("s3", {"": "Second way."}),
        Tag("t", "late"),
    ),
)

CODE = Program(
    CART,
    (
        Discount("d", "save", on_failure=3),
        Send("s1", {"": "Your code: {{ codes.save }}"}),
        Jump("d", 4),
        Send("s2", {"": "No code today."}),
        HandOver("h", "Wants to talk"),
        Send("s3", {"": "Back again."}),
    ),
)
