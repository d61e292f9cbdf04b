"""Which webhooks a shop must send, for which flows, and with which rights. Pure.

People, their consent and how much they bought are followed whatever flows there are: who may be texted stands on it.
Everything else is asked for only while a flow needs it. A topic that no translator reads is never asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from smsflow_plugin.audience.filters import Condition, event_kinds
from smsflow_plugin.flows.program import Discount, Email, Program, WaitForEvent
from smsflow_plugin.integrations.shopify.topic_table import (
    ALWAYS,
    ALWAYS_SCOPES,
    OF_KIND,
    SCOPES_OF_KIND,
    TOPICS,
    Topic,
)


@dataclass(frozen=True, slots=True)
class Needs:
    """Topics and scopes, each with the names of the flows that need it; none of them: it is needed always."""

    topics: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def wanted(self) -> list[Topic]:
        return [TOPICS[name] for name in sorted(self.topics)]


def kinds_of(program: Program) -> frozenset[str]:
    """Return the kinds of event that start, wake, steer or end runs of ``program``."""
    kinds = {trigger.kind for trigger in program.triggers} | set(program.exits) | set(program.own_exits)
    if program.goal:
        kinds.add(program.goal)
    for condition in (*program.conditions(), *(trigger.when for trigger in program.triggers)):
        kinds.update(event_kinds(condition))
    for instruction in program.instructions:
        if isinstance(instruction, WaitForEvent):
            kinds.update(instruction.kinds)
    return frozenset(kinds)


def needs(
    flows: Iterable[tuple[str, Program]], *, understood: Collection[str], more: Iterable[tuple[str, Condition]] = ()
) -> Needs:
    """Return what flows need, given as (name, program).

    :param understood: the topics that a translator reads.
    :param more: conditions that stand outside of programs (those of segments), by the flow's name.
    """
    topics: dict[str, list[str]] = {name: [] for name in ALWAYS if name in understood}
    scopes: dict[str, list[str]] = {scope: [] for scope in ALWAYS_SCOPES}
    always = set(topics), set(scopes) | {scope for name in topics for scope in TOPICS[name].scopes}
    asked = [*((name, kinds_of(program), _beside(program)) for name, program in flows)]
    asked += [(name, frozenset(event_kinds(condition)), (frozenset(), frozenset())) for name, condition in more]
    for name, kinds, (own_topics, own_scopes) in asked:
        wanted = {topic for kind in kinds for topic in OF_KIND.get(kind, ())} | own_topics
        for topic in sorted(wanted & set(understood) - always[0]):
            _add(topics, topic, name)
        rights = {scope for kind in kinds for scope in SCOPES_OF_KIND.get(kind, ())} | own_scopes
        rights |= {scope for topic in wanted & set(understood) for scope in TOPICS[topic].scopes}
        for scope in sorted(rights - always[1]):
            _add(scopes, scope, name)
    for scope in sorted(always[1]):
        scopes[scope] = []
    return Needs(topics, scopes)


def _beside(program: Program) -> tuple[frozenset[str], frozenset[str]]:
    """Return the topics and scopes that steps need, whatever events there are."""
    mails = any(isinstance(instruction, Email) for instruction in program.instructions)
    codes = any(isinstance(instruction, Discount) for instruction in program.instructions)
    return (
        frozenset({"customers_email_marketing_consent/update"} if mails else ()),
        frozenset({"write_discounts"} if codes else ()),
    )


def _add(names: dict[str, list[str]], key: str, flow: str) -> None:
    found = names.setdefault(key, [])
    if flow not in found:
        found.append(flow)


@dataclass(frozen=True, slots=True)
class Found:
    """A subscription as Shopify has it. ``topic`` is GraphQL's."""

    id: str
    topic: str
    uri: str
    filter: str = ""
    fields: tuple[str, ...] = ()
    format: str = "JSON"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done. ``lost`` are those of ``create`` that had been there before: Shopify took them away."""

    create: tuple[Topic, ...] = ()
    update: tuple[tuple[Found, Topic], ...] = ()
    delete: tuple[Found, ...] = ()
    lost: frozenset[str] = frozenset()


def compare(wanted: Iterable[Topic], found: Iterable[Found], *, uri: str, before: Collection[str]) -> Plan:
    """Compare what is wanted with what is there.

    Only what leads to ``uri`` is ours: the same app may serve another site, too, and that must not be touched.

    :param before: the topics that were in place after the last comparison.
    """
    by_enum = {topic.enum: topic for topic in wanted}
    ours = sorted((row for row in found if same_address(row.uri, uri)), key=lambda row: row.id)
    kept: dict[str, Found] = {}
    surplus: list[Found] = []
    for row in ours:
        if row.topic in by_enum and row.topic not in kept:
            kept[row.topic] = row
        else:
            surplus.append(row)
    create = tuple(topic for enum, topic in by_enum.items() if enum not in kept)
    return Plan(
        create=create,
        update=tuple((row, by_enum[row.topic]) for row in kept.values() if not _fits(row, by_enum[row.topic], uri)),
        delete=tuple(surplus),
        lost=frozenset(topic.name for topic in create if topic.name in before),
    )


def same_address(one: str, other: str) -> bool:
    """Return whether two addresses are one but for the slash at the end, which makes no difference to us."""
    return one.rstrip("/") == other.rstrip("/")


def _fits(row: Found, topic: Topic, uri: str) -> bool:
    same = row.uri == uri and row.format == "JSON" and (row.filter or "") == topic.filter
    return same and sorted(row.fields) == sorted(topic.fields)
