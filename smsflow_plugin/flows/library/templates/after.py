"""Templates for after the purchase: T3 reviews, T4 NPS, T7 post-purchase, T11 feedback, T15 loyalty, T20 referral."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library import words as w
from smsflow_plugin.flows.library.copies import read_copy
from smsflow_plugin.flows.library.definitions import FlowTemplate, Setting, Story, When
from smsflow_plugin.flows.library.templates.common import ONE, TWO, link, number, percent, staff

_GOES_WITH = w.say("goes_with", hold_hours=72)

POST_PURCHASE = FlowTemplate(
    key="post_purchase",
    id="T7",
    name=_("After the purchase"),
    description=_(
        "Thanks people for their order, helps them once the parcel has arrived, and two weeks later shows what goes "
        "well with it. Marketing, so only for people who agreed to it."
    ),
    worth=_("Who is looked after once the money is paid comes back, and knows best what goes with what they have."),
    purpose="after",
    icon="circle-check",
    triggers=(w.on("order_created"),),
    goal="order_created",
    exits=("order_cancelled", "opted_out"),
    reentry="after",
    reentry_days=30,
    priority_number=30,
    stage="after",
    needs=("read_orders", "read_fulfillments"),
    settings=(
        link(_("Link to what goes well with most things")),
        Setting(
            "word",
            "word",
            _("A word in the name of some products"),
            help=_("For example “jacket”: who bought one is sent to the link below. May be empty."),
        ),
        link(_("Link to what goes well with those"), "link_category"),
    ),
    copy=read_copy("post_purchase"),
    steps=(
        w.say("thanks", hold_hours=24),
        w.wait_for("parcel_delivered", amount=21, unit="days"),
        w.wait(1, "days"),
        w.say("tip", hold_hours=72),
        w.wait(2, "weeks"),
        w.if_else(
            (w.not_happened("order_created", hours=14 * 24),),
            (
                When(
                    "word",
                    (
                        w.if_else(
                            (w.compare("trigger.order.first_item", "contains", "[[word]]"),),
                            (w.say("category", hold_hours=72),),
                            (_GOES_WITH,),
                        ),
                    ),
                    otherwise=(_GOES_WITH,),
                ),
            ),
        ),
    ),
    story=Story(acts=("event:parcel_delivered",)),
)

REVIEWS = FlowTemplate(
    key="reviews",
    id="T3",
    name=_("Reviews"),
    description=_(
        "Asks some days after delivery whether all is well, and invites everybody to write a review. Who says that "
        "something is not right reaches a person at once."
    ),
    worth=_("People trust other people; and a problem that you hear of first is one that can still be put right."),
    purpose="after",
    icon="pick",
    triggers=(w.on("parcel_delivered"),),
    goal="link_clicked",
    exits=("order_cancelled", "order_refunded", "opted_out"),
    reentry="after",
    reentry_days=60,
    priority_number=50,
    stage="after",
    needs=("read_orders", "read_fulfillments", "replies", "discounts"),
    settings=(
        number("days", _("Days after delivery"), 7, maximum=90),
        link(_("Link to your review page")),
        percent(0),
        staff(),
    ),
    copy=read_copy("reviews"),
    steps=(
        w.wait("[[days]]", "days"),
        w.ask(
            "question",
            w.option(ONE, value="good", tag="happy", reply="good"),
            w.option(
                TWO,
                w.notify("staff_subject", "staff_body"),
                w.hand_over(_("Something is not right with an order")),
                value="bad",
                reply="bad",
            ),
            save_as="review_answer",
            again="again",
            other=(w.leave(_("No clear answer")),),
            amount=3,
            unit="days",
            silence=(w.leave(_("No answer")),),
        ),
        # for everybody who answered: to reward good reviews only is against the rules of review sites
        When(
            "percent",
            (w.wait(1, "days"), w.discount("thanks", "THANKS-", valid_days=30), w.say("thanks")),
        ),
    ),
    story=Story(acts=("1",)),
)

NPS = FlowTemplate(
    key="nps",
    id="T4",
    name=_("NPS"),
    description=_(
        "Asks for a number from 0 to 10. Who gives 9 or 10 is asked for a review, 7 or 8 what is missing, and with "
        "less a person is told at once. The number is kept with the person."
    ),
    worth=_("One number, asked of everybody in the same way, shows whether you get better, and who needs you now."),
    purpose="after",
    icon="order",
    triggers=(w.on("parcel_delivered"),),
    goal="message_received",
    exits=("order_cancelled", "order_refunded", "opted_out"),
    reentry="after",
    reentry_days=90,
    priority_number=55,
    stage="after",
    needs=("read_fulfillments", "replies"),
    settings=(
        number("days", _("Days after delivery"), 14, maximum=180),
        link(_("Link to your review page")),
        staff(),
    ),
    copy=read_copy("nps"),
    steps=(
        w.wait("[[days]]", "days"),
        w.ask_number(
            "question",
            w.span(9, 10, tag="promoter", reply="promoter"),
            w.span(
                7,
                8,
                w.ask_text("passive", save_as="nps_reason", reply="passive_thanks"),
                tag="passive",
            ),
            w.span(
                0,
                6,
                w.notify("staff_subject", "staff_body"),
                w.hand_over(_("Gave a low NPS score")),
                tag="detractor",
                reply="detractor",
            ),
            lowest=0,
            highest=10,
            score_as="nps",
            again="again",
            other=(w.leave(_("No clear answer")),),
            amount=3,
            unit="days",
        ),
    ),
    story=Story(acts=("8", "More colours")),
)

FEEDBACK = FlowTemplate(
    key="feedback",
    id="T11",
    name=_("Customer feedback"),
    description=_(
        "Asks some days after an order or a support case what you could do better. The answer is kept with the person "
        "and sent to you."
    ),
    worth=_("People rarely complain on their own; they leave. A question that a person reads is often answered."),
    purpose="after",
    icon="openquote",
    triggers=(w.on("order_created"), w.on("case_closed")),
    goal="message_received",
    exits=("order_cancelled", "opted_out"),
    reentry="after",
    reentry_days=90,
    priority_number=70,
    stage="after",
    needs=("read_orders", "cases", "replies"),
    settings=(number("days", _("Days after the order or case"), 5, maximum=90), staff()),
    copy=read_copy("feedback"),
    steps=(
        w.wait("[[days]]", "days"),
        w.ask_text(
            "question",
            w.notify("staff_subject", "staff_body"),
            save_as="feedback",
            reply="thanks",
            amount=3,
            unit="days",
        ),
    ),
    story=Story(acts=("A size chart would help",)),
)

_FAITHFUL = w.any_of(
    w.compare("orders_count", "ge", "[[orders]]"),
    w.compare("total_spent", "ge", "[[spent]]"),
)

LOYALTY = FlowTemplate(
    key="loyalty",
    id="T15",
    name=_("Loyalty"),
    description=_(
        "Thanks people once when they have ordered so often, or spent so much, that you count them among your best "
        "customers, and tags them “loyal”."
    ),
    worth=_("Your best customers keep the shop going; being noticed is worth more to them than one more offer."),
    purpose="after",
    icon="crosshairs",
    triggers=(w.on("order_paid"), w.on("order_created")),
    goal="order_created",
    audience=(_FAITHFUL, w.none_of(w.has_tag("loyal"))),
    exits=("order_cancelled", "order_refunded", "opted_out"),
    priority_number=45,
    stage="retention",
    needs=("read_orders", "read_customers", "discounts"),
    settings=(
        number("orders", _("From so many orders"), 5, maximum=1000),
        number("spent", _("Or so much spent, in the store's currency"), 500, maximum=1_000_000),
        percent(),
    ),
    copy=read_copy("loyalty"),
    steps=(
        w.wait(1, "days"),
        When(
            "percent",
            (w.discount("loyal", "LOYAL-", valid_days=60), w.say("reward")),
            otherwise=(w.say("thanks"),),
        ),
        w.tag("loyal"),
    ),
    story=Story(contact={"orders_count": 5, "total_spent": "600.00"}),
)

REFERRAL = FlowTemplate(
    key="referral",
    id="T20",
    name=_("Referral"),
    description=_(
        "Asks people who have just said something good (a 9 or 10, or that all is well with their order) to pass a "
        "link on to a friend. Reminds them once."
    ),
    worth=_("A friend's word counts more than any advertisement, and is given most easily right after a good moment."),
    purpose="after",
    icon="group",
    triggers=(w.on_tag("promoter"), w.on_tag("happy")),
    goal="link_clicked",
    exits=("opted_out",),
    reentry="after",
    reentry_days=180,
    priority_number=65,
    stage="retention",
    needs=("replies",),
    settings=(link(_("Link that people pass on")), number("days", _("Days after the answer"), 2, maximum=30)),
    copy=read_copy("referral"),
    steps=(
        w.wait("[[days]]", "days"),
        w.say("invite"),
        w.wait_for("link_clicked", amount=7, unit="days", since="wait", then=(w.leave(_("Has the link")),)),
        w.say("reminder", hold_hours=72),
    ),
    story=Story(acts=("",)),
)

ALL = (POST_PURCHASE, REVIEWS, NPS, FEEDBACK, LOYALTY, REFERRAL)
