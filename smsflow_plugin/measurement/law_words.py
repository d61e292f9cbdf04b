"""Rows that are stricter than the law, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from smsflow_plugin.audience.regions import name_of_region, names_of_countries
from smsflow_plugin.governance.law.row import LawRow
from smsflow_plugin.measurement.week_words import ALL_DAY, week_parts


def rows_words(rows: Iterable[LawRow]) -> str:
    """Return rows in one line, without a full stop."""
    return "; ".join(map(row_words, rows)) or _("none")


def row_words(row: LawRow) -> str:
    """Return a row in words: "Texas: Monday to Friday 10:00–18:00, closed on public holidays (our counsel)"."""
    hours = week_parts(row.week, without=ALL_DAY)
    if row.holidays_off:
        hours.append(_("closed on public holidays"))
    if row.since:
        hours.append(_("from %(day)s on") % {"day": date_format(row.since)})
    if row.until:
        hours.append(_("before %(day)s") % {"day": date_format(row.until)})
    words = _("%(place)s: %(hours)s") % {"place": place_words(row.country, row.region), "hours": ", ".join(hours)}
    return _("%(row)s (%(reason)s)") % {"row": words, "reason": row.source} if row.source else words


def place_words(country: str, region: str = "") -> str:
    """Return what a place is called."""
    if not country:
        return _("everywhere")
    return name_of_region(country, region) or names_of_countries().get(country, country)
