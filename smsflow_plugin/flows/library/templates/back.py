"""Templates that bring people back: T9 win-back, T12 birthday, T18 replenishment, T19 subscription save."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library import words as w
from smsflow_plugin.flows.library.copies import read_copy
from smsflow_plugin.flows.library.definitions import FlowTemplate, Part, Story, When
from smsflow_plugin.flows.library.templates.common import A, B, C, link, number, percent, staff

WIN_BACK = FlowTemplate(
    key="win_back",
    id="T9",
    name=_("Win-back"),
    description=_(
        "Writes to customers who have not ordered for a while: what is new, a week later an offer, and then no more. "
        "Who still does not come is tagged “sunset”, so that other flows can leave them alone."
    ),
    worth=_("Somebody who bought once is easier to win than a stranger; and silence after two tries is an answer."),
    purpose="back",
    icon="history",
    triggers=(w.on_lapse("[[days]]"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.compare("orders_count", "ge", "1"), w.none_of(w.has_tag("sunset"))),
    exits=("order_created", "opted_out"),
    reentry="after",
    reentry_days=180,
    priority="promo",
    priority_number=30,
    stage="win_back",
    needs=("read_orders", "discounts"),
    settings=(number("days", _("Days without an order"), 90, maximum=1000), link(_("Link to what's new")), percent(15)),
    copy=read_copy("win_back"),
    steps=(
        w.say("miss", hold_hours=72),
        w.wait(7, "days"),
        When(
            "percent",
            (w.discount("back", "BACK-"), w.say("offer", hold_hours=72)),
            otherwise=(w.say("last", hold_hours=72),),
        ),
        w.wait(14, "days"),
        w.tag("sunset"),
    ),
    story=Story(contact={"orders_count": 3}),
)


def _occasion(field: str) -> tuple[Part, ...]:
    return (w.compare("trigger.field", "eq", field),)


BIRTHDAY = FlowTemplate(
    key="birthday",
    id="T12",
    name=_("Birthday and anniversary"),
    description=_(
        "Writes on the birthday, on the day somebody signed up, and on the day of their first order, every year. Who "
        "was born on 29 February gets it on the 28th in other years."
    ),
    worth=_("It is the one text of the year that is about nothing but the person who gets it."),
    purpose="back",
    icon="date",
    triggers=(w.on_date("birthday"), w.on_date("signed_up"), w.on_date("first_order")),
    goal="order_created",
    goal_leaves=True,
    exits=("opted_out",),
    reentry="after",
    reentry_days=30,
    priority_number=35,
    stage="retention",
    needs=("birthdays", "read_customers", "discounts"),
    settings=(percent(), link(_("Link to the shop or a gift page"))),
    copy=read_copy("birthday"),
    steps=(
        w.switch(
            w.way(_("Signed up"), _occasion("signed_up"), w.say("with_us", hold_hours=24)),
            w.way(_("First order"), _occasion("first_order"), w.say("first_order", hold_hours=24)),
            otherwise=(
                When(
                    "percent",
                    (w.discount("birthday", "BDAY-", valid_days=30), w.say("birthday_code", hold_hours=12)),
                    otherwise=(w.say("birthday", hold_hours=12),),
                ),
            ),
        ),
    ),
    story=Story(data={"field": "birthday"}),
)

REPLENISHMENT = FlowTemplate(
    key="replenishment",
    id="T18",
    name=_("Replenishment"),
    description=_(
        "Reminds people to order again shortly before what they have is used up, worked out from their own orders. Who "
        "clicks but does not order gets a text with advice instead of a discount."
    ),
    worth=_("A reminder at the right time is a service; the same text at any other time is advertising."),
    purpose="back",
    icon="rotate",
    triggers=(w.on_replenishment("[[early]]", "[[interval]]"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.compare("orders_count", "ge", "1"),),
    exits=("order_created", "opted_out"),
    reentry="after",
    reentry_days=14,
    priority_number=25,
    stage="retention",
    needs=("read_orders",),
    settings=(
        number("interval", _("Days between orders, if not known of the person"), 30, maximum=720),
        number("early", _("Days before"), 3, maximum=60),
        link(_("Link to advice about the product")),
    ),
    copy=read_copy("replenishment"),
    steps=(
        w.say("due", hold_hours=48),
        w.wait_for(
            "link_clicked",
            amount=3,
            unit="days",
            since="wait",
            then=(w.wait(1, "days"), w.say("tips", hold_hours=48)),
        ),
    ),
    story=Story(acts=("event:link_clicked",), contact={"orders_count": 3}),
)

_PERSON = (w.notify("staff_subject", "staff_body"), w.hand_over(_("Cancelled a subscription")))

SUBSCRIPTION_SAVE = FlowTemplate(
    key="subscription_save",
    id="T19",
    name=_("Subscription save"),
    description=_(
        "Asks people who cancel a subscription why. Too expensive gets an offer, too much gets a link to pause or take "
        "less, and anything else a person."
    ),
    worth=_("Some leave for a reason that a break or a word would have solved; and the others tell you why."),
    purpose="back",
    icon="lock-open",
    triggers=(w.on("subscription_cancelled"),),
    goal="order_created",
    goal_leaves=True,
    exits=("order_created", "opted_out"),
    reentry="subject",
    priority_number=15,
    stage="retention",
    needs=("subscriptions", "discounts", "replies"),
    settings=(link(_("Link to managing the subscription")), percent(15), staff()),
    copy=read_copy("subscription_save"),
    steps=(
        w.ask(
            "why",
            w.option(
                A,
                When(
                    "percent",
                    (w.discount("stay", "STAY-", valid_days=30), w.say("offer")),
                    otherwise=(w.say("pause"),),
                ),
                value="price",
                tag="cancelled: price",
            ),
            w.option(B, value="amount", tag="cancelled: amount", reply="pause"),
            w.option(C, *_PERSON, value="other", tag="cancelled: other", reply="person"),
            save_as="cancel_reason",
            again="again",
            other=_PERSON,
            amount=2,
            unit="days",
        ),
    ),
    story=Story(acts=("B",)),
)

ALL = (WIN_BACK, REPLENISHMENT, SUBSCRIPTION_SAVE, BIRTHDAY)
