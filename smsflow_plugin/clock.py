"""The one clock. Nothing else in SMSFlow reads the time.

A simulation moves this clock and everything follows: pumps, quiet hours, caps,
screens. ``SMSFLOW["CLOCK"]`` names the function that tells the time.
"""

from __future__ import annotations

from datetime import UTC, datetime

from smsflow_plugin.conf import smsflow_settings


def now() -> datetime:
    """Return the current time, always aware and in UTC."""
    moment: datetime = smsflow_settings.CLOCK()
    return moment


def system() -> datetime:
    """Return the machine's own time."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that may
