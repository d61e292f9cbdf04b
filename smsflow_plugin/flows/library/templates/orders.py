"""Templates about an order on its way: T8 order updates, T23 pickup, T10 appointment reminder."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library import words as w
from smsflow_plugin.flows.library.copies import read_copy
from smsflow_plugin.flows.library.definitions import FlowTemplate, Setting, Story
from smsflow_plugin.flows.library.templates.common import AS_NO, AS_YES, A, B, C, number, staff

ORDER_UPDATES = FlowTemplate(
    key="order_updates",
    id="T8",
    name=_("Order confirmation and shipping"),
    description=_(
        "Confirms the order, sends the tracking link when the parcel leaves, and says when it is out for delivery and "
        "delivered. Service texts: nobody is sold anything."
    ),
    worth=_("Most questions to a shop are about where the parcel is; who knows does not have to ask."),
    purpose="orders",
    icon="circle-check",
    triggers=(
        w.on("order_created"),
        # a report that comes late may say that it has arrived: that text is the last trigger's
        w.on("parcel_sent", w.compare("trigger.parcel.status", "ne", "delivered")),
        w.on("parcel_moved", w.compare("trigger.parcel.status", "eq", "out_for_delivery")),
        w.on("parcel_delivered"),
    ),
    goal="parcel_delivered",
    reentry="always",
    message_class="service",
    priority="service",
    priority_number=1,
    stage="order",
    needs=("read_orders", "read_fulfillments"),
    copy=read_copy("order_updates"),
    steps=(
        w.switch(
            w.way(_("Delivered"), (w.compare("trigger.parcel.status", "eq", "delivered"),), w.say("delivered")),
            w.way(
                _("Out for delivery"),
                (w.compare("trigger.parcel.status", "eq", "out_for_delivery"),),
                w.say("out", hold_hours=8),
            ),
            w.way(_("Ordered"), (w.compare("trigger.order.total", "ge", "0"),), w.say("confirmed", hold_hours=12)),
            otherwise=(w.say("sent"),),
        ),
    ),
)

PICKUP = FlowTemplate(
    key="pickup",
    id="T23",
    name=_("Pickup reminder"),
    description=_(
        "Says that an order is ready for pickup, and reminds people who have not come for it yet. Stops when it has "
        "been picked up, cancelled or refunded."
    ),
    worth=_("What is picked up soon neither fills your shelves nor has to be refunded."),
    purpose="orders",
    icon="home",
    triggers=(w.on("pickup_ready"),),
    goal="parcel_delivered",
    goal_leaves=True,
    exits=("parcel_delivered", "order_cancelled", "order_refunded", "opted_out"),
    reentry="subject",
    message_class="service",
    priority="service",
    priority_number=5,
    stage="order",
    needs=("read_orders", "read_fulfillments"),
    settings=(
        number("days", _("Days that you keep the order"), 7, maximum=60),
        number("remind", _("Days until the reminder"), 2, maximum=30),
        Setting(
            "place",
            "word",
            _("Address or opening hours"),
            help=_("Stands at the end of the texts, for example “Main Street 5, 10-18”. May be empty."),
        ),
    ),
    copy=read_copy("pickup"),
    steps=(w.say("ready", hold_hours=24), w.wait("[[remind]]", "days"), w.say("waiting", hold_hours=24)),
)

EVENT_REMINDER = FlowTemplate(
    key="event_reminder",
    id="T10",
    name=_("Appointment reminder"),
    description=_(
        "Reminds people a day and an hour before an appointment, webinar or visit. They confirm with A, say that they "
        "cannot come with B, or reach a person with C. Follows when it is moved, and stops when it is cancelled."
    ),
    worth=_("A forgotten appointment is lost time; one that is called off a day before can be given to somebody else."),
    purpose="orders",
    icon="calendar-alt",
    triggers=(w.on("appointment_booked"), w.on("appointment_moved")),
    goal="goal_reached",
    exits=("appointment_cancelled", "opted_out"),
    reentry="subject",
    message_class="service",
    priority="service",
    priority_number=2,
    stage="order",
    needs=("appointments", "replies"),
    settings=(
        number("first", _("Hours before, first reminder"), 24, maximum=168),
        number("last", _("Minutes before, second reminder"), 60, maximum=1440),
        staff(),
    ),
    copy=read_copy("event_reminder"),
    steps=(
        # said of an earlier time, if it was moved
        w.tag("confirmed", "remove"),
        w.wait_before("appointment", "[[first]]", "hours", if_past="skip_next"),
        w.ask(
            "tomorrow",
            w.option(
                f"{A}, {AS_YES}, confirm",
                w.goal(_("Confirmed")),
                value="A",
                tag="confirmed",
                reply="confirmed",
            ),
            w.option(
                f"{B}, {AS_NO}",
                w.notify("staff_subject", "staff_body"),
                w.leave(_("Cannot come")),
                value="B",
                reply="cannot",
            ),
            w.option(
                C,
                w.notify("staff_subject", "staff_body"),
                w.hand_over(_("Wants to talk about an appointment")),
                value="C",
                reply="person",
            ),
            save_as="appointment_answer",
            again="again",
            # they try to say something, and no list of answers will do
            other=(w.notify("staff_subject", "staff_body"),),
            amount=4,
            unit="hours",
        ),
        w.wait_before("appointment", "[[last]]", "minutes", if_past="leave"),
        w.say("soon", hold_hours=1),
    ),
    story=Story(acts=("A",), data={"appointment": {"place": "Main Street 5"}}),
)

ALL = (ORDER_UPDATES, PICKUP, EVENT_REMINDER)
