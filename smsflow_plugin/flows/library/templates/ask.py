"""Templates that answer people: T21 autoresponder, T24 customer-care follow-up."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library import words as w
from smsflow_plugin.flows.library.copies import read_copy
from smsflow_plugin.flows.library.definitions import FlowTemplate, Story
from smsflow_plugin.flows.library.templates.common import AS_NO, AS_YES, ONE, TWO, link, number, staff

AUTORESPONDER = FlowTemplate(
    key="autoresponder",
    id="T21",
    name=_("Autoresponder"),
    description=_(
        "Answers people who write to you out of the blue, at most once in 24 hours, and says when a person will. "
        "Answers to other flows' questions, STOP and HELP are not affected."
    ),
    worth=_("Who knows that the text has arrived waits with patience, and does not write again elsewhere."),
    purpose="ask",
    icon="comment",
    triggers=(w.on_any_text(),),
    goal="message_received",
    exits=("opted_out",),
    reentry="after",
    reentry_days=1,
    message_class="service",
    priority="service",
    priority_number=90,
    needs=("replies",),
    settings=(
        number("hours", _("Hours within which you answer"), 24, maximum=168),
        link(_("Link to questions and answers")),
    ),
    copy=read_copy("autoresponder"),
    steps=(w.say("reply", hold_hours=1),),
    story=Story(data={"body": "Do you ship to Norway?"}),
)

CARE_FOLLOWUP = FlowTemplate(
    key="care_followup",
    id="T24",
    name=_("Customer-care follow-up"),
    description=_(
        "Asks some time after a support case was closed whether it is solved. If not, a person takes it up again "
        "at once."
    ),
    worth=_("A case is closed when the customer says so; asking finds those that only looked solved."),
    purpose="ask",
    icon="help",
    triggers=(w.on("case_closed"),),
    goal="message_received",
    exits=("case_opened", "opted_out"),
    reentry="subject",
    message_class="service",
    priority="service",
    priority_number=60,
    stage="after",
    needs=("cases", "replies"),
    settings=(number("hours", _("Hours after the case was closed"), 24, maximum=720), staff()),
    copy=read_copy("care_followup"),
    steps=(
        w.wait("[[hours]]", "hours"),
        w.ask(
            "solved",
            w.option(f"{ONE}, {AS_YES}", value="yes", reply="good"),
            w.option(
                f"{TWO}, {AS_NO}",
                w.notify("staff_subject", "staff_body"),
                w.hand_over(_("A closed case is not solved")),
                value="no",
                reply="open",
            ),
            save_as="case_solved",
            again="again",
            amount=2,
            unit="days",
        ),
    ),
    story=Story(acts=("1",)),
)

ALL = (AUTORESPONDER, CARE_FOLLOWUP)
