"""What our own public pages put into the inbox, as facts. Pure.

The bodies are ours, but they lie in the inbox for a while, and an older program may have written them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from smsflow_plugin.audience.consent import GRANTED, PENDING, REVOKED, SINGLE, Consent, Proof
from smsflow_plugin.events.facts import (
    CannotUnderstand,
    Happening,
    Person,
    PersonFact,
    RawDelivery,
    StoreInfo,
    Translation,
)

#: The source of deliveries, and where consent came from.
FORM, PREFERENCES = "form", "preferences"

#: Somebody has sent an opt-in form; wants no more texts; wants them again.
JOIN, STOP, REQUEST = "join", "stop", "request"


def translate(raw: RawDelivery, store: StoreInfo) -> Translation:
    """The translator of the source "form"."""
    try:
        body = json.loads(raw.body)
        if not isinstance(body, dict):
            raise TypeError
        phone, at = str(body["phone"]), datetime.fromisoformat(body["at"])
    except (ValueError, KeyError, TypeError) as error:
        raise CannotUnderstand("This is not what one of our own pages says.") from error
    match raw.topic:
        case "join":
            return Translation((_joined(body, phone, at, raw.external_id),))
        case "stop":
            return Translation((_stopped(body, phone, at, raw.external_id),))
        case "request":
            return Translation((_requested(body, phone, at, raw.external_id),))
    raise CannotUnderstand(f"Nobody knows what “{raw.topic}” means.")


def _joined(body: Mapping[str, Any], phone: str, at: datetime, external_id: str) -> PersonFact:
    must_confirm = body.get("must_confirm") is not False
    person = Person(
        phone=phone,
        first_name=_text(body, "first_name") or None,
        email=_text(body, "email") or None,
        language=_text(body, "language") or None,
        tags_added=tuple(str(tag) for tag in body.get("tags") or ()),
    )
    consent = Consent(
        PENDING if must_confirm else GRANTED,
        "marketing",
        FORM,
        at,
        key=f"{FORM}:{external_id}",
        wording=_text(body, "disclosure"),
        evidence=_evidence(body),
        proof=_proof(body, opt_in_level="" if must_confirm else SINGLE),
        # anybody can type in anybody's number: that never undoes a refusal
        dated=False,
    )
    data = {"source": FORM, "form": _text(body, "form_name"), "programme": _text(body, "programme") or None}
    if must_confirm:
        kind, data = "opt_in_requested", {**data, **_ask(body)}
    else:
        kind = "opted_in"
    return PersonFact(person, (consent,), (Happening(kind, consent.key, at, data=data),))


def _stopped(body: Mapping[str, Any], phone: str, at: datetime, external_id: str) -> PersonFact:
    scope = "marketing" if body.get("scope") == "marketing" else "all"
    consent = Consent(
        REVOKED,
        scope,
        PREFERENCES,
        at,
        key=f"{FORM}:{external_id}",
        evidence=_evidence(body),
        own_words=True,
        proof=_proof(body),
    )
    return PersonFact(
        Person(phone=phone), (consent,), (Happening("opted_out", consent.key, at, data={"source": PREFERENCES}),)
    )


def _requested(body: Mapping[str, Any], phone: str, at: datetime, external_id: str) -> PersonFact:
    consent = Consent(
        PENDING,
        "marketing",
        PREFERENCES,
        at,
        key=f"{FORM}:{external_id}",
        evidence=_evidence(body),
        own_words=True,
        proof=_proof(body),
    )
    data = {"source": PREFERENCES, "form": None, "programme": None, **_ask(body)}
    return PersonFact(Person(phone=phone), (consent,), (Happening("opt_in_requested", consent.key, at, data=data),))


def _ask(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what whoever asks for confirmation must know."""
    return {"ask": True, "language": _text(body, "language"), "terms_url": _text(body, "terms_url") or None}


def _proof(body: Mapping[str, Any], *, opt_in_level: str = "") -> Proof:
    """Return what shows that somebody sent a page: which words they saw, and from where they came."""
    evidence = _evidence(body)
    return Proof(
        channel="web",
        programme=_text(body, "programme"),
        opt_in_level=opt_in_level,
        form=_text(evidence, "form"),
        form_version=_text(evidence, "version"),
        disclosure=_text(body, "disclosure"),
        disclosure_locale=_text(evidence, "language"),
        box_ticked=True if evidence.get("checkbox") else None,
        ip=_text(evidence, "ip"),
        user_agent=_text(evidence, "user_agent"),
        source_url=_text(evidence, "page"),
    )


def _evidence(body: Mapping[str, Any]) -> dict[str, Any]:
    evidence = body.get("evidence")
    return dict(evidence) if isinstance(evidence, dict) else {}


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
