"""Turns what happened to a person into entries of the timeline: orders with what they are credited to, and clicks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin.attribution.orders import CREATED
from smsflow_plugin.events.kinds import KINDS, Keyword
from smsflow_plugin.links.models import Click
from smsflow_plugin.measurement.credit_words import credit_sentence, credits_of
from smsflow_plugin.measurement.entry import Entry, Kind, Tone, links_of
from smsflow_plugin.measurement.route_words import flow_names, route_sentence

Row = Mapping[str, Any]


def write_events(rows: Iterable[Row], zone: str) -> list[Entry]:
    """Tell what happened. Orders say which text they are credited to: one query more, if there are any."""
    rows = list(rows)
    names, credited = flow_names(rows), _credited(rows)
    return [
        Entry(
            row["occurred_at"],
            Kind.EVENT,
            row["pk"],
            title=str(KINDS[row["kind"]].label if row["kind"] in KINDS else row["kind"]),
            detail=_detail(row, names, credited.get(row["pk"]), zone),
            text=str((row["data"] or {}).get("body") or ""),
            tone=_tone(row, credited.get(row["pk"])),
            links=links_of(delivery=row["delivery_id"], message=credited.get(row["pk"], {}).get("text")),
        )
        for row in rows
    ]


def _credited(rows: list[Row]) -> dict[int, Row]:
    """Return what orders among these events of one person are credited to, by event."""
    placed = {row["subject"]: row for row in rows if row["kind"] == CREATED and row["subject"]}
    found: dict[int, Row] = {}
    for contact_id in {row["contact_id"] for row in placed.values()}:
        for order, credit in credits_of(contact_id, placed).items():
            found[placed[order]["pk"]] = credit
    return found


def _detail(row: Row, names: Mapping[int, str], credit: Row | None, zone: str) -> str:
    about = _about(row["data"] or {}) or _unclear(row["data"] or {}) or route_sentence(row, names)
    return "\n".join(part for part in (about, credit_sentence(credit, zone) if credit else "") if part)


def _tone(row: Row, credit: Row | None) -> Tone:
    if row["kind"] in ("message_failed", "opted_out"):
        return Tone.BAD
    return Tone.GOOD if credit and not credit["cancelled"] else Tone.NEUTRAL


def _unclear(data: Row) -> str:
    if data.get("keyword") != Keyword.UNCLEAR:
        return ""
    return _("Perhaps an opt-out: somebody has to read it, and no marketing goes out before.")


_PLAIN_NAMES = ("tag", "field", "value", "segment_name", "name", "goal", "flow_name", "date", "by")
_THINGS = (
    ("order", ("name", "first_item")),
    ("cart", ("first_item",)),
    ("parcel", ("tracking_company",)),
    ("product", ("title", "variant", "price")),
    ("appointment", ("title", "starts_at")),
    ("subscription", ("title",)),
    ("case", ("title",)),
)


def _about(data: Row) -> str:
    """Name what an event is about: the order, what lies in the cart, who carries the parcel."""
    words: list[Any] = [data.get(name) for name in _PLAIN_NAMES]
    for name, keys in _THINGS:
        thing = data.get(name)
        if isinstance(thing, Mapping):
            words += [thing.get(key) for key in keys]
            if thing.get("total"):
                words.append(f"{thing['total']} {thing.get('currency') or ''}".strip())
    return " · ".join(str(word) for word in words if word)


def write_clicks(rows: Iterable[Row], zone: str) -> list[Entry]:
    """Tell which links the person clicked."""
    return [
        Entry(
            row["at"],
            Kind.CLICK,
            row["pk"],
            title=_("Clicked a link"),
            detail=row["link__target"],
            tone=Tone.GOOD,
            links=links_of(message=row["link__message_id"]),
        )
        for row in rows
    ]


def write_robots(rows: Iterable[Row], zone: str) -> list[Entry]:
    """Tell what opened a link and was no person."""
    return [
        Entry(
            row["at"],
            Kind.ROBOT,
            row["pk"],
            title=_("A link was opened, but not by the person"),
            detail=" · ".join(
                str(part) for part in (Click.Kind(row["kind"]).label, row["because"], row["link__target"]) if part
            ),
            links=links_of(message=row["link__message_id"]),
        )
        for row in rows
    ]
