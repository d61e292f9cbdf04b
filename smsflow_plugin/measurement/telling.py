"""Turns rows of each kind into entries of the timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.conversations.models import ThreadNote
from smsflow_plugin.engine.models import Effect, Enrollment
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.events.models import ReplyReview
from smsflow_plugin.governance.ledger import Decision
from smsflow_plugin.governance.rules import Verdict
from smsflow_plugin.measurement.credit_words import outcomes_of
from smsflow_plugin.measurement.discount_words import redeemed_sentence
from smsflow_plugin.measurement.entry import Entry, Kind, Said, Tone, links_of
from smsflow_plugin.measurement.reasons import decision_sentence, left_sentence, remarks, state_sentence
from smsflow_plugin.measurement.telling_events import write_clicks, write_events, write_robots
from smsflow_plugin.measurement.telling_trials import write_tried
from smsflow_plugin.messaging.gate import STAFF
from smsflow_plugin.messaging.models import Message

Row = Mapping[str, Any]

#: What ``decisions_of`` and the decisions of the timeline need to know.
DECISION_COLUMNS = (
    "pk", "flow_id", "flow__name", "enrollment_id", "message_id", "step", "visit", "at", "verdict", "reason", "until",
    "notes",
)  # fmt: skip


def _write_reviews(rows: Iterable[Row], zone: str) -> list[Entry]:
    titles = {
        ReplyReview.State.STOP: _("Decided about an unclear reply: they want no more texts"),
        ReplyReview.State.KEEP: _("Decided about an unclear reply: they did not mean that"),
    }
    return [
        Entry(
            row["decided_at"],
            Kind.REVIEW,
            row["pk"],
            title=titles[row["state"]],
            detail=_("Decided by %(name)s.") % {"name": row["decided_by"]}
            if row["decided_by"]
            else _("Decided by another text of the person."),
            text=row["body"],
            tone=Tone.BAD if row["state"] == ReplyReview.State.STOP else Tone.GOOD,
        )
        for row in rows
    ]


_CONSENT_TONES = {"granted": Tone.GOOD, "pending": Tone.WAITING, "revoked": Tone.BAD, "expired": Tone.NEUTRAL}
_CONSENT_TITLES = {
    ("granted", "marketing"): gettext_lazy("Agreed to marketing texts"),
    ("granted", "all"): gettext_lazy("Agreed to texts"),
    ("pending", "marketing"): gettext_lazy("Was asked to confirm marketing texts"),
    ("pending", "all"): gettext_lazy("Was asked to confirm texts"),
    ("revoked", "marketing"): gettext_lazy("Opted out of marketing texts"),
    ("revoked", "all"): gettext_lazy("Opted out of all texts"),
    ("expired", "marketing"): gettext_lazy("Did not confirm marketing texts in time"),
    ("granted", "email"): gettext_lazy("Agreed to e-mails"),
    ("pending", "email"): gettext_lazy("Was asked to confirm e-mails"),
    ("revoked", "email"): gettext_lazy("Wants no more e-mails"),
}
CONSENT_SOURCES = {
    "staff": gettext_lazy("Recorded by staff"),
    "keyword": gettext_lazy("By a text"),
    "unclear_reply": gettext_lazy("By a text that staff has read"),
    "double_opt_in": gettext_lazy("By an answer to the question for consent"),
    "erased": gettext_lazy("By asking to be erased"),
    "merged": gettext_lazy("Before their number was known"),
    "email_link": gettext_lazy("By the link in an e-mail"),
    "gateway_opt_out": gettext_lazy("By the phone network"),
    "shopify_customer": gettext_lazy("In the shop"),
    "shopify_checkout": gettext_lazy("At the checkout"),
    "form": gettext_lazy("In an opt-in form"),
    "preferences": gettext_lazy("On their own page"),
    "not_confirmed": gettext_lazy("By not answering the question for consent"),
}


def _write_consents(rows: Iterable[Row], zone: str) -> list[Entry]:
    return [
        Entry(
            row["effective_at"],
            Kind.CONSENT,
            row["pk"],
            title=str(_CONSENT_TITLES[row["action"], row["scope"]]),
            detail=" · ".join(
                str(part) for part in (CONSENT_SOURCES.get(row["source"], row["source"]), row["actor"]) if part
            ),
            text=row["wording"],
            tone=_CONSENT_TONES[row["action"]],
        )
        for row in rows
    ]


def _write_entered(rows: Iterable[Row], zone: str) -> list[Entry]:
    return [
        Entry(
            row["entered_at"],
            Kind.ENTERED,
            row["pk"],
            title=_("Entered “%(flow)s”") % {"flow": row["flow__name"]},
            detail=_("Started by: %(event)s.") % {"event": str(KINDS[kind].label)}
            if (kind := row["trigger_event__kind"]) in KINDS
            else "",
            links=links_of(flow=row["flow_id"]),
        )
        for row in rows
    ]


def _write_left(rows: Iterable[Row], zone: str) -> list[Entry]:
    titles = {
        Enrollment.Status.FINISHED: _("Came to the end of “%(flow)s”"),
        Enrollment.Status.FAILED: _("Stopped by an error in “%(flow)s”"),
    }
    return [
        Entry(
            row["finished_at"],
            Kind.LEFT,
            row["pk"],
            title=titles.get(row["status"], _("Left “%(flow)s”")) % {"flow": row["flow__name"]},
            detail=left_sentence(row["status"], row["exit_reason"]),
            tone=Tone.BAD if row["status"] == Enrollment.Status.FAILED else Tone.NEUTRAL,
            links=links_of(flow=row["flow_id"]),
        )
        for row in rows
    ]


_VERDICT_TONES = {Verdict.ALLOW: Tone.GOOD, Verdict.DEFER: Tone.WAITING, Verdict.SKIP: Tone.BAD}


def _write_decisions(rows: Iterable[Row], zone: str) -> list[Entry]:
    return [
        Entry(
            row["at"],
            Kind.DECISION,
            row["pk"],
            title=decision_sentence(row, zone),
            detail=" ".join(
                part
                for part in (
                    _("Flow: %(flow)s.") % {"flow": row["flow__name"]} if row["flow_id"] else "",
                    remarks(row, zone),
                )
                if part
            ),
            tone=_VERDICT_TONES.get(row["verdict"], Tone.NEUTRAL),
            links=links_of(flow=row["flow_id"], decision=row["pk"]),
        )
        for row in rows
    ]


_STATE_TONES = {
    Message.State.DELIVERED: Tone.GOOD,
    Message.State.FAILED: Tone.BAD,
    Message.State.EXPIRED: Tone.BAD,
    Message.State.CANCELLED: Tone.BAD,
}
_PURPOSES = {
    "keyword": gettext_lazy("Text sent: answer to a keyword"),
    "test": gettext_lazy("Text sent: test"),
    "answer": gettext_lazy("Text sent: automatic answer"),
}
_FLOW_PURPOSES = {
    "flow": gettext_lazy("Text of “%(flow)s”"),
    "answer": gettext_lazy("Answer of “%(flow)s”"),
    "test_run": gettext_lazy("Text of a test run of “%(flow)s”"),
    "test_answer": gettext_lazy("Answer in a test run of “%(flow)s”"),
}


def _title(row: Row) -> str:
    if row["flow_id"]:
        return str(_FLOW_PURPOSES.get(row["purpose"], _FLOW_PURPOSES["flow"])) % {"flow": row["flow__name"]}
    if row["purpose"] == STAFF:
        name = row["author__username"]
        return _("Text of %(name)s") % {"name": name} if name else _("Text of staff")
    return str(_PURPOSES.get(row["purpose"], _("Text")))


_THREAD_TONES = {ThreadNote.Kind.TAKEN_OVER: Tone.WAITING, ThreadNote.Kind.HANDED_BACK: Tone.GOOD}


def _write_threads(rows: Iterable[Row], zone: str) -> list[Entry]:
    return [
        Entry(
            row["at"],
            Kind.THREAD,
            row["pk"],
            title=str(ThreadNote.Kind(row["kind"]).label),
            detail=_("By %(name)s.") % {"name": row["author_name"]} if row["author_name"] else _("By itself."),
            text=row["body"],
            tone=_THREAD_TONES.get(row["kind"], Tone.NEUTRAL),
        )
        for row in rows
    ]


def _write_messages(rows: Iterable[Row], zone: str) -> list[Entry]:
    rows = list(rows)
    said, came = decisions_of(rows, zone), outcomes_of(rows, zone)
    return [
        Entry(
            row["queued_at"],
            Kind.MESSAGE,
            row["pk"],
            title=_title(row),
            detail=" ".join(part for part in (state_sentence(row, zone), came.get(row["pk"], "")) if part),
            text=row["body"],
            tone=_STATE_TONES.get(row["state"], Tone.WAITING),
            decisions=said.get(text_key(row), ()),
            links=links_of(message=row["pk"], flow=row["flow_id"]),
        )
        for row in rows
    ]


def text_key(message: Row) -> tuple[Any, ...]:
    """Return what a text and the decisions about it have in common."""
    if message["enrollment_id"]:
        return message["enrollment_id"], message["step"], message["visit"]
    return ("message", message["pk"])


def decisions_of(messages: Iterable[Row], zone: str) -> dict[tuple[Any, ...], tuple[Said, ...]]:
    """Return the decisions about each of one person's ``messages`` by ``text_key``, in one query.

    Each message names its ``contact_id``: the ledger is found by the person.
    """
    messages = list(messages)
    said: dict[tuple[Any, ...], tuple[Said, ...]] = {}
    if not messages:
        return said
    own = Q(enrollment_id__in={row["enrollment_id"] for row in messages if row["enrollment_id"]})
    own |= Q(message_id__in={row["pk"] for row in messages})
    of_person = Decision.objects.filter(own, contact_id__in={row["contact_id"] for row in messages})
    for row in of_person.order_by("at", "pk").values(*DECISION_COLUMNS):
        sentence = " ".join(part for part in (decision_sentence(row, zone), remarks(row, zone)) if part)
        key = text_key({**row, "pk": row["message_id"]})
        said[key] = (*said.get(key, ()), Said(row["at"], sentence))
    return said


_EFFECT_TITLES = {
    Effect.Kind.WEBHOOK: gettext_lazy("Webhook of “%(flow)s”"),
    Effect.Kind.EMAIL: gettext_lazy("E-mail of “%(flow)s”"),
    Effect.Kind.NOTICE: gettext_lazy("Notice to staff from “%(flow)s”"),
    Effect.Kind.DISCOUNT: gettext_lazy("Discount code of “%(flow)s”"),
}
_EFFECT_TONES = {Effect.State.DONE: Tone.GOOD, Effect.State.FAILED: Tone.BAD}


def _write_effects(rows: Iterable[Row], zone: str) -> list[Entry]:
    return [
        Entry(
            row["created_at"],
            Kind.EFFECT,
            row["pk"],
            title=str(_EFFECT_TITLES[row["kind"]]) % {"flow": row["flow__name"] or "–"},
            detail=_effect_sentence(row),
            text=_effect_text(row["payload"] or {}),
            tone=_EFFECT_TONES.get(row["state"], Tone.WAITING),
            links=links_of(flow=row["flow_id"]),
        )
        for row in rows
    ]


def _effect_sentence(row: Row) -> str:
    """Say what became of it: the code that was made, or what went wrong."""
    result = row["result"] or {}
    state = str(Effect.State(row["state"]).label)
    if "error" in result:
        return f"{state}: {result['error']}"
    value = result.get("value")
    if row["kind"] == Effect.Kind.DISCOUNT and isinstance(value, str):
        return f"{state}: {value}"
    return f"{state}."


def _effect_text(payload: Row) -> str:
    return str(payload.get("subject") or payload.get("url") or "")


def _write_redeemed(rows: Iterable[Row], zone: str) -> list[Entry]:
    return [
        Entry(
            row["redeemed_at"],
            Kind.REDEEMED,
            row["pk"],
            title=_("Used the discount code of “%(flow)s”") % {"flow": row["flow__name"] or "–"},
            detail=redeemed_sentence(row),
            text=row["code"],
            tone=Tone.GOOD,
            links=links_of(flow=row["flow_id"]),
        )
        for row in rows
    ]


def _write_notes(rows: Iterable[Row], zone: str) -> list[Entry]:
    return [
        Entry(
            row["at"],
            Kind.NOTE,
            row["pk"],
            title=str(ThreadNote.Kind(row["kind"]).label),
            detail=row["author_name"],
            text=row["body"],
            tone=Tone.WAITING if row["kind"] == ThreadNote.Kind.NOTE else Tone.NEUTRAL,
        )
        for row in rows
    ]


WRITERS: Mapping[Kind, Callable[[Iterable[Row], str], list[Entry]]] = {
    Kind.EVENT: write_events,
    Kind.CLICK: write_clicks,
    Kind.ROBOT: write_robots,
    Kind.REVIEW: _write_reviews,
    Kind.CONSENT: _write_consents,
    Kind.ENTERED: _write_entered,
    Kind.DECISION: _write_decisions,
    Kind.MESSAGE: _write_messages,
    Kind.EFFECT: _write_effects,
    Kind.THREAD: _write_threads,
    Kind.REDEEMED: _write_redeemed,
    Kind.LEFT: _write_left,
    Kind.TRIED: write_tried,
    Kind.NOTE: _write_notes,
}
