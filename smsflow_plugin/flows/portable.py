"""A flow as a file: written from its newest draft, and read into a store as a new draft.

The file holds the form and nothing of the store: other flows and segments are named, never
numbered, and looked up by name where the file is read.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail import blocks
from wagtail.actions import BaseAction
from wagtail.images import get_image_model
from wagtail.log_actions import log

from smsflow_plugin import clock
from smsflow_plugin.flows.fields import StepsField
from smsflow_plugin.flows.models import Flow, Segment
from smsflow_plugin.flows.pictures import PictureBlock
from smsflow_plugin.flows.step_lists import RETIRED
from smsflow_plugin.stores.models import Store

#: Says that a file is one of ours, and by which rules it was written.
KIND, SCHEMA = "smsflow.flow", 1

#: Bytes of a file, and levels within it: far more than any flow that a person can oversee.
MOST_BYTES = 1_000_000
DEEPEST = 100

#: The fields of the form, in their order. Of the store and its people nothing is written.
FIELDS = (
    "name",
    "triggers",
    "audience",
    "steps",
    "leave_unmatched",
    "exits",
    "goal",
    "goal_leaves",
    "entry_limit",
    "entry_unit",
    "max_people",
    "reentry",
    "reentry_days",
    "restart",
    "message_class",
    "priority",
    "priority_number",
    "stage",
    "when_blocked",
    "cap_day",
    "cap_week",
    "own_gap",
    "holdout",
    "when_conclusive",
    "target_conversion",
    "target_revenue",
    "target_clicks",
    "target_opt_outs",
)

#: Which blocks name something else of the store, by their type: the key, and what it is.
REFERENCES: Mapping[str, tuple[str, type[Flow] | type[Segment]]] = {
    "segment": ("segment", Segment),
    "in_flow": ("flow", Flow),
    "go_to": ("flow", Flow),
}

#: The key of a text's picture.
PICTURE = "picture"

_SNIPPET = re.compile(r"\{%-?\s*render\s+['\"]([-\w]+)['\"]")
_ID = re.compile(r"[-\w]{1,36}")


class CannotImport(Exception):
    """The file is not a flow. The message is a sentence."""


@dataclass
class Imported:
    """A flow that is not saved yet, and everything of the file that did not fit, with its place."""

    flow: Flow
    problems: list[str] = field(default_factory=list)


def export_flow(flow: Flow) -> dict[str, Any]:
    """Return the file's content for the newest draft of ``flow``, as plain JSON."""
    draft = flow.get_latest_revision_as_object()
    form = {name: _plain(draft, name) for name in FIELDS}
    names = {model: _names(model, form, flow.store_id) for model in (Flow, Segment)}
    named = _with_pictures(_with_references(form, lambda model, pk: names[model].get(pk)), _titles(form))
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "flow": named,
        "needs": {
            "flows": sorted(set(names[Flow].values())),
            "segments": sorted(set(names[Segment].values())),
            # money means nothing without it
            **({"currency": flow.store.currency} if form["target_revenue"] is not None else {}),
            "snippets": sorted(set(_SNIPPET.findall(json.dumps(form).replace('\\"', '"')))),
        },
    }


def detach(flow: Flow, store_id: int) -> Flow:
    """Take out of ``flow``, which is not saved, what belongs to another store than this one."""
    form = {name: _plain(flow, name) for name in FIELDS if isinstance(Flow._meta.get_field(name), StepsField)}
    own = {model: set(_names(model, form, store_id)) for model in (Flow, Segment)}
    for name, value in _with_references(form, lambda model, pk: pk if pk in own[model] else None).items():
        if value != form[name]:
            setattr(flow, name, _stream(name, value))
    return flow


def is_of_store(value: blocks.StreamValue, store_id: int) -> bool:
    """Return whether everything that ``value`` names belongs to this store."""
    raw = value.stream_block.get_prep_value(value)
    own = {model: set(_names(model, raw, store_id)) for model in (Flow, Segment)}
    return all(pk in own[model] for model, pk in _references(raw))


