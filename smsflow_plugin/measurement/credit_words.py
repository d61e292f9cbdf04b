"""Why an order is credited to a text, in words: what ``Conversion.because`` says, for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, OuterRef, Subquery, Sum
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.attribution.models import Conversion
from smsflow_plugin.links.models import Click
from smsflow_plugin.measurement.discount_words import SHOWN
from smsflow_plugin.messaging.models import Message

Row = Mapping[str, Any]
_CENT = Decimal("0.01")

_COLUMNS = (
    "order", "ordered_at", "model", "sent_at", "clicked_at", "currency", "total", "refunded", "cancelled",
    "revenue", "because",
)  # fmt: skip


def credits_of(contact_id: int, orders: Collection[str]) -> dict[str, Row]:
    """Return what a person's ``orders`` (ids of the shop) are credited to. One query, none without orders."""
    if not orders:
        return {}
    # texts are purged earlier than what they earned
    text = Message.objects.filter(pk=OuterRef("message_id"))
    rows = Conversion.objects.filter(contact_id=contact_id, order__in=set(orders)).values(
        *_COLUMNS, text=Subquery(text.values("pk"))
    )
    return {row["order"]: row for row in rows}


def credit_sentence(row: Row, zone: str) -> str:
    """Say which text an order is credited to and why, and what is left of it."""
    because = row["because"] if isinstance(row["because"], Mapping) else {}
    text = {"day": _day(row["sent_at"], zone)}
    match row["model"]:
        case Conversion.Model.CLICK if row["clicked_at"]:
            gap = _gap(row["ordered_at"] - row["clicked_at"])
            sentences = [
                _("Credited to the text of %(day)s: its link was clicked %(gap)s before the order.")
                % {**text, "gap": gap},
                _window(because),
                _others(because),
            ]
        case Conversion.Model.CODE:
            code = f"{str(because.get('code') or '')[:SHOWN]}…"
            sentences = [
                _("Credited to the text of %(day)s: the order names the code %(code)s, which it told them.")
                % {**text, "code": code},
                _window(because),
            ]
        case Conversion.Model.DELIVERED:
            sentences = [
                _("Credited to the text of %(day)s for its delivery alone: nobody clicked.") % text,
                _delivery_window(because),
            ]
        case _:
            sentences = [_("Credited to the text of %(day)s.") % text]
    return " ".join(part for part in (*sentences, _left(row)) if part)


def _window(because: Row) -> str:
    days = because.get("days")
    if not isinstance(days, int):
        return ""
    return ngettext("The window is %(days)d day.", "The window is %(days)d days.", days) % {"days": days}


def _delivery_window(because: Row) -> str:
    hours = because.get("delivered_hours")
    if not isinstance(hours, int):
        return ""
    words = ngettext(
        "This store gives credit for %(hours)d hour after a delivery.",
        "This store gives credit for %(hours)d hours after a delivery.",
        hours,
    )
    return words % {"hours": hours}


def _others(because: Row) -> str:
    clicks = because.get("clicks_in_all")
    if not isinstance(clicks, int) or clicks < 2:
        return ""
    return _("Of %(clicks)d clicks in that time it was the last.") % {"clicks": clicks}


def _left(row: Row) -> str:
    if row["cancelled"]:
        return _("The order was cancelled: nothing is credited.")
    if row["refunded"]:
        words = {"refunded": money(row["refunded"], row["currency"]), "left": money(row["revenue"], row["currency"])}
        return _("%(refunded)s were refunded: %(left)s are credited.") % words
    return ""


def _day(at: datetime, zone: str) -> str:
    return date_format(at.astimezone(ZoneInfo(zone)).date(), "j F")


def _gap(gap: timedelta) -> str:
    minutes = max(round(gap.total_seconds() / 60), 0)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 60:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    days = round(hours / 24)
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def money(amount: Any, currency: str) -> str:
    """Return an amount as people read it: two digits behind the point, and its currency."""
    return f"{number_format(Decimal(amount).quantize(_CENT, ROUND_HALF_UP), 2, force_grouping=True)} {currency}".strip()


# What came of a text -------------------------------------------------------------------------------


def outcomes_of(messages: Iterable[Row], zone: str) -> dict[int, str]:
    """Return what came of each of one person's texts, in words: clicks, answers, orders. Two queries.

    Each message names its ``contact_id``, ``clicked_at``, ``replied_at`` and ``opted_out_at``.
    """
    rows = list(messages)
    ids = [row["pk"] for row in rows]
    if not ids:
        return {}
    people = {row["contact_id"] for row in rows}
    clicks = dict(
        Click.objects.filter(link__contact_id__in=people, link__message_id__in=ids, kind=Click.Kind.HUMAN)
        .order_by()
        .values_list("link__message_id")
        .annotate(times=Count("pk"))
    )
    credited = Conversion.objects.filter(contact_id__in=people, message_id__in=ids, cancelled=False).order_by()
    earned: dict[int, list[Row]] = {}
    for row in credited.values("message_id", "currency").annotate(orders=Count("pk"), revenue=Sum("revenue")):
        earned.setdefault(row["message_id"], []).append(row)
    return {row["pk"]: _outcome(row, clicks.get(row["pk"], 0), earned.get(row["pk"], [])) for row in rows}


def _outcome(row: Row, clicks: int, earned: list[Row]) -> str:
    parts = []
    clicks = max(clicks, 1) if row["clicked_at"] else clicks
    if clicks:
        parts.append(ngettext("Clicked %(count)d time.", "Clicked %(count)d times.", clicks) % {"count": clicks})
    if row["replied_at"]:
        parts.append(_("Answered."))
    if row["opted_out_at"]:
        parts.append(_("The person opted out after it."))
    for sum_ in earned:
        words = ngettext(
            "Credited: %(count)d order, %(money)s.", "Credited: %(count)d orders, %(money)s.", sum_["orders"]
        )
        parts.append(words % {"count": sum_["orders"], "money": money(sum_["revenue"], sum_["currency"])})
    return " ".join(parts)
