"""Templates that win subscribers: T1 welcome, T5 lead nurture, T25 double opt-in, T26 lead capture by keyword."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library import words as w
from smsflow_plugin.flows.library.copies import read_copy
from smsflow_plugin.flows.library.definitions import FlowTemplate, Part, Setting, Story, When
from smsflow_plugin.flows.library.templates.common import ONE, TWO, YES, link, percent, staff

WELCOME = FlowTemplate(
    key="welcome",
    id="T1",
    name=_("Welcome"),
    description=_(
        "Greets people the moment they agree to texts, says what they can expect, and asks what they want to see. "
        "Who has not bought anything a day later is shown what others chose, with a reason to start."
    ),
    worth=_("Nobody thinks of your shop as much as somebody who has just signed up, so these texts are read."),
    purpose="grow",
    icon="comment",
    triggers=(w.on("opted_in"),),
    goal="order_created",
    goal_leaves=True,
    exits=("order_created", "opted_out"),
    priority_number=20,
    stage="welcome",
    needs=("read_customers", "read_orders", "discounts", "replies"),
    settings=(link(_("Link to what's new"), "link_new"), link(_("Link to the bestsellers"), "link_best"), percent()),
    copy=read_copy("welcome"),
    steps=(
        w.ask(
            "hello",
            w.option(ONE, w.wait(24, "hours"), value="new", reply="new"),
            w.option(TWO, w.wait(24, "hours"), value="bestsellers", reply="best"),
            save_as="interest",
            again="again",
            amount=24,
        ),
        w.if_else(
            (w.not_happened("order_created"),),
            (
                When(
                    "percent",
                    (w.discount("welcome", "HELLO-"), w.say("offer")),
                    otherwise=(w.say("proof"),),
                ),
            ),
        ),
    ),
    story=Story(acts=("1",)),
)

_TALK: tuple[Part, ...] = (
    w.notify("staff_subject", "staff_body"),
    w.hand_over(_("A lead has answered")),
    w.leave(_("Talks to a person")),
)

LEAD_NURTURE = FlowTemplate(
    key="lead_nurture",
    id="T5",
    name=_("Lead nurture"),
    description=_(
        "Helps people who are not ready to buy yet: a guide, answers to what others ask, then an offer to talk. "
        "Any reply stops the series and brings a person into it."
    ),
    worth=_("Things that need thought are not bought at once; who helps along the way is asked first."),
    purpose="grow",
    icon="help",
    triggers=(w.on_tag("lead"),),
    goal="order_created",
    goal_leaves=True,
    audience=(w.compare("marketing_consent", "eq", "granted"),),
    exits=("order_created", "opted_out"),
    reentry="after",
    reentry_days=180,
    priority_number=60,
    stage="welcome",
    needs=("read_customers", "read_orders", "replies"),
    settings=(
        link(_("Link to your guide or questions and answers"), "link_guide"),
        link(_("Link for booking a meeting"), "link_meeting"),
        staff(),
    ),
    copy=read_copy("lead_nurture"),
    steps=(
        w.say("guide"),
        w.wait_for_reply(2, "days", replied=_TALK),
        w.say("questions", hold_hours=72),
        w.wait_for_reply(3, "days", replied=_TALK),
        w.ask(
            "meeting",
            w.option(YES, *_TALK, value="yes", tag="interested", reply="on_it"),
            save_as="meeting",
            other=_TALK,
            amount=3,
            unit="days",
        ),
    ),
    story=Story(acts=("", "", "YES")),
)

DOUBLE_OPT_IN = FlowTemplate(
    key="double_opt_in",
    id="T25",
    name=_("Double opt-in"),
    description=_(
        "Asks people who gave their number to confirm by text, and records their answer as consent. "
        "Who does not answer gets nothing more."
    ),
    worth=_("The answer proves that the number is theirs and that they want your texts, which some countries ask for."),
    purpose="grow",
    icon="check",
    triggers=(w.on("opt_in_requested"),),
    goal="opted_in",
    exits=("opted_in", "opted_out"),
    reentry="after",
    reentry_days=1,
    message_class="optin",
    priority="service",
    priority_number=10,
    stage="welcome",
    needs=("read_customers", "replies"),
    copy=read_copy("double_opt_in"),
    steps=(
        w.ask(
            "confirm",
            w.option(YES, w.agree(), value="yes", reply="done"),
            again="again",
            amount=2,
            unit="days",
        ),
    ),
    story=Story(acts=("YES",)),
)

KEYWORD_LEAD = FlowTemplate(
    key="keyword_lead",
    id="T26",
    name=_("Lead capture by keyword"),
    description=_(
        "For posters, packages and shop windows: people text a word, confirm that they want your texts, and say what "
        "they are looking for. You get a message with their answer."
    ),
    worth=_("A word to text is the quickest way from something printed to a subscriber who has said what they want."),
    purpose="grow",
    icon="tag",
    triggers=(w.on_keyword("[[keyword]]"),),
    goal="opted_in",
    exits=("opted_out",),
    reentry="after",
    reentry_days=1,
    message_class="service",
    priority="service",
    priority_number=20,
    stage="welcome",
    needs=("replies",),
    settings=(
        Setting(
            "keyword",
            "keyword",
            _("Word that people text"),
            help=_("One word, for example VIP. STOP, HELP, START and JOIN have a meaning of their own already."),
            default="VIP",
        ),
        staff(),
    ),
    copy=read_copy("keyword_lead"),
    steps=(
        w.ask(
            "confirm",
            w.option(YES, w.agree(), w.tag("lead"), value="yes"),
            again="again",
            other=(w.leave(_("Not confirmed")),),
            amount=2,
            unit="days",
            silence=(w.leave(_("Not confirmed")),),
        ),
        w.ask_text(
            "interest",
            w.notify("staff_subject", "staff_body"),
            save_as="lead_interest",
            reply="thanks",
        ),
    ),
    story=Story(acts=("YES", "A warm jacket"), data={"body": "VIP"}),
)

ALL = (WELCOME, DOUBLE_OPT_IN, KEYWORD_LEAD, LEAD_NURTURE)
