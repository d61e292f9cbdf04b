"""The real SDK against the simulated network, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.simulator.network import NetworkServer, running_network
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.integrations.sinch.gateway import SinchGateway
from smsflow_plugin.messaging.gateway import OutboundText
from tests.simulator_network.conftest import Listener, listener

__all__ = ["listener"]

PLAN, API_TOKEN = "plan-1", "api-token-that-nobody-may-log"
SENDER, ADA, BOB = "+12025550100", "+12025550101", "+12025550102"


@pytest.fixture
def network(settings: Any, listener: Listener) -> Iterator[NetworkServer]:
    """A network that calls back to the listener, as if that were our site."""
    site = listener.url.removesuffix("/callbacks/")
    settings.SMSFLOW = {**settings.SMSFLOW, "GATEWAY_TIMEOUT": (2, 0.5), "PUBLIC_URL": site}
    with running_network(pace=0.002) as server:
        yield server
    smsflow_settings.reload()


@pytest.fixture
def operator(network: NetworkServer) -> NetworkClient:
    client = NetworkClient(network.url)
    client.configure_plan(PLAN, token=API_TOKEN)
    return client


GatewayMaker = Callable[..., SinchGateway]


@pytest.fixture
def gateway_at() -> GatewayMaker:
    """Makes a gateway for an address."""

    def make(base_url: str, *, api_token: str = API_TOKEN, account: str = PLAN) -> SinchGateway:
        return SinchGateway(
            token="path-token", account=account, secrets={"api_token": api_token}, settings={"base_url": base_url}
        )

    return make


@pytest.fixture
def gateway(network: NetworkServer, operator: NetworkClient, gateway_at: GatewayMaker) -> SinchGateway:
    return gateway_at(network.url)


def text(**values: Any) -> OutboundText:
    """A text to Ada, with whatever the test is about."""
    defaults = {"reference": "ref-1", "sender": SENDER, "body": "Hello", "recipients": (ADA,)}
    return OutboundText(**{**defaults, **values})
