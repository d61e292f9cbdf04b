"""Hours of a week in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from itertools import groupby

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from smsflow_plugin.governance.hours import Window

#: A day that a row of the law says nothing about.
ALL_DAY: Window = (time(0), time.max)


def week_words(week: Sequence[Window | None]) -> str:
    """Return a week, days that are alike taken together: "Monday to Friday 09:00–20:00; Saturday to Sunday closed"."""
    return "; ".join(week_parts(week))


def week_parts(week: Sequence[Window | None], *, without: Window | None = None) -> list[str]:
    """Return a phrase for each stretch of days that are alike, but for days that have the window ``without``."""
    parts = []
    for window, days in groupby(range(len(week)), key=lambda day: week[day]):
        if window and window == without:
            continue
        found = list(days)
        first, last = str(WEEKDAYS[found[0]]), str(WEEKDAYS[found[-1]])
        names = {"first": first, "last": last}
        span = _("every day") if len(found) == 7 else first if first == last else _("%(first)s to %(last)s") % names
        parts.append(f"{span} {window_words(window)}")
    return parts


def window_words(window: Window | None) -> str:
    if window is None:
        return _("closed")
    opens, closes = window
    words = {"opens": _clock(opens), "closes": _clock(closes)}
    if closes in (time(0), time.max):
        return _("%(opens)s–24:00") % words
    return (_("%(opens)s–%(closes)s the next day") if closes < opens else _("%(opens)s–%(closes)s")) % words


def _clock(at: time) -> str:
    return f"{at:%H:%M}"
