"""What the apps around the simulated shop tell: its calendar, its subscriptions, its help desk, its quiz."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smsflow_plugin.integrations.simulator.people import customer_of
from smsflow_plugin.integrations.simulator.shop import Answer
from smsflow_plugin.integrations.simulator.visits import Doing, NotPossible, Visit
from smsflow_plugin.models import Event


def books(visit: Visit) -> list[Answer]:
    """Book an appointment for the afternoon in three days."""
    at = visit.shop.now().astimezone(ZoneInfo(visit.shop.info.timezone)) + timedelta(days=3)
    starts_at = at.replace(hour=14, minute=30, second=0, microsecond=0)
    number = f"{visit.contact.pk}-{int(visit.shop.now().timestamp())}"
    return _tell(visit, "appointment_booked", number, appointment=_appointment(visit, starts_at.isoformat()))


def moves(visit: Visit) -> list[Answer]:
    """Move it by a day."""
    number, data = _open(visit, ("appointment_booked", "appointment_moved"), ("appointment_cancelled",), _(
        "There is no appointment. Press “Books an appointment” first."
    ))  # fmt: skip
    starts_at = parse_moment(data["appointment"]["starts_at"]) + timedelta(days=1)
    return _tell(visit, "appointment_moved", number, appointment=_appointment(visit, starts_at.isoformat()))


def cancels_appointment(visit: Visit) -> list[Answer]:
    number, data = _open(visit, ("appointment_booked", "appointment_moved"), ("appointment_cancelled",), _(
        "There is no appointment. Press “Books an appointment” first."
    ))  # fmt: skip
    return _tell(visit, "appointment_cancelled", number, appointment=data["appointment"])


def cancels_subscription(visit: Visit) -> list[Answer]:
    number = f"{visit.contact.pk}"
    subscription = {
        "id": number,
        "title": _("Something new every month"),
        "reason": None,
        "next_order_at": None,
        "url": f"https://{visit.shop.info.domain}/account/subscription",
    }
    return _tell(visit, "subscription_cancelled", number, subscription=subscription)


def opens_case(visit: Visit) -> list[Answer]:
    number = f"{visit.contact.pk}-{int(visit.shop.now().timestamp())}"
    return _tell(visit, "case_opened", number, case={"id": number, "title": _("Wrong size"), "url": None})


def closes_case(visit: Visit) -> list[Answer]:
    number, data = _open(visit, ("case_opened",), ("case_closed",), _(
        "There is no open case. Press “Asks for help” first."
    ))  # fmt: skip
    return _tell(visit, "case_closed", number, case=data["case"])


def gets_tag(visit: Visit) -> list[Answer]:
    return visit.shop.tags(customer_of(visit.contact), _said(visit, "tag"), added=True)


def loses_tag(visit: Visit) -> list[Answer]:
    return visit.shop.tags(customer_of(visit.contact), _said(visit, "tag"), added=False)


def has_birthday(visit: Visit) -> list[Answer]:
    try:
        date = parse_date(_said(visit, "birthday"))
    except ValueError:  # written like a date, but there is no such day
        date = None
    if date is None:
        raise NotPossible(_("Give the birthday as a date."))
    return visit.shop.reports(customer_of(visit.contact), "person", fields={"birthday": date.isoformat()})


def sets_field(visit: Visit) -> list[Answer]:
    """Set a field of the store's own; an empty value takes it away."""
    value = visit.said.get("value", "").strip() or None
    return visit.shop.reports(customer_of(visit.contact), "person", fields={_said(visit, "field"): value})


def own_event(visit: Visit) -> list[Answer]:
    name = _said(visit, "event")
    return _tell(visit, "custom", "", name=name, data={})


def parse_moment(text: str) -> datetime:
    """Return the moment that an appointment's data holds."""
    moment = parse_datetime(text)
    assert moment is not None
    return moment


def _appointment(visit: Visit, starts_at: str) -> dict[str, Any]:
    return {
        "title": _("Fitting"),
        "starts_at": starts_at,
        "ends_at": None,
        "place": visit.shop.info.name,
        "staff": None,
        "url": f"https://{visit.shop.info.domain}/appointments",
    }


def _tell(visit: Visit, kind: str, subject: str, **data: Any) -> list[Answer]:
    key = f"{kind}:{visit.contact.pk}:{visit.shop.now().timestamp():.3f}"
    return visit.shop.reports(customer_of(visit.contact), kind, key=key, subject=subject, data=data)


def _open(visit: Visit, begin: tuple[str, ...], end: tuple[str, ...], missing: str) -> tuple[str, dict[str, Any]]:
    """Return what is going on by the last events of these kinds.

    :raises NotPossible: if nothing is.
    """
    last = Event.objects.filter(contact=visit.contact, kind__in=(*begin, *end)).order_by("-occurred_at", "-pk").first()
    if last is None or last.kind in end:
        raise NotPossible(missing)
    return last.subject, last.data


def _said(visit: Visit, name: str) -> str:
    value = visit.said.get(name, "").strip()[:60]
    if not value:
        raise NotPossible(_("Fill in the field beside the button first."))
    return value


DOINGS = (
    Doing("books", gettext_lazy("Books an appointment"), "calendar", books, group="appointments"),
    Doing("moves", gettext_lazy("Moves it by a day"), "redirect", moves, group="appointments"),
    Doing("cancels-appointment", gettext_lazy("Cancels it"), "cross", cancels_appointment, group="appointments"),
    Doing(
        "cancels-subscription", gettext_lazy("Cancels the subscription"), "cross", cancels_subscription, group="care"
    ),
    Doing("opens-case", gettext_lazy("Asks for help"), "help", opens_case, group="care"),
    Doing("closes-case", gettext_lazy("The case is closed"), "check", closes_case, group="care"),
    Doing("gets-tag", gettext_lazy("Gets the tag"), "tag", gets_tag, group="person"),
    Doing("loses-tag", gettext_lazy("Loses the tag"), "cross", loses_tag, group="person"),
    Doing("has-birthday", gettext_lazy("Tells the birthday"), "calendar", has_birthday, group="person"),
    Doing("sets-field", gettext_lazy("Sets the field"), "edit", sets_field, group="person"),
    Doing("own-event", gettext_lazy("Reports the event"), "code", own_event, group="person"),
)
