"""Compiles the steps that do something other than texting."""

from __future__ import annotations

import ipaddress
import json
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import gettext as _

from smsflow_plugin.flows.assembly import Step, plain
from smsflow_plugin.flows.compile_texts import checked, name_of
from smsflow_plugin.flows.compile_variants import different, tried
from smsflow_plugin.flows.context import GATHERED
from smsflow_plugin.flows.problems import Path
from smsflow_plugin.flows.program import (
    Agree,
    Discount,
    Exit,
    Goal,
    GoTo,
    HandOver,
    Instruction,
    Jump,
    Notify,
    Offer,
    SetField,
    Tag,
    Webhook,
)
from smsflow_plugin.flows.ways import phrases

#: Where a value for a field can come from, and what that is called in a run.
_SOURCES = ("trigger", "fields", "answers", "codes", "offers", "offer_kinds", "webhooks")
_KINDS = ("percent", "amount", "shipping")
_CONTACT = ("first_name", "last_name", "email", "language", "country", "province", "postcode", "orders_count")
_is_url = URLValidator(schemes=["https"])


def tag(step: Step) -> bool:
    name = step.text("tag", _("Give the name of a tag."))
    step.add(Tag(step.id, name, step.value.get("action") != "remove"))
    return True


def set_field(step: Step) -> bool:
    name = step.text("name", _("Give the name of the field.")).removeprefix("contact.").removeprefix("fields.")
    if "." in name or len(name) > 60:
        step.report(("name",), _("The name of a field has no dots and at most 60 characters."))
    source = step.text("source")
    step.add(SetField(step.id, name, "" if source else step.text("value"), _source(step, source)))
    return True


def _source(step: Step, source: str) -> str:
    """Return ``source`` as ``audience.filters.lookup`` reads it."""
    if not source:
        return ""
    path = source.removeprefix("contact.").removeprefix("run.")
    head, _dot, rest = path.partition(".")
    if path in _CONTACT or (head in _SOURCES and rest):
        return f"run.{path}" if head in GATHERED else path
    step.report(
        ("source",), _("Start with one of these: %(names)s.") % {"names": ", ".join(f"{s}.…" for s in _SOURCES)}
    )
    return ""


def agree(step: Step) -> bool:
    if not step.assembly.answered:
        step.report((), _("This step belongs inside the way of an answer: without an answer there is no agreement."))
    step.add(Agree(step.id))
    return True


def hand_over(step: Step) -> bool:
    step.add(HandOver(step.id, step.text("note")))
    return True


def notify(step: Step) -> bool:
    to = phrases(step.value.get("to"))
    for address in to:
        try:
            validate_email(address)
        except ValidationError:
            step.report(("to",), _("“%(address)s” is not an e-mail address.") % {"address": address})
    if not to and not step.assembly.setting.has_owner:
        step.report(("to",), _("Give an address, or give the flow an owner."))
    subject, body = _copy(step, "subject", _("Write the subject.")), _copy(step, "body", _("Write the text."))
    step.add(Notify(step.id, tuple(to), subject, body))
    return True


def _copy(step: Step, name: str, problem: str) -> str:
    step.text(name, problem)
    return checked(step, step.value.get(name), (name,), "")


def go_to(step: Step) -> bool:
    flow = step.value.get("flow")
    pk = getattr(flow, "pk", flow)
    leave = bool(step.value.get("leave"))
    if not isinstance(pk, int):
        step.report(("flow",), _("Choose a flow."))
        return not leave
    if pk == step.assembly.setting.flow_id:
        step.report(("flow",), _("A flow cannot lead to itself."))
    elif not step.assembly.setting.lookups.flow_exists(pk):
        step.report(("flow",), _("There is no such flow in this store."))
    step.add(GoTo(step.id, pk, leave))
    return not leave


def goal(step: Step) -> bool:
    leave = bool(step.value.get("leave"))
    step.add(Goal(step.id, step.text("name"), leave))
    return not leave


def leave(step: Step) -> bool:
    step.add(Exit(step.id, step.text("reason")))
    return False


