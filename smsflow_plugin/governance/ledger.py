"""The ledger: what governance said to every text and every entry, by which rules, and where the person was taken to be.

Pumps write it, always many rows in one statement, and nobody changes it. Rows are small, as there
are many and they stay: words are numbers, notes are a line, and what is often the same (the rules, the places)
stands once in a table of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smsflow_plugin import bulk
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.audience.places import Place
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.governance import codes
from smsflow_plugin.governance.columns import CodeField, NotesField
from smsflow_plugin.governance.rules import Decision as Said
from smsflow_plugin.governance.rules import Verdict
from smsflow_plugin.stores.models import Store
from smsflow_plugin.stores.querysets import StoreScopedQuerySet


class PlaceSet(models.Model):
    """Places where people were taken to be, as they were judged: a few thousand rows for all people of all stores."""

    #: "zone,country,region,source" of each, with ";" between them.
    key = models.TextField(unique=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("places")
        verbose_name_plural = _("places")

    def __str__(self) -> str:
        return self.key

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(Place(*place.split(",")[:4]) for place in self.key.split(";") if place)


class Decision(models.Model):
    """What governance said to one text, or to one entry into a flow, and why: so that it can be told for ever.

    The columns stand in the order that wastes no byte on PostgreSQL: the widest first.
    """

    class Verdict(models.TextChoices):
        ALLOW = "allow", _("Allowed")
        DEFER = "defer", _("Put off")
        SKIP = "skip", _("Not sent")

    store = models.ForeignKey(
        Store, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("store")
    )
    #: Null when the person is gone: what is left counts, and tells of nobody.
    contact = models.ForeignKey(
        Contact,
        null=True,
        on_delete=models.SET_NULL,
        related_name="decisions",
        db_index=False,
        verbose_name=_("contact"),
    )
    flow = models.ForeignKey(
        Flow, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False, verbose_name=_("flow")
    )
    #: No constraint: the engine stands above this room, and a run may be gone.
    enrollment = models.ForeignKey(
        "smsflow.Enrollment",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="decisions",
        db_constraint=False,
        db_index=False,
    )
    #: The text that was asked about at the last gate; null where a flow asked, before there was one.
    message_id = models.BigIntegerField(null=True, editable=False)
    at = models.DateTimeField(_("at"))
    until = models.DateTimeField(_("until"), null=True, blank=True)
    #: The version of the rules that decided (``PolicyVersion``), and where the person was taken to be (``PlaceSet``).
    #: No constraints, as the rows are many and neither goes away.
    policy_id = models.IntegerField(null=True, editable=False)
    places_id = models.IntegerField(null=True, editable=False)
    verdict = CodeField(_("verdict"), codes=codes.VERDICTS, choices=Verdict.choices)
    #: A value of ``governance.rules.Reason``.
    reason = CodeField(_("reason"), codes=codes.REASONS)
    message_class = CodeField(_("class"), codes=codes.CLASSES, default="")
    visit = models.PositiveSmallIntegerField(default=0)
    step = models.CharField(max_length=36, blank=True)
    notes = NotesField(_("notes"), default=list, blank=True)

    wagtail_reference_index_ignore = True
    objects = StoreScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [
            # also finds the decisions of a run and of a text: both belong to one person
            models.Index(fields=["contact", "at"], name="smsflow_decision_person"),
            # the report of what was not sent counts in this index alone
            models.Index(
                fields=["store", "at", "verdict", "reason", "flow"],
                name="smsflow_decision_unsent",
                condition=Q(verdict__gt=codes.ALLOW),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} ({self.reason})"


COLUMNS = (
    "store_id", "contact_id", "flow_id", "enrollment_id", "message_id", "at", "until", "policy_id", "places_id",
    "verdict", "reason", "message_class", "visit", "step", "notes",
)  # fmt: skip
_PLACES = COLUMNS.index("places_id")


def row(
    said: Said,
    at: Any,
    *,
    store_id: int,
    contact_id: int | None,
    message_class: str,
    flow_id: int | None = None,
    enrollment_id: int | None = None,
    message_id: int | None = None,
    policy_id: int | None = None,
    places: tuple[Place, ...] = (),
    step: str = "",
    visit: int = 0,
) -> tuple[Any, ...]:
    """Return what ``write`` takes for one decision."""
    return (
        store_id, contact_id, flow_id, enrollment_id, message_id, at, said.until, policy_id or None, places,
        said.verdict.value, said.reason.value, message_class, visit, step, _lean(said),
    )  # fmt: skip


def _lean(said: Said) -> list[Mapping[str, Any]]:
    """Return the notes without what the columns say already."""
    lean = []
    for note in said.notes:
        if note.get("rule") == said.reason and said.verdict is Verdict.DEFER:
            note = {name: value for name, value in note.items() if name != "until"}
        if set(note) - {"rule"} or note.get("rule") != said.reason:
            lean.append(note)
    return lean


def write(rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows that ``row`` made. The number of statements does not depend on theirs."""
    if not rows:
        return
    ids = _place_ids({one[_PLACES] for one in rows if one[_PLACES]})
    bulk.insert(
        Decision,
        COLUMNS,
        [(*one[:_PLACES], ids.get(one[_PLACES]), *one[_PLACES + 1 :]) for one in rows],
    )


_known: dict[tuple[Place, ...], int] = {}


def _place_ids(wanted: Collection[tuple[Place, ...]]) -> dict[tuple[Place, ...], int]:
    """Return the ids of places, and store those that are new."""
    found = {places: _known[places] for places in wanted if places in _known}
    missing = {_key(places): places for places in wanted if places not in found}
    if not missing:
        return found
    stored = dict(PlaceSet.objects.filter(key__in=missing).values_list("key", "pk"))
    if len(stored) < len(missing):
        bulk.insert(PlaceSet, ("key",), [(key,) for key in sorted(missing.keys() - stored.keys())])
        # another worker may have been faster, so what was inserted is not all there is
        stored = dict(PlaceSet.objects.filter(key__in=missing).values_list("key", "pk"))
    new = {missing[key]: pk for key, pk in stored.items()}
    # not before the commit: ids of rows that never came to be would be written for ever
    transaction.on_commit(lambda: _remember(new))
    return {**found, **new}


def _remember(new: Mapping[tuple[Place, ...], int]) -> None:
    if len(_known) > 50_000:
        _known.clear()
    _known.update(new)


def _key(places: tuple[Place, ...]) -> str:
    return ";".join(",".join(astuple(place)[:4]) for place in places)


def forget(contact_ids: Iterable[int]) -> int:
    """Let the decisions about people who are erased tell of nobody; return how many there were."""
    own = Decision.objects.filter(contact_id__in=list(contact_ids))
    return own.update(contact=None, enrollment=None, message_id=None, places_id=None, notes=[])
