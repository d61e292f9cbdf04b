"""Templates that win the sale: T2 abandoned cart, T6 back in stock, T16 price drop, T17 browse abandonment."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library import words as w
from smsflow_plugin.flows.library.copies import read_copy
from smsflow_plugin.flows.library.definitions import FlowTemplate, Outside, Story, When
from smsflow_plugin.flows.library.templates.common import number, percent

#: Carriers in the US allow one reminder for a cart, within 48 hours.
ONE_CART_REMINDER = frozenset({"US"})

_HIGH_INTENT = (
    # contacts whose country is unknown count as not in the US: the store is not there either
    w.compare("country", "ne", "US"),
    w.not_happened("link_clicked"),
    w.any_of(w.compare("orders_count", "ge", "1"), w.happened("product_viewed", hours=7 * 24)),
)

ABANDONED_CART = FlowTemplate(
    key="abandoned_cart",
    id="T2",
    name=_("Abandoned cart"),
    description=_(
        "Reminds people of a checkout that they left an hour ago, with a link straight back to it. Outside the US, "
        "people who have bought or looked around before and did not click get one more text a day later. "
        "Stops as soon as they order, on any device."
    ),
    worth=_("Who fills a cart wants something; most carts are left for a reason that a link back takes away."),
    purpose="sell",
    icon="resubmit",
    triggers=(w.on("checkout_updated"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.not_happened("order_created", hours=24),),
    exits=("order_created", "opted_out"),
    reentry="after",
    reentry_days=7,
    restart=True,
    priority_number=10,
    stage="cart",
    needs=("read_checkouts", "read_orders", "discounts"),
    settings=(number("minutes", _("Minutes until the reminder"), 60, maximum=1440), percent()),
    copy=read_copy("abandoned_cart"),
    steps=(
        w.wait_for("order_created", amount="[[minutes]]", unit="minutes"),
        # put off for 23 hours at most, so that even after a day's wait it is within 48 hours of the cart
        w.say("reminder", hold_hours=23),
        Outside(
            ONE_CART_REMINDER,
            (
                w.wait_for("order_created", amount=23, unit="hours"),
                w.if_else(
                    _HIGH_INTENT,
                    (
                        When(
                            "percent",
                            (w.discount("cart", "CART-", valid_days=3), w.say("offer", hold_hours=24)),
                            otherwise=(w.say("nudge", hold_hours=24),),
                        ),
                    ),
                ),
            ),
        ),
    ),
    story=Story(acts=("", ""), contact={"orders_count": 2}),
)

BACK_IN_STOCK = FlowTemplate(
    key="back_in_stock",
    id="T6",
    name=_("Back in stock"),
    description=_(
        "Tells people on the waitlist that what they wait for is back, a few people for each piece in stock, those who "
        "waited longest first. Asks again a day later, and only while there is some left."
    ),
    worth=_("These people have already decided; they only need to know, and to know before it is gone again."),
    purpose="sell",
    icon="download",
    triggers=(w.on("back_in_stock"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.compare("trigger.product.available", "ge", "1"),),
    leave_unmatched=True,
    exits=("order_created", "opted_out"),
    reentry="subject",
    priority_number=5,
    stage="browse",
    needs=("read_products", "inventory", "read_orders"),
    settings=(number("hours", _("Hours until the second text"), 24, maximum=168),),
    copy=read_copy("back_in_stock"),
    steps=(
        w.say("back", hold_hours=24),
        w.wait_for("order_created", "link_clicked", amount="[[hours]]", unit="hours", then=(w.wait(1, "days"),)),
        # asked again: it may have sold out in the meantime
        w.if_else((w.compare("trigger.product.available", "ge", "1"),), (w.say("still", hold_hours=12),)),
    ),
    story=Story(acts=("",), data={"product": {"available": 3}}),
)

PRICE_DROP = FlowTemplate(
    key="price_drop",
    id="T16",
    name=_("Price drop"),
    description=_(
        "Tells people that something they looked at or wait for costs less now, if the price fell enough to matter."
    ),
    worth=_("The price may be all that kept them from buying, and this text is about the very thing they wanted."),
    purpose="sell",
    icon="arrow-down",
    triggers=(w.on("price_dropped", w.compare("trigger.product.drop_percent", "ge", "[[least]]")),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.not_happened("order_created", hours=48),),
    exits=("order_created", "opted_out"),
    reentry="after",
    reentry_days=7,
    priority_number=40,
    stage="browse",
    needs=("read_products", "views", "read_orders"),
    settings=(number("least", _("Least drop in percent"), 10, maximum=90),),
    copy=read_copy("price_drop"),
    steps=(w.say("drop", hold_hours=24),),
    story=Story(data={"product": {"old_price": "159.00", "drop_percent": 19}}),
)

BROWSE_ABANDONMENT = FlowTemplate(
    key="browse_abandonment",
    id="T17",
    name=_("Browse abandonment"),
    description=_(
        "Reminds people of a product that they looked at but neither put in the cart nor bought. One text, at most "
        "every other week."
    ),
    worth=_("Looking is the first step; a gentle reminder helps those who were interrupted, and costs one text."),
    purpose="sell",
    icon="view",
    triggers=(w.on("product_viewed"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.not_happened("order_created", hours=48),),
    exits=("order_created", "cart_updated", "checkout_updated", "opted_out"),
    reentry="after",
    reentry_days=14,
    priority="promo",
    priority_number=60,
    stage="browse",
    needs=("views", "read_orders", "read_checkouts"),
    settings=(number("hours", _("Hours after the visit"), 4, maximum=72),),
    copy=read_copy("browse_abandonment"),
    steps=(w.wait("[[hours]]", "hours"), w.say("look", hold_hours=24)),
)

ALL = (ABANDONED_CART, BACK_IN_STOCK, PRICE_DROP, BROWSE_ABANDONMENT)
