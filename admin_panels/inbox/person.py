"""Who it is that staff talks with: what stands beside a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.inbox.standing import time_of
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.measurement.credit_words import money
from smsflow_plugin.measurement.worth import worth_of
from smsflow_plugin.models import Contact, Enrollment, Event, Flow, Thread

ORDERS, RUNS = 3, 5


def person_of(thread: Thread, user: Any) -> dict[str, Any]:
    """Return what the panel about the person shows. Seven queries."""
    contact = thread.contact
    return {
        "facts": _facts(contact),
        "consent": _consent(contact),
        "orders": [_order(event) for event in _last_orders(contact)],
        "runs": _runs(contact),
        "may_see_contact": may(user, "view", contact) or may(user, "change", contact),
        "may_see_flows": may(user, "change", Flow(store=contact.store)),
    }


def _facts(contact: Contact) -> list[tuple[str, Any]]:
    worth, currency = worth_of(contact), contact.store.currency
    rows = [
        (_("Phone"), contact.phone),
        (_("E-mail"), contact.email),
        (_("Store"), contact.store),
        (_("Language"), contact.language),
        (_("Their time"), "" if contact.erased_at else time_of(contact, clock.now())),
        (_("Orders"), contact.orders_count),
        (_("Spent in all"), money(worth.spent, currency) if worth.spent else ""),
        (_("Average order"), money(worth.average, currency) if worth.average else ""),
        (_("Credited to texts"), money(worth.credited, currency) if worth.credited else ""),
        (_("Texts sent"), worth.sent or ""),
        (_("Clicks"), worth.clicks or ""),
        (_("Tags"), ", ".join(map(str, contact.tags))),
    ]
    return [(label, value) for label, value in rows if value not in ("", None)]


def _consent(contact: Contact) -> list[tuple[str, str, bool]]:
    revoked = contact.service_consent == Contact.Consent.REVOKED
    return [
        (
            _("Marketing texts"),
            str(contact.get_marketing_consent_display()),
            contact.marketing_consent == Contact.Consent.GRANTED,
        ),
        (_("Service texts"), _("Revoked") if revoked else _("Allowed"), not revoked),
    ]


def _last_orders(contact: Contact) -> list[Event]:
    return list(contact.events.filter(kind="order_created").order_by("-occurred_at", "-pk")[:ORDERS])


def _order(event: Event) -> dict[str, Any]:
    held = event.data.get("order") if isinstance(event.data, Mapping) else None
    order: Mapping[str, Any] = held if isinstance(held, Mapping) else {}
    total = f"{order['total']} {order.get('currency') or ''}".strip() if order.get("total") else ""
    return {"name": order.get("name") or _("Order"), "total": total, "at": event.occurred_at}


def _runs(contact: Contact) -> list[Enrollment]:
    waiting = contact.enrollments.filter(status=Enrollment.Status.WAITING).select_related("flow")
    columns = ("flow__name", "flow__store_id", "entered_at", "wake_at", "contact_id", "store_id", "version_id")
    return list(waiting.only(*columns).order_by("-entered_at")[:RUNS])
