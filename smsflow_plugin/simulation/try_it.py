"""May this flow text this person at that moment? Asks every rule, about real people, and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smsflow_plugin.audience.models import Contact
from smsflow_plugin.engine.facts import Programs, places
from smsflow_plugin.engine.models import Enrollment
from smsflow_plugin.engine.outlook import Outlook, outlook
from smsflow_plugin.engine.people_facts import recipient_of
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.flows.program import Program, Send
from smsflow_plugin.flows.stages import stage_of
from smsflow_plugin.governance.decide import Finding, decide, explain, margin_of
from smsflow_plugin.governance.effective import StoreRules, own_rules
from smsflow_plugin.governance.policy import PolicyRules
from smsflow_plugin.governance.rules import Decision, Intent, MessageClass, Recipient, Stage
from smsflow_plugin.stores.models import Store

#: Stands for a cart that nobody has left, when a flow about carts is tried on somebody without one.
MADE_UP_CART = "made-up"


@dataclass(frozen=True, slots=True)
class Trial:
    """The answer: the decision, and what each rule says on its own at that moment."""

    at: datetime
    intent: Intent
    rules: PolicyRules
    recipient: Recipient
    decision: Decision
    findings: tuple[Finding, ...]

    @property
    def spoke(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.reason]

    @property
    def silent(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.reason]


def try_text(
    intent: Intent, rules: StoreRules, recipient: Recipient, at: datetime, *, own: PolicyRules | None = None
) -> Trial:
    """Ask the rules. Pure: the same arguments give the same answer. ``own``: with the flow's own limits in them."""
    held, margin = own or rules.rules, margin_of(intent.message_class)
    return Trial(
        at,
        intent,
        held,
        recipient,
        decide(intent, held, recipient, at, rules.situation, margin=margin),
        explain(intent, held, recipient, at, rules.situation, margin=margin),
    )


def program_of(flow: Flow) -> Program | None:
    """Return what runs of the flow; of one that never ran, what its draft would be. None if that is no program yet."""
    if flow.current_version_id and (program := Programs.load([flow.current_version_id]).get(flow.current_version_id)):
        return program
    try:
        return compile_flow(flow.get_latest_revision_as_object())
    except CannotCompile:
        return None


def texts_of(program: Program) -> list[Send]:
    """Return the texts that the program may send, in their order."""
    return [instruction for instruction in program.instructions if isinstance(instruction, Send)]


def try_it(
    contact: Contact,
    store: Store,
    flow: Flow,
    program: Program,
    rules: StoreRules,
    at: datetime,
    *,
    text: Send | None = None,
    message_class: str = "",
    suppressed: str = "",
) -> Trial:
    """Ask whether ``flow`` may send ``text`` (any of its texts without one) to ``contact`` at ``at``.

    What the person has got and what other flows plan for them are as they are now. A contact that is not saved has
    neither. At most three queries.
    """
    expected = outlook(contact.pk, rules, without=flow.pk) if contact.pk else Outlook()
    recipient = recipient_of(contact, places(contact, store), now=at, suppressed=suppressed, in_flows=expected.flows)
    rank = rules.rank(flow.pk, program.priority, program.priority_number)
    stage = stage_of(program)
    hold = text.expires_minutes if text else None
    intent = Intent(
        MessageClass(message_class or program.message_class),
        expires_at=at + timedelta(minutes=hold) if hold else None,
        flow=flow.pk,
        priority=program.priority,
        rank=rank,
        stage=stage,
        when_blocked=(text.when_blocked if text else "") or program.when_blocked,
        reached_at=at,
    )
    if stage == Stage.CART:
        cart, left_at = _cart(contact, flow, at)
        intent = replace(intent, cart=cart, cart_at=left_at)
    own = own_rules(rules.rules, flow.pk, program.cap_day, program.cap_week, program.own_gap)
    return try_text(intent, rules, replace(recipient, planned=expected.planned), at, own=own)


def _cart(contact: Contact, flow: Flow, at: datetime) -> tuple[str, datetime]:
    """Return the newest cart that the flow has heard of from the contact, or one that was left at ``at``."""
    runs = Enrollment.objects.filter(contact_id=contact.pk, flow=flow, trigger_event__isnull=False)
    found = runs.order_by("-pk").values_list("trigger_event__subject", "trigger_event__occurred_at").first()
    return found if contact.pk and found and found[0] else (MADE_UP_CART, at)
