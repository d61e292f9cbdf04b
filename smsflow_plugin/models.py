"""All models of the app, gathered for Django. Each room defines its own."""

from smsflow_plugin.attribution.models import Conversion, Exposure
from smsflow_plugin.audience.models import ConsentRecord, Contact, ContactDate, Identity, LedgerGuard
from smsflow_plugin.audience.suppression import Suppression
from smsflow_plugin.catalogue.models import Interest, Variant
from smsflow_plugin.conversations.models import (
    Autoresponder,
    CannedReply,
    Keyword,
    Thread,
    ThreadNote,
    ThreadVisitor,
)
from smsflow_plugin.engine.models import Effect, Enrollment, Incentive, Intake, OwnerAlarm
from smsflow_plugin.engine.notices import StaffNotice
from smsflow_plugin.events.models import Delivery, Event, ReplyReview
from smsflow_plugin.flows.models import CopySnippet, Flow, FlowVersion, Segment, SegmentMember, StoreApprovalTask
from smsflow_plugin.governance.ledger import Decision, PlaceSet
from smsflow_plugin.governance.models import PanicStop, Policy, PolicyVersion
from smsflow_plugin.governance.trips import BreakerTrip, FlowDay
from smsflow_plugin.governance.unsent import UnsentDay
from smsflow_plugin.landing.models import LandingFolder, LandingPage
from smsflow_plugin.links.models import Click, Link
from smsflow_plugin.measurement.models import ExperimentStanding, FlowStat, ReportReader, StoreStat
from smsflow_plugin.messaging.models import (
    Batch,
    FormerCall,
    InboundPoll,
    Message,
    Pace,
    SpendDay,
    TestNumber,
)
from smsflow_plugin.messaging.senders import Sender
from smsflow_plugin.signup.models import DisclosureVersion, OptInAttempt, OptInForm, OptInPause
from smsflow_plugin.stores.changes import ChangedDay
from smsflow_plugin.stores.models import Connection, Heartbeat, Store, StoreLogEntry, StoreMembership

__all__ = [
    "ChangedDay",
    "Click",
    "Conversion",
    "Exposure",
    "ExperimentStanding",
    "FlowStat",
    "Link",
    "StoreStat",
    "Sender",
    "ThreadVisitor",
    "ThreadNote",
    "Thread",
    "Keyword",
    "CannedReply",
    "Autoresponder",
    "Batch",
    "BreakerTrip",
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
    "FlowDay",
    "FlowVersion",
    "FormerCall",
    "Heartbeat",
    "Identity",
    "InboundPoll",
    "Incentive",
    "Intake",
    "Interest",
    "LandingFolder",
    "LandingPage",
    "LedgerGuard",
    "Message",
    "Pace",
    "OwnerAlarm",
    "PanicStop",
    "PlaceSet",
    "OptInAttempt",
    "OptInForm",
    "OptInPause",
    "Policy",
    "PolicyVersion",
    "ReplyReview",
    "ReportReader",
    "Segment",
    "StaffNotice",
    "SegmentMember",
    "SpendDay",
    "Store",
    "StoreApprovalTask",
    "StoreLogEntry",
    "StoreMembership",
    "Suppression",
    "TestNumber",
    "UnsentDay",
    "Variant",
]
