"""All models of the app, gathered for Django. Each room defines its own."""

from smsflow_plugin.audience.models import ConsentRecord, Contact, Identity
from smsflow_plugin.engine.models import Decision, Enrollment
from smsflow_plugin.events.models import Delivery, Event
from smsflow_plugin.flows.models import Flow, FlowVersion
from smsflow_plugin.governance.models import Policy
from smsflow_plugin.messaging.models import Batch, Message
from smsflow_plugin.stores.models import Connection, Heartbeat, Store, StoreLogEntry, StoreMembership

__all__ = [
    "Batch",
    "Connection",
    "ConsentRecord",
    "Contact",
    "Decision",
    "Delivery",
    "Enrollment",
    "Event",
    "Flow",
    "FlowVersion",
    "Heartbeat",
    "Identity",
    "Message",
    "Policy",
    "Store",
    "StoreLogEntry",
    "StoreMembership",
]
