"""There and back over real HTTP: gateway, network, callbacks, translator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.events.facts import Inbound, RawDelivery, Report, StoreInfo
from smsflow_plugin.integrations.simulator.network import running_network
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from smsflow_plugin.integrations.sinch.gateway import SinchGateway
from smsflow_plugin.integrations.sinch.translate import translate
from smsflow_plugin.messaging.gateway import Accepted
from smsflow_plugin.models import Connection, Delivery
from tests.factories import SINCH_SECRET, make_store
from tests.sinch.conftest import ADA, SENDER, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(live_server: Any, settings: Any) -> Iterator[tuple[Connection, NetworkClient]]:
    """A store whose Sinch is the simulated network, which calls back to the live site with signed calls."""
    settings.SMSFLOW = {**settings.SMSFLOW, "PUBLIC_URL": live_server.url}
    connection = Connection.objects.get(store=make_store(), kind="sinch")
    with running_network(pace=0.01) as server:
        connection.settings = {"base_url": server.url}
        connection.save()
        operator = NetworkClient(server.url)
        operator.configure_plan(
            connection.account,
            token="token",
            callback_url=f"{live_server.url}/smsflow/sinch/{connection.token}/callbacks/",
            callback_secret=SINCH_SECRET,
        )
        yield connection, operator
    smsflow_settings.reload()


def facts_of(delivery: Delivery) -> tuple[Any, ...]:
    raw = RawDelivery(
        delivery.source,
        delivery.topic,
        delivery.external_id,
        delivery.headers,
        bytes(delivery.body),
        delivery.received_at,
    )
    return translate(raw, StoreInfo("US", "America/New_York", "en", "USD")).facts


def test_a_text_goes_out_and_its_report_and_a_stop_come_back(live: tuple[Connection, NetworkClient]) -> None:
    connection, operator = live
    gateway = SinchGateway(
        token=connection.token,
        account=connection.account,
        secrets=connection.secrets,
        settings=connection.settings,
    )
    outcome = gateway.send(text())
    assert isinstance(outcome, Accepted)
    assert operator.wait_until_quiet()["callbacks"] == {"done": 1}
    operator.add_fault("duplicate")
    operator.text_from(ADA, "STOP")
    assert operator.wait_until_quiet()["callbacks"] == {"done": 3}

    delivered, stop = Delivery.objects.order_by("pk")
    (report,) = facts_of(delivered)
    assert isinstance(report, Report)
    assert (report.to, report.status, report.reference, report.provider_id) == (
        ADA,
        "delivered",
        "ref-1",
        outcome.provider_id,
    )
    (inbound,) = facts_of(stop)
    assert isinstance(inbound, Inbound)
    assert (inbound.sender, inbound.to, inbound.body) == (ADA, SENDER, "STOP")


def test_a_secret_that_is_not_ours_is_an_alarm_and_not_repeated(live: tuple[Connection, NetworkClient]) -> None:
    connection, operator = live
    connection.secrets = {**connection.secrets, "callback_secret": "changed on our side"}
    connection.save()
    operator.text_from(ADA, "STOP", to=SENDER)
    assert operator.wait_until_quiet()["callbacks"] == {"refused": 1}
    assert not Delivery.objects.exists()
