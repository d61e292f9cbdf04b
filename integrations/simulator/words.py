"""Sentences that the simulator's screens share: what is wrong, and what to do about it."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator.network.client import NetworkUnavailable
from smsflow_plugin.integrations.simulator.shop import Answer, SiteUnreachable
from smsflow_plugin.models import Contact


def network_down(error: NetworkUnavailable) -> str:
    return _(
        "The simulated phone network at %(url)s did not do it: %(error)s "
        "Start it with “manage.py smsflow_network”, or start everything with “manage.py smsflow_serve”."
    ) % {"url": smsflow_settings.SIMULATOR_URL, "error": error}


def site_down(error: SiteUnreachable) -> str:
    return _(
        "This site did not answer its own webhook (%(error)s). The setting PUBLIC_URL must be an address at which "
        "this machine reaches the site, and the site must answer two requests at a time."
    ) % {"error": error}


def advice(answer: Answer) -> str:
    """Say what to do about a webhook that was refused."""
    if answer.status == 401:
        return _("it does not believe the signature. Is SMSFLOW[“DEMO”] on, and is the store's secret the shop's?")
    if answer.status == 503:
        return _("it could not store the webhook. Its log says why.")
    return _("it answered %(status)s. Is SMSFLOW[“PUBLIC_URL”] this site?") % {"status": answer.status}


def timeline_url(contact: Contact) -> str:
    """Return the page with the contact's timeline, or "" on a site without the other screens."""
    try:
        return reverse("smsflow_contacts:inspect", args=[contact.pk])
    except NoReverseMatch:
        return ""


def zone_of(contact: Contact) -> ZoneInfo:
    """Return the person's time zone; the store's while it is not known."""
    try:
        return ZoneInfo(contact.timezone or contact.store.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(contact.store.timezone)