def discount(step: Step) -> bool:
    name = name_of(step, "name")
    if not step.text("name"):
        step.report(("name",), _("Give a name, by which texts call the code."))
    kind = step.text("kind")
    if kind not in _KINDS:
        step.report(("kind",), _("Choose a kind."))
    amount = _amount(step, kind, step.value, ())
    offers = _offers(step, kind, amount)
    minimum = _decimal(step.value.get("minimum"))
    if minimum is not None and minimum < 0:
        step.report(("minimum",), _("Give a number of at least 0."))
    days = step.number_of("valid_days") or 0
    if not 1 <= days <= 3650:
        step.report(("valid_days",), _("Give a number from 1 to 3650."))
    prefix = step.text("prefix")
    if prefix and not (prefix.isascii() and prefix.replace("-", "").replace("_", "").isalnum()):
        step.report(("prefix",), _("A code has only letters, digits and hyphens."))

    def instruction(on_failure: int | None) -> Discount:
        least = "" if not minimum else _number(minimum)
        return Discount(step.id, name, kind, amount, least, days, prefix, on_failure, variants=offers)

    goes_on = _may_fail(step, instruction, "codes", name)
    step.assembly.remember("offer_kinds", name)
    if {kind, *(each.kind for each in offers)} != {"shipping"}:
        step.assembly.remember("offers", name)
    return goes_on


def _amount(step: Step, kind: str, value: Any, path: Path) -> str:
    if kind == "shipping":
        return ""
    amount = _decimal(value.get("amount"))
    if amount is None or amount <= 0:
        step.report((*path, "amount"), _("Give a number above 0."))
        return ""
    if kind == "percent" and amount > 100:
        step.report((*path, "amount"), _("More than 100 percent is more than everything."))
    return _number(amount)


def _offers(step: Step, kind: str, own: str) -> tuple[Offer, ...]:
    """Return the other discounts that a step tries against its own."""
    found = []
    is_new = different(step, (kind, own), _("This is the same as another one. There is nothing to compare."))
    for each in tried(step, _("The shares of all other offers together must leave something for the step's own.")):
        other = plain(each.value.get("kind")) or kind
        if other not in _KINDS:
            step.report((*each.path, "kind"), _("Choose a kind."))
        amount = _amount(step, other, each.value, each.path)
        if amount:
            is_new((*each.path, "amount"), (other, amount))
        elif other == "shipping":
            is_new((*each.path, "kind"), (other, amount))
        found.append(Offer(each.name, each.weight, amount, other))
    return tuple(found)


def webhook(step: Step) -> bool:
    url, name = step.text("url"), name_of(step, "save_as")
    if problem := _bad_address(url):
        step.report(("url",), problem)
    body = checked(step, step.value.get("body"), ("body",), "")
    if body and "{" not in body.replace("{{", "").replace("{%", "") and not _is_json(body):
        step.report(("body",), _("This must be JSON."))
    if not name and len(step.way("failed").steps):
        step.report(("save_as",), _("Give the answer a name: without one nobody waits to see whether it fails."))
    return _may_fail(step, lambda label: Webhook(step.id, url, body, name, label), "webhooks", name)


def _bad_address(url: str) -> str:
    """Return what is wrong with the address of another system."""
    try:
        _is_url(url)
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except (ValidationError, ValueError):
        return _("Give an address that starts with https://.")
    if parts.username or parts.password:
        return _("An address must not hold a password.")
    try:
        private = not ipaddress.ip_address(host).is_global
    except ValueError:
        private = "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return _("This address is not a public one.") if private else ""


def _may_fail(step: Step, instruction: Any, kind: str, name: str) -> bool:
    failed = step.branch("failed")
    end = step.assembly.label()
    if failed.empty:
        step.add(instruction(None))
        step.assembly.remember(kind, name)
        return True
    step.add(instruction(failed.label))
    step.add(Jump(step.id, end, "done"))
    step.compile_ways([failed], end, lambda part: Jump(step.id, end, part))
    step.assembly.remember(kind, name)
    return True


def _decimal(value: Any) -> Decimal | None:
    try:
        number = value if isinstance(value, Decimal) else Decimal(plain(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _number(value: Decimal) -> str:
    """Return the shortest way to write ``value``: equal amounts make equal programs."""
    return f"{value.normalize():f}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def instruction_types() -> tuple[type[Instruction], ...]:
    """Return the instructions that do something a person would notice."""
    return (Tag, SetField, Agree, HandOver, Notify, GoTo, Goal, Discount, Webhook)
