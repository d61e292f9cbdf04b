"""Tells in a sentence why a circuit breaker tripped."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smsflow_plugin.governance.trips import BreakerTrip


def sentence(trip: BreakerTrip) -> str:
    """Return what was measured, against what, and what is usual."""
    usual = f" {_usual(trip)}" if trip.baseline is not None else ""
    return f"{_what(trip)}{usual}"


def _what(trip: BreakerTrip) -> str:
    values = {
        "measured": _number(trip.measured),
        "limit": _number(trip.limit),
        "count": trip.count,
        "texts": trip.texts,
        "hours": trip.hours,
        "currency": trip.store.currency,
    }
    match trip.kind:
        case BreakerTrip.Kind.OPT_OUTS:
            if trip.against == "usual":
                return (
                    _(
                        "%(count)d people opted out after %(texts)d texts in 24 hours (%(measured)s %%): far more than "
                        "usual for this flow, where %(limit)s %% would be too many."
                    )
                    % values
                )
            return (
                _(
                    "%(count)d people opted out after %(texts)d texts in 24 hours (%(measured)s %%); the limit is "
                    "%(limit)s %%."
                )
                % values
            )
        case BreakerTrip.Kind.FAILURES:
            if trip.against == "usual":
                text = ngettext(
                    "%(count)d of %(texts)d texts failed in the last hour (%(measured)s %%): far more than usual for "
                    "this flow, where %(limit)s %% would be too many.",
                    "%(count)d of %(texts)d texts failed in %(hours)d hours (%(measured)s %%): far more than usual "
                    "for this flow, where %(limit)s %% would be too many.",
                    trip.hours,
                )
                return text % values
            text = ngettext(
                "%(count)d of %(texts)d texts failed in the last hour (%(measured)s %%); the limit is %(limit)s %%.",
                "%(count)d of %(texts)d texts failed in %(hours)d hours (%(measured)s %%); the limit is %(limit)s %%.",
                trip.hours,
            )
            return text % values
        case BreakerTrip.Kind.VOLUME:
            text = ngettext(
                "It sent %(count)d texts in the last hour; more than %(limit)s is not like it.",
                "It sent %(count)d texts in %(hours)d hours; more than %(limit)s is not like it.",
                trip.hours,
            )
            return text % values
        case _:
            return (
                _("Its texts cost %(measured)s %(currency)s in 24 hours; the limit is %(limit)s %(currency)s.") % values
            )


def _usual(trip: BreakerTrip) -> str:
    usual = {"usual": _number(trip.baseline or Decimal(0))}
    if trip.kind == BreakerTrip.Kind.VOLUME:
        return _("On a usual day it sends %(usual)s.") % usual
    return _("Usually it is %(usual)s %%.") % usual


def _number(value: Decimal) -> str:
    """Return a number without zeros that say nothing."""
    return str(number_format(f"{value.normalize():f}" if value else "0"))