def read_file(content: bytes) -> Mapping[str, Any]:
    """Return what a file says.

    :raises CannotImport: if it is not one of ours, or of a newer kind.
    """
    if len(content) > MOST_BYTES:
        raise CannotImport(_("The file is too large for a flow."))
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CannotImport(_("The file cannot be read: it is not JSON.")) from error
    if not all(map(_can_be_kept, _leaves(data))):
        raise CannotImport(_("The file cannot be read: there are characters or numbers in it that cannot be kept."))
    if not isinstance(data, dict) or data.get("kind") != KIND or not isinstance(data.get("flow"), dict):
        raise CannotImport(_("This is not the file of a flow."))
    if data.get("schema") != SCHEMA:
        raise CannotImport(_("The file was written by another version of SMSFlow, which this one cannot read."))
    if _depth(data) > DEEPEST:
        raise CannotImport(_("The file is nested too deep for a flow."))
    return data


def import_flow(data: Mapping[str, Any], store: Store) -> Imported:
    """Return the flow of a file for ``store``, not saved. What does not fit is left out and told."""
    imported = Imported(Flow(store=store))
    own = {model: _by_name(model, store) for model in (Flow, Segment)}
    form = data["flow"]
    for unknown in sorted(form.keys() - set(FIELDS)):
        imported.problems.append(_("“%(field)s” is not known here and was left out.") % {"field": unknown})
    for name in FIELDS:
        if name in form:
            _take(imported, name, form[name], own)
    _drop_foreign_money(imported, data)
    # a list shows what it can be opened by
    imported.flow.name = imported.flow.name.strip() or str(_("Imported flow"))
    return imported


def _drop_foreign_money(imported: Imported, data: Mapping[str, Any]) -> None:
    needs, flow = data.get("needs"), imported.flow
    currency = needs.get("currency") if isinstance(needs, Mapping) else None
    if flow.target_revenue is None or currency in (None, flow.store.currency):
        return
    flow.target_revenue = None
    words = _("%(place)s: the file says it in another currency (%(currency)s); it was left out.")
    label = Flow._meta.get_field("target_revenue").verbose_name
    imported.problems.append(words % {"place": label, "currency": str(currency)[:10]})


class ImportFlow(BaseAction):  # type: ignore[misc]
    """Make a draft of a file.

    :param instance: the store.
    :param data: what ``read_file`` returned.
    """

    action_name = "import_flow"
    permission_policy_action = "add"

    def __init__(self, instance: Store, user: Any = None, *, data: Mapping[str, Any]) -> None:
        super().__init__(instance, user=user)
        self.data = data

    def user_has_permission(self) -> bool:
        from wagtail.permissions import policy_registry

        policy = policy_registry.get_by_type(Flow)
        return bool(policy.user_has_permission_for_instance(self.user, "add", Flow(store=self.instance)))

    @transaction.atomic
    def execute(self, skip_permission_checks: bool = False) -> Imported:
        """Save the draft and its first revision, and log where it came from."""
        self.check(skip_permission_checks=skip_permission_checks)
        imported = import_flow(self.data, self.instance)
        flow = imported.flow
        flow.live = False
        flow.save()
        flow.save_revision(user=self.user, clean=False)
        log(
            instance=flow,
            action="smsflow.import",
            user=self.user,
            timestamp=clock.now(),
            data={"problems": imported.problems[:50]},
        )
        return imported


def _plain(flow: Flow, name: str) -> Any:
    value = getattr(flow, name)
    if isinstance(value, blocks.StreamValue):
        # by the block and not by the value: what is not installed gets its own name back
        return value.stream_block.get_prep_value(value)
    return str(value) if isinstance(value, Decimal) else value


def _stream(name: str, value: Any) -> Any:
    return Flow._meta.get_field(name).to_python(json.dumps(value))


# Names instead of numbers ------------------------------------------------------------------------


def _references(value: Any) -> Iterator[tuple[type[Flow] | type[Segment], Any]]:
    if isinstance(value, Mapping):
        reference = REFERENCES.get(str(value.get("type")))
        inner = value.get("value")
        if reference and isinstance(inner, Mapping) and inner.get(reference[0]) is not None:
            yield reference[1], inner[reference[0]]
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def _with_references(value: Any, change: Callable[[Any, Any], Any]) -> Any:
    """Return ``value`` with every reference replaced by what ``change`` makes of it."""
    if isinstance(value, list):
        return [_with_references(child, change) for child in value]
    if not isinstance(value, Mapping):
        return value
    copy = {key: _with_references(child, change) for key, child in value.items()}
    reference = REFERENCES.get(str(value.get("type")))
    inner = copy.get("value")
    if reference and isinstance(inner, dict) and inner.get(reference[0]) is not None:
        inner[reference[0]] = change(reference[1], inner[reference[0]])
    return copy


