"""The real SDK against the simulated network, over real HTTP."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smsflow_plugin import clock
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


@pytest.fixture
def self_signed_url(tmp_path: Path) -> Iterator[str]:
    """An HTTPS server whose certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = clock.now()
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    pem = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    class Quiet(HTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"https://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def text(**values: Any) -> OutboundText:
    """A text to Ada, with whatever the test is about."""
    defaults = {"reference": "ref-1", "sender": SENDER, "body": "Hello", "recipients": (ADA,)}
    return OutboundText(**{**defaults, **values})
