"""All models of the app, gathered for Django. Each room defines its own."""

from smsflow_plugin.audience.models import ConsentRecord, Contact, ContactDate, Identity
from smsflow_plugin.catalogue.models import Interest, Variant
from smsflow_plugin.engine.models import Decision, Effect, Enrollment, Intake
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.flows.models import CopySnippet, Flow, FlowVersion, Segment, SegmentMember, StoreApprovalTask
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.messaging.models import Batch, Message, TestNumber
from smsflow_plugin.signup.models import DisclosureVersion, OptInAttempt, OptInForm, OptInPause
from smsflow_plugin.stores.models import Connection, Heartbeat, Store, StoreLogEntry, StoreMembership

__all__ = [
    "Batch",
    "Connection",
    "ConsentRecord",
    "Contact",
    "ContactDate",
    "CopySnippet",
    "Decision",
    "Delivery",
    "DisclosureVersion",
    "Effect",
    "Enrollment",
    "Event",
    "Flow",
    "FlowVersion",
    "Heartbeat",
    "Identity",
    "Intake",
    "Interest",
    "Message",
    "OptInAttempt",
    "OptInForm",
    "OptInPause",
    "Policy",
    "Segment",
    "SegmentMember",
    "Store",
    "StoreApprovalTask",
    "StoreLogEntry",
    "StoreMembership",
    "TestNumber",
    "Variant",
]
