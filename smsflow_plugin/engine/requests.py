"""Turns what a run wants of the outside into rows for the pump ``perform``, with the copy filled in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from django.utils.translation import gettext as _

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.doings import Requesting
from smsflow_plugin.engine.models import Effect
from smsflow_plugin.flows.program import Discount, Email, Notify, Webhook
from smsflow_plugin.messaging.copy import CopyError, MissingValue, in_language
from smsflow_plugin.messaging.liquid_environment import compile_copy, render_pieces


class RunIds(Protocol):
    @property
    def pk(self) -> int: ...
    @property
    def store_id(self) -> int: ...
    @property
    def flow_id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to be done outside of the database. With an ``error`` or an ``answer`` it is not done at all."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "store_id", "contact_id", "flow_id", "enrollment_id", "step", "visit", "kind", "payload", "waits", "state",
        "not_before", "result", "created_at", "finished_at",
    )  # fmt: skip

    run: RunIds
    contact_id: int
    step: str
    visit: int
    kind: Effect.Kind
    waits: bool
    payload: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    answer: str = ""

    @property
    def settled(self) -> bool:
        return bool(self.error or self.answer)

    def row(self, now: datetime) -> tuple[Any, ...]:
        """Return the values of ``COLUMNS``."""
        state = Effect.State.FAILED if self.error else Effect.State.DONE if self.answer else Effect.State.QUEUED
        result = {"error": self.error} if self.error else {"value": self.answer} if self.answer else None
        return (
            self.run.store_id, self.contact_id, self.run.flow_id, self.run.pk, self.step, self.visit, self.kind.value,
            dict(self.payload), self.waits, state.value, now, result, now, now if self.settled else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the requests of one run.

    ``context`` is what its copy may use, ``language`` the person's, ``store_language`` that of
    the staff; ``owner_email`` finds the address of whoever answers for a flow, by its id.
    """

    context: Mapping[str, Any]
    language: str
    store_language: str
    owner_email: Callable[[int], str]

    def make(self, asked: Requesting, run: RunIds, contact: Contact) -> Request:
        """Return what was asked for, with the copy filled in; one that cannot be filled in has failed."""
        kind, write = self._writer(asked.instruction, run.flow_id)
        payload: Mapping[str, Any] = {}
        error = ""
        try:
            payload = write()
        except MissingValue as missing:
            error = _("A value is missing: %(path)s.") % {"path": missing.path}
        except (CopyError, ValueError) as problem:
            error = str(problem)
        return Request(run, contact.pk, asked.step, asked.visit, kind, asked.waits, payload, error)

    def _writer(
        self, instruction: Discount | Webhook | Email | Notify, flow_id: int
    ) -> tuple[Effect.Kind, Callable[[], Mapping[str, Any]]]:
        match instruction:
            case Webhook():
                return Effect.Kind.WEBHOOK, lambda: self._webhook(instruction)
            case Email():
                return Effect.Kind.EMAIL, lambda: self._email(instruction)
            case Notify():
                return Effect.Kind.NOTICE, lambda: self._notice(instruction, flow_id)
        return Effect.Kind.DISCOUNT, lambda: _discount(instruction)

    def _webhook(self, webhook: Webhook) -> Mapping[str, Any]:
        body = ""
        if webhook.body.strip():
            # a name with a quotation mark in it must neither break the request nor add to it
            body = _fill(webhook.body, _as_json(self.context), self.store_language)
            try:
                json.loads(body)
            except ValueError:
                raise ValueError(_("With this person's data the request is not valid JSON.")) from None
        return {"url": webhook.url, "body": body, "save_as": webhook.save_as}

    def _email(self, email: Email) -> Mapping[str, Any]:
        sources = [in_language(part, self.language) for part in (email.subject, email.body)]
        if not all(sources):
            raise CopyError(_("There is no text in the language “%(language)s”.") % {"language": self.language})
        subject, body = (_fill(source, self.context, self.language) for source in sources)
        to = self.context["contact"]["email"] or ""
        return {"to": to, "subject": subject, "body": body, "language": self.language}

    def _notice(self, notice: Notify, flow_id: int) -> Mapping[str, Any]:
        to = list(notice.to) or [address for address in (self.owner_email(flow_id),) if address]
        if not to:
            raise ValueError(_("There is no address to write to: the step names none, and the flow has no owner."))
        subject, body = (_fill(part, self.context, self.store_language) for part in (notice.subject, notice.body))
        return {"to": to, "subject": subject, "body": body}


def _fill(source: str, context: Mapping[str, Any], language: str) -> str:
    """Fill in copy that is no text message: its characters stay as they are."""
    return "".join(piece for piece, _slot in render_pieces(compile_copy(source), context, language=language))


def _as_json(value: Any) -> Any:
    """Return ``value`` with every text in it as it stands between the quotation marks of JSON."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)[1:-1]
    if isinstance(value, Mapping):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(inner) for inner in value]
    return value


def _discount(discount: Discount) -> Mapping[str, Any]:
    return {
        "kind": discount.kind,
        "amount": discount.amount,
        "minimum": discount.minimum,
        "valid_days": discount.valid_days,
        "prefix": discount.prefix,
    }
