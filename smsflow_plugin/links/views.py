"""Where short links lead. The target stands in the database and nowhere else; nothing of the request can change it."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.encoding import iri_to_uri
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from smsflow_plugin import clock
from smsflow_plugin.audience.consent import REVOKED
from smsflow_plugin.events.inbox import store_delivery
from smsflow_plugin.events.models import Delivery
from smsflow_plugin.links import bots, guard, targets
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.links.translate import SOURCE
from smsflow_plugin.messaging.short_links import is_landing_page
from smsflow_plugin.stores import changes
from smsflow_plugin.stores.models import Store

logger = logging.getLogger(__name__)

#: Nobody opens two links of one text so fast; scanners do.
AT_ONCE = timedelta(seconds=1)
SEVERAL = "several links at once"
_AGENT = 300
_CODE = re.compile("[0-9A-Za-z]{1,16}")

#: All that is to be known of a link. Plain values: making models of them would take longer than the query.
_READ = (
    "pk", "store_id", "code", "target", "expires_at", "clicked_at", "message_id", "contact_id",
    "store__status", "store__website", "store__link_utm", "store__link_domain", "store__timezone",
    "contact__phone", "contact__erased_at", "contact__marketing_consent", "contact__service_consent",
    "message__flow_id", "message__step", "message__variant", "message__clicked_at", "message__flow__name",
)  # fmt: skip


@require_safe
def open_link(request: HttpRequest, code: str, *, domain: str = "") -> HttpResponse:
    """Send whoever opens a link to where it leads, and count it if it was a person.

    :param domain: the brand's domain on which it was asked for; other stores' links are not found there.
    """
    link = _find(request, code) if _CODE.fullmatch(code) else None
    if link is None or (domain and link.store__link_domain.lower() != domain):
        # only whoever finds nothing is limited: many people may share an address with somebody who guesses
        if guard.is_guessing(request):
            return _plain(request, 429)
        guard.note_miss(request)
        return _plain(request, 404)
    if link.store__status == Store.Status.UNINSTALLED:
        return _plain(request, 404)
    target = _target(link)
    if target != link.target:
        # run out, or whom it was for is gone: it leads home and says nothing of anybody
        return _sent(target) if target else _plain(request, 404)
    if _counts(link):
        _count(request, link)
        target = _with_tags(link)
    return _sent(target)


@require_safe
def domain_home(request: HttpRequest, website: str) -> HttpResponse:
    """Send whoever types in the bare domain of short links to the shop."""
    home = targets.home(website, "")
    return _sent(home) if home else _plain(request, 404)


def _find(request: HttpRequest, code: str) -> Any:
    """Return ``_READ`` of the link and ``several``, whether another one of its text was just opened; or None."""
    since = clock.now() - AT_ONCE
    others = Click.objects.filter(
        link__message_id=OuterRef("message_id"),
        at__gt=since,
        kind__in=(bots.HUMAN, bots.BOT),
        user_agent=_agent(request),
    ).exclude(link_id=OuterRef("pk"))
    rows = Link.objects.filter(code=code).annotate(several=Exists(others))
    return next(iter(rows.values_list(*_READ, "several", named=True)), None)


def _target(link: Any) -> str:
    over = link.expires_at is not None and link.expires_at <= clock.now()
    return targets.home(link.store__website, link.target) if over or not targets.is_safe(link.target) else link.target


def _counts(link: Any) -> bool:
    """Return whether the click may be kept: nothing is, of people who are erased or have opted out."""
    if link.contact_id is None or link.contact__erased_at is not None:
        return False
    return REVOKED not in (link.contact__marketing_consent, link.contact__service_consent)


def _count(request: HttpRequest, link: Any) -> None:
    """Keep the click, and tell the inbox if it is the first one of a person. Whatever fails, the person goes on."""
    try:
        kind, because = bots.who(request.method or "", request.headers)
        if kind == bots.HUMAN and link.several:
            kind, because = bots.BOT, SEVERAL
        if kind != bots.HUMAN:
            _keep_robot(request, link, kind, because)
            return
        click = _keep(request, link, kind, because)
        if link.clicked_at is None:
            _tell(link, click)
    except DatabaseError:
        logger.exception("A click on the link %s could not be kept.", link.pk)


def _keep(request: HttpRequest, link: Any, kind: str, because: str) -> Click:
    return Click.objects.create(
        store_id=link.store_id,
        link_id=link.pk,
        at=clock.now(),
        kind=kind,
        because=because,
        user_agent=_agent(request),
    )


@transaction.atomic
def _keep_robot(request: HttpRequest, link: Any, kind: str, because: str) -> None:
    """Keep what is no person's, and note its day: robots are counted by day. What people click is noted once the
    inbox has made an event of it."""
    moments = _take_back(request, link) if because == SEVERAL else []
    moments.append(_keep(request, link, kind, because).at)
    changes.note([(link.store_id, at) for at in moments], {link.store_id: link.store__timezone})


def _take_back(request: HttpRequest, link: Any) -> list[datetime]:
    """Take for a scanner's what it opened a moment ago, when it still looked like a person; return when that was."""
    before = Click.objects.filter(
        store_id=link.store_id,
        link__message_id=link.message_id,
        at__gt=clock.now() - AT_ONCE,
        kind=bots.HUMAN,
        user_agent=_agent(request),
    )
    found = list(before.values_list("pk", "link__code", "at"))
    before.update(kind=bots.BOT, because=SEVERAL)
    names = [_name(code, pk) for pk, code, _at in found]
    unread = Delivery.objects.filter(store_id=link.store_id, source=SOURCE, external_id__in=names)
    unread.filter(state=Delivery.State.PENDING).update(
        state=Delivery.State.IGNORED, reason="A scanner opened several links at once.", processed_at=clock.now()
    )
    return [at for _pk, _code, at in found]


def _tell(link: Any, click: Click) -> None:
    body = {
        "phone": str(link.contact__phone or ""),
        "at": click.at.isoformat(),
        "url": link.target,
        "message": link.message_id,
        "flow": link.message__flow_id,
        "flow_name": link.message__flow__name or "",
        "step": link.message__step or "",
        "variant": link.message__variant or "",
        "link": link.code,
        "first": link.message__clicked_at is None,
    }
    store_delivery(
        store_id=link.store_id,
        source=SOURCE,
        external_id=_name(link.code, click.pk),
        topic="click",
        headers={},
        body=json.dumps(body).encode(),
    )


def _name(code: str, click_id: int) -> str:
    return f"{code}-{click_id}"


def _agent(request: HttpRequest) -> str:
    return str(request.headers.get("User-Agent", "")).replace("\0", "")[:_AGENT]


def _with_tags(link: Any) -> str:
    own = targets.is_shops_own(link.target, link.store__website) or is_landing_page(link.store_id, link.target)
    if not link.store__link_utm or not own:
        return link.target
    flow = link.message__flow__name
    parts = ((link.message__step or "")[:8], link.message__variant)
    return targets.tagged(
        link.target,
        {
            "utm_source": "smsflow",
            "utm_medium": "sms",
            "utm_campaign": (slugify(flow) or f"flow-{link.message__flow_id}") if flow else "",
            "utm_content": "-".join(part for part in parts if part),
        },
    )


def _sent(target: str) -> HttpResponse:
    return _private(HttpResponseRedirect(iri_to_uri(target)))


def _plain(request: HttpRequest, status: int) -> HttpResponse:
    return _private(render(request, "smsflow/links/unknown.html", {"often": status == 429}, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
