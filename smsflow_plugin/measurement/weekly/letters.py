"""Writes the weekly report of a store to one reader: as text, and as HTML that any mail program shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from smsflow_plugin.measurement.weekly import words
from smsflow_plugin.measurement.weekly.readers import Reader
from smsflow_plugin.measurement.weekly.reading import Week


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str
    html: str


def letter(week: Week, reader: Reader) -> Letter:
    """Return the report in the reader's language, or that of the store. No queries."""
    language = reader.language or week.store.language
    with override(language):
        context = {**facts(week, reader), "language": language}
        subject = _("%(store)s: your week in texts, %(first)s to %(last)s") % {
            "store": week.store.name,
            "first": context["first"],
            "last": context["last"],
        }
        text = render_to_string("smsflow/weekly/report.txt", context)
        html = render_to_string("smsflow/weekly/report.html", {**context, "subject": subject})
    return Letter(" ".join(subject.split())[:200], text, html)


def facts(week: Week, reader: Reader) -> dict[str, Any]:
    """Return what the templates say, in the language that is active."""
    return {
        "store": week.store,
        "first": date_format(week.period.first, "DATE_FORMAT"),
        "last": date_format(week.period.last, "DATE_FORMAT"),
        "lines": words.lines(week),
        "quiet": not week.now.sent and not week.before.sent,
        "items": words.to_look_at(week, reader),
        "changed": words.changed(week),
        "flows": words.flow_lines(week),
        "figures_url": words.address("smsflow_figures:store", week.store.pk),
        "account_url": words.address("wagtailadmin_account", fragment="#tab-notifications"),
    }
