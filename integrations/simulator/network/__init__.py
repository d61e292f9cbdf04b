"""A phone network on this machine that speaks Sinch's SMS HTTP API. Plain Python: no Django, no database server.

It is a vendor, not a part of SMSFlow: it has its own memory, its own clock and its
own reading of the API, and it outlives every kill of the site.
"""

from smsflow_plugin.integrations.simulator.network.core import Network
from smsflow_plugin.integrations.simulator.network.server import NetworkServer, running_network, serve

__all__ = ["Network", "NetworkServer", "running_network", "serve"]
