"""The columns of figures that several tables have in common. Rows have ``figures`` and ``currency``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from smsflow_plugin.admin_panels.dashboards.tables import (
    CURRENCY,
    RATED,
    Column,
    counted,
    lasting,
    named,
    paid,
    part_of,
    share,
)
from smsflow_plugin.measurement.figures import Figures
from smsflow_plugin.measurement.targets import Held


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table; ``under`` belongs to the line above it, as a variant does to its step."""

    name: str
    figures: Figures
    currency: str
    url: str = ""
    under: bool = False
    #: Of a flow, the figures that have a target.
    held: tuple[Held, ...] = ()


SENT = Column("sent", gettext_lazy("Sent"), lambda row: counted(row.figures.sent))
DELIVERED = Column(
    "delivered",
    gettext_lazy("Delivered"),
    lambda row: part_of(row.figures.delivered, row.figures.sent - row.figures.pending),
    RATED,
)
CLICKED = Column(
    "clicked", gettext_lazy("Clicked"), lambda row: part_of(row.figures.clicked, row.figures.delivered), RATED
)
ANSWERED = Column(
    "answered", gettext_lazy("Answered"), lambda row: part_of(row.figures.replied, row.figures.delivered), RATED
)
OPTED_OUT = Column(
    "opted_out", gettext_lazy("Opted out"), lambda row: part_of(row.figures.opted_out, row.figures.delivered), RATED
)
ORDERS = Column("orders", gettext_lazy("Orders"), lambda row: part_of(row.figures.orders, row.figures.delivered), RATED)
REVENUE = Column("revenue", gettext_lazy("Revenue"), lambda row: paid(row.figures.revenue, row.currency))
PER_TEXT = Column("per_text", gettext_lazy("Per text"), lambda row: paid(row.figures.revenue_per_text, row.currency))
AVERAGE_ORDER = Column(
    "average_order", gettext_lazy("Average order"), lambda row: paid(row.figures.average_order, row.currency)
)
COST = Column("cost", gettext_lazy("Cost"), lambda row: paid(row.figures.spend, row.currency))
RETURN = Column("return", gettext_lazy("Return on cost"), lambda row: share(row.figures.return_on_spend))
TIME_TO_CLICK = Column(
    "time_to_click", gettext_lazy("Time to click"), lambda row: lasting(row.figures.seconds_to_click)
)

TEXTS = (SENT, REVENUE, PER_TEXT, DELIVERED, CLICKED, ORDERS, ANSWERED, OPTED_OUT)
ALL = (*TEXTS, AVERAGE_ORDER, COST, RETURN, TIME_TO_CLICK)


def with_name(label: Any, columns: Sequence[Column]) -> list[Column]:
    """Return ``columns`` behind one that names the rows; files say the currency, too."""
    name = Column("name", label, lambda row: named(row.name, row.url, under=row.under), number=False, falls=False)
    return [name, *columns, CURRENCY]