def _pictures(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        inner = value.get("value")
        if value.get("type") == "send" and isinstance(inner, Mapping) and inner.get(PICTURE) is not None:
            yield inner[PICTURE]
        for child in value.values():
            yield from _pictures(child)
    elif isinstance(value, list):
        for child in value:
            yield from _pictures(child)


def _titles(form: Any) -> dict[int, str]:
    wanted = {pk for pk in _pictures(form) if isinstance(pk, int)}
    return dict(get_image_model().objects.filter(pk__in=wanted).values_list("pk", "title")) if wanted else {}


def _with_pictures(value: Any, titles: Mapping[Any, str]) -> Any:
    """Return ``value`` with every picture's title in place of its number: the picture itself is no part of a file."""
    if isinstance(value, list):
        return [_with_pictures(child, titles) for child in value]
    if not isinstance(value, Mapping):
        return value
    copy = {key: _with_pictures(child, titles) for key, child in value.items()}
    inner = copy.get("value")
    if value.get("type") == "send" and isinstance(inner, dict) and inner.get(PICTURE) is not None:
        inner[PICTURE] = titles.get(inner[PICTURE])
    return copy


def _names(model: type[Flow] | type[Segment], form: Any, store_id: int) -> dict[int, str]:
    wanted = {pk for kind, pk in _references(form) if kind is model and isinstance(pk, int)}
    return dict(model.objects.filter(store=store_id, pk__in=wanted).values_list("pk", "name")) if wanted else {}


def _by_name(model: type[Flow] | type[Segment], store: Store) -> dict[str, int]:
    # of several with one name the oldest, so that reading the same file twice gives the same
    rows = model.objects.filter(store=store).order_by("-pk").values_list("name", "pk")
    return {name.casefold(): pk for name, pk in rows}


# Reading -----------------------------------------------------------------------------------------


def _take(imported: Imported, name: str, value: Any, own: Mapping[Any, Mapping[str, int]]) -> None:
    """Put one field of the file into the flow, as far as it fits."""
    column = Flow._meta.get_field(name)
    label = str(column.verbose_name)
    if isinstance(column, StepsField):
        taken = _Reader(imported.problems, own).list(column.stream_block, value, label)
        setattr(imported.flow, name, _stream(name, taken))
        return
    try:
        if name == "name" and not isinstance(value, str):
            raise ValidationError(_("This is not a name."))
        if name == "exits" and not (isinstance(value, list) and all(isinstance(kind, str) for kind in value)):
            raise ValidationError(_("This is not a list of events."))
        is_empty = value == "" and column.empty_strings_allowed
        setattr(imported.flow, name, value if is_empty else column.clean(value, imported.flow))
    except (ValidationError, TypeError, ValueError) as error:
        reason = " ".join(error.messages) if isinstance(error, ValidationError) else _("This value does not fit.")
        imported.problems.append(_("%(place)s: %(problem)s") % {"place": label, "problem": reason})


class _Reader:
    """Takes the value of a StreamField apart and keeps what its blocks can hold."""

    def __init__(self, problems: list[str], own: Mapping[Any, Mapping[str, int]]) -> None:
        self.problems = problems
        self.own = own
        self.ids: set[str] = set()

    def report(self, place: str, problem: str) -> None:
        self.problems.append(_("%(place)s: %(problem)s") % {"place": place, "problem": problem})

    def list(self, block: blocks.StreamBlock, value: Any, place: str) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            self.report(place, _("A list is missing here."))
            return []
        kept = []
        for number, item in enumerate(value, start=1):
            here = f"{place} › {number}"
            if not isinstance(item, Mapping) or not isinstance(item.get("type"), str) or "value" not in item:
                self.report(here, _("This is not a step and was left out."))
                continue
            if item["type"] == RETIRED:  # only ever within this site; unpacked it could be anything
                self.report(here, _("This is not a step and was left out."))
                continue
            kept.append(self._item(block, item, here))
        return kept

    def _item(self, block: blocks.StreamBlock, item: Mapping[str, Any], place: str) -> dict[str, Any]:
        kind, value = item["type"], item["value"]
        child = block.child_blocks.get(kind)
        made = {"type": kind, "value": value, "id": self._id(item.get("id"))}
        if child is None:
            # kept as it is: it works again where its app is installed, and nothing runs with it until then
            self.report(
                place, _("There is no “%(kind)s” here. It is kept, and the flow cannot run with it.") % {"kind": kind}
            )
            return {**made, "value": _with_references({"type": kind, "value": value}, lambda *_ignored: None)["value"]}
        place = f"{place}, {child.label}"
        return {**made, "value": self._value(child, self._referring(kind, value, place), place)}

    def _referring(self, kind: str, value: Any, place: str) -> Any:
        """Return the value with the number of what it names; numbers of other stores never get in."""
        reference = REFERENCES.get(kind)
        if reference is None or not isinstance(value, Mapping) or value.get(reference[0]) is None:
            return value
        key, model = reference
        wanted = value[key]
        found = self.own[model].get(wanted.casefold()) if isinstance(wanted, str) else None
        if found is None:
            words = {"kind": model._meta.verbose_name, "name": wanted}
            self.report(place, _("This store has no %(kind)s “%(name)s”. Choose another.") % words)
        return {**value, key: found}

    def _value(self, block: blocks.Block, value: Any, place: str) -> Any:
        if isinstance(block, blocks.StreamBlock):
            return self.list(block, value, place)
        if isinstance(block, blocks.ListBlock):
            return self._items(block, value, place)
        if isinstance(block, blocks.StructBlock):
            return self._struct(block, value, place)
        if isinstance(block, PictureBlock):
            if value is not None:
                self.report(place, _("The picture “%(title)s” is not in the file. Choose one.") % {"title": value})
            return None
        if isinstance(block, blocks.ChooserBlock):
            # whatever the blocks of an app point to: only what was found in this store
            return value if value in self.own.get(block.target_model, {}).values() else None
        try:
            if isinstance(value, dict):
                raise TypeError
            block.normalize(block.to_python(value))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, ValidationError):
            self.report(place, _("This value does not fit and was left out."))
            return block.get_prep_value(block.get_default())
        return value

    def _struct(self, block: blocks.StructBlock, value: Any, place: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self.report(place, _("This value does not fit and was left out."))
            value = {}
        for key in sorted(str(key) for key in value.keys() - block.child_blocks.keys()):
            self.report(place, _("“%(field)s” is not known here and was left out.") % {"field": key})
        return {
            key: self._value(child, value[key], f"{place} › {child.label}")
            for key, child in block.child_blocks.items()
            if key in value
        }

    def _items(self, block: blocks.ListBlock, value: Any, place: str) -> list[Any]:
        if not isinstance(value, list):
            self.report(place, _("A list is missing here."))
            return []
        kept = []
        for number, item in enumerate(value, start=1):
            inner = item["value"] if isinstance(item, Mapping) and item.keys() >= {"type", "value"} else item
            made = self._value(block.child_block, inner, f"{place} › {number}")
            kept.append(
                {"type": "item", "value": made, "id": self._id(item.get("id") if isinstance(item, Mapping) else None)}
            )
        return kept

    def _id(self, wanted: Any) -> str:
        """Return the step's own id: answers and ways are remembered by it. A strange or doubled one is made anew."""
        if not isinstance(wanted, str) or not _ID.fullmatch(wanted) or wanted in self.ids:
            wanted = str(uuid.uuid4())
        self.ids.add(wanted)
        return wanted


def _leaves(value: Any) -> Iterator[Any]:
    """Yield every value that holds no others, and every key."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            waiting += [*inner, *inner.values()]
        elif isinstance(inner, list):
            waiting += inner
        else:
            yield inner


def _can_be_kept(value: Any) -> bool:
    """Return whether every database can hold ``value``: JSON allows zero bytes and half characters, they do not."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, float) or math.isfinite(value)


def _depth(value: Any) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        inner, level = waiting.pop()
        deepest = max(deepest, level)
        children = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else ()
        waiting += [(child, level + 1) for child in children]
    return deepest
