"""Templates for news: T13 flash sale, T14 VIP early access, T22 send a message."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library import words as w
from smsflow_plugin.flows.library.copies import read_copy
from smsflow_plugin.flows.library.definitions import FlowTemplate, Setting, When
from smsflow_plugin.flows.library.templates.common import link, number

_AT = Setting("at", "moment", _("When it starts"), help=_("In the time zone of the store."))
_SEGMENT = Setting(
    "segment", "segment", _("For whom"), help=_("Empty means everybody in the store who agreed to marketing texts.")
)
_TO_SEGMENT = When("segment", (w.in_segment("[[segment]]"),))

FLASH_SALE = FlowTemplate(
    key="flash_sale",
    id="T13",
    name=_("Flash sale"),
    description=_(
        "Announces a short sale to a segment at a set time, reminds at half-time who has not clicked, and once more "
        "shortly before the end who has not ordered. No text goes out after the end; pause the flow if you sell out."
    ),
    worth=_("A short time and a limited stock are a reason to decide now, as long as both are true."),
    purpose="news",
    icon="time",
    triggers=(w.on_schedule("[[at]]"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.compare("marketing_consent", "eq", "granted"), _TO_SEGMENT),
    exits=("order_created", "opted_out"),
    priority="promo",
    priority_number=10,
    stage="news",
    needs=("read_orders",),
    settings=(
        _AT,
        Setting(
            "hours",
            "number",
            _("How many hours it lasts"),
            default=24,
            minimum=8,
            maximum=168,
        ),
        Setting("percent", "number", _("Discount in percent"), default=20, maximum=90),
        _SEGMENT,
    ),
    copy=read_copy("flash_sale"),
    steps=(
        w.say("start", hold_hours="[[hours/4]]"),
        w.wait_after_plan("[[hours/2]]", "hours", if_past="skip_next"),
        w.if_else((w.not_happened("link_clicked"),), (w.say("half", hold_hours="[[hours/8]]"),)),
        # three hours before the end, so that even a text that waits for the morning is in time
        w.wait_after_plan("[[hours-last]]", "hours", if_past="leave"),
        w.say("last", hold_hours=3),
    ),
)

VIP_EARLY = FlowTemplate(
    key="vip_early",
    id="T14",
    name=_("VIP early access"),
    description=_(
        "Lets people with a tag in some hours before everybody else, at a set time. The others get their text when the "
        "doors open for all."
    ),
    worth=_("Being first costs you nothing, and is what people who like you most value most."),
    purpose="news",
    icon="key",
    triggers=(w.on_schedule("[[at]]"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.compare("marketing_consent", "eq", "granted"),),
    exits=("order_created", "opted_out"),
    priority="promo",
    priority_number=20,
    stage="news",
    needs=("read_customers", "read_orders"),
    settings=(
        _AT,
        number("hours", _("Hours before the others"), 24, maximum=168),
        Setting("tag", "word", _("Tag of the people who are first"), default="vip"),
        link(_("Link to the collection")),
    ),
    copy=read_copy("vip_early"),
    steps=(
        w.if_else(
            (w.has_tag("[[tag]]"),),
            (w.say("vip", hold_hours="[[hours/2]]"),),
            (w.wait("[[hours]]", "hours"), w.say("all", hold_hours=24)),
        ),
    ),
)

SEND_MESSAGE = FlowTemplate(
    key="send_message",
    id="T22",
    name=_("Send a message"),
    description=_("One text to the people that you choose, when you let them in. A good place to start your own flow."),
    worth=_("Sometimes one text is all that is needed; who gets it, and when, stays in your hands."),
    purpose="news",
    icon="mail",
    triggers=(w.by_hand(),),
    goal="order_created",
    goal_leaves=True,
    exits=("opted_out",),
    reentry="always",
    priority="promo",
    priority_number=50,
    stage="news",
    settings=(link(_("Link in the text")),),
    copy=read_copy("send_message"),
    steps=(w.say("message", hold_hours=48),),
)

ALL = (FLASH_SALE, VIP_EARLY, SEND_MESSAGE)
