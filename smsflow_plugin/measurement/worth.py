"""What a person is worth to a store, and what the texts to them came to. Three queries."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Count, Q, Sum

from smsflow_plugin.attribution.models import Conversion
from smsflow_plugin.attribution.rules import NEVER_PURPOSES
from smsflow_plugin.audience.models import Contact
from smsflow_plugin.links.models import Click
from smsflow_plugin.messaging.models import Message

_SENT = Q(accepted_at__isnull=False)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Worth:
    """Money in the store's currency. ``clicks`` are people's; ``clicked`` are texts of which a link was clicked.

    ``cost`` is None where no text had a price. ``average`` is None without an order.
    """

    orders: int
    spent: Decimal
    credited: Decimal
    credited_orders: int
    sent: int
    clicked: int
    clicks: int
    cost: Decimal | None
    unpriced: int

    @property
    def average(self) -> Decimal | None:
        return (self.spent / self.orders).quantize(_CENT, ROUND_HALF_UP) if self.orders else None


def worth_of(contact: Contact) -> Worth:
    """Return what ``contact`` is worth. Texts of tests do not count, and neither do orders in other currencies."""
    texts = (
        Message.objects.filter(_SENT, contact=contact)
        .exclude(purpose__in=sorted(NEVER_PURPOSES))
        .aggregate(
            sent=Count("pk"),
            clicked=Count("clicked_at"),
            price=Sum("cost"),
            unpriced=Count("pk", filter=Q(cost__isnull=True)),
        )
    )
    ours = Q(currency__in=("", contact.store.currency))
    credited = Conversion.objects.filter(store_id=contact.store_id, contact=contact, cancelled=False).aggregate(
        orders=Count("pk"), revenue=Sum("revenue", filter=ours)
    )
    clicks = Click.objects.filter(store_id=contact.store_id, link__contact=contact, kind=Click.Kind.HUMAN).count()
    return Worth(
        contact.orders_count,
        Decimal(contact.total_spent),
        credited["revenue"] or Decimal(0),
        credited["orders"],
        texts["sent"],
        texts["clicked"],
        clicks,
        texts["price"],
        texts["unpriced"],
    )
