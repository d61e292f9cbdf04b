"""Every method of ``client.sms`` of the official SDK, with both kinds of keys, against the running network."""

from __future__ import annotations

import base64
import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sinch import SinchClient
from sinch.domains.sms.api.v1.exceptions import SmsException
from sinch.domains.sms.models.v1.shared import MOMediaMessage, MOTextMessage

from smsflow_plugin import clock
from smsflow_plugin.integrations.simulator.network import NetworkServer
from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from tests.simulator_network.conftest import ADA, BOB, PLAN, PROJECT, SENDER, TOKEN, Listener, official_client

CARL = "+12025550103"
PICTURE = {"url": "https://example.com/cat.jpg", "message": "Hi ${name}", "subject": "Cat"}
BYTES = {"body": base64.b64encode(b"\x06\x05\x04").decode(), "udh": "050003cc0101"}


@pytest.fixture(params=["plan", "project"])
def sms(request: pytest.FixtureRequest, network: NetworkServer, operator: NetworkClient, app: str) -> Any:
    """``client.sms``, once with a service plan's token and once with a project's keys."""
    if request.param == "plan":
        return official_client(network.url, service_plan_id=PLAN, sms_api_token=TOKEN).sms
    return official_client(network.url).sms


def later(**delta: int) -> Any:
    return clock.now() + timedelta(**(delta or {"hours": 1}))


def test_a_text_is_sent_and_shown_as_it_was_given(sms: Any, operator: NetworkClient) -> None:
    parameters = {"name": {ADA: "Ada", "default": "you"}}
    batch = sms.batches.send_sms(
        to=[ADA, BOB], from_=SENDER, body="Hi ${name}", parameters=parameters, client_reference="r", from_ton=1
    )
    assert (batch.to, batch.from_, batch.parameters) == ([ADA[1:], BOB[1:]], SENDER[1:], parameters)
    assert (batch.type, batch.canceled, batch.flash_message, batch.from_ton) == ("mt_text", False, False, 1)
    assert sms.batches.get(batch.id) == batch
    operator.wait_until_quiet()
    assert {text.phone: text.body for text in operator.all_texts()} == {ADA: "Hi Ada", BOB: "Hi you"}
    assert [one.id for one in sms.batches.list(client_reference="r", from_=[SENDER, "12"]).content()] == [batch.id]
    assert sms.batches.list(from_=["12"]).content() == []


def test_pictures_and_bytes_are_sent(sms: Any, operator: NetworkClient, listener: Listener) -> None:
    media = sms.batches.send_mms(
        to=[ADA],
        from_=SENDER,
        body=PICTURE,
        parameters={"name": {"default": "Ada"}},
        delivery_report="full",
        event_destination_target=listener.url,
    )
    binary = sms.batches.send_binary(to=[BOB], from_=SENDER, **BYTES)
    assert (media.type, media.body.url, binary.type, binary.udh) == (
        "mt_media",
        PICTURE["url"],
        "mt_binary",
        BYTES["udh"],
    )
    operator.wait_until_quiet()
    (picture,), (octets,) = operator.texts_on(ADA), operator.texts_on(BOB)
    assert (picture.body, picture.media, picture.channel) == ("Hi Ada", PICTURE["url"], "MMS")
    assert (octets.body, octets.media) == (BYTES["body"], "")
    assert [report["type"] for report in listener.payloads] == ["delivery_report_mms"]
    for bad in ({"body": "no base64!", "udh": "00"}, {"body": BYTES["body"], "udh": "no hex"}):
        with pytest.raises(SmsException):
            sms.batches.send_binary(to=[BOB], from_=SENDER, **bad)


def test_a_dry_run_of_each_kind_sends_nothing(sms: Any, operator: NetworkClient) -> None:
    text = sms.batches.dry_run_sms(to=[ADA, BOB], from_=SENDER, body="ж" * 71, per_recipient=True)
    assert (text.number_of_recipients, text.number_of_messages) == (2, 4)
    assert {one.encoding for one in text.per_recipient} == {"unicode"}
    assert sms.batches.dry_run_mms(to=[ADA], from_=SENDER, body=PICTURE).number_of_messages == 1
    assert sms.batches.dry_run_binary(to=[ADA], from_=SENDER, **BYTES).number_of_messages == 1
    assert operator.all_texts() == []


def test_a_batch_can_be_changed_until_it_sets_off(sms: Any, operator: NetworkClient) -> None:
    batch = sms.batches.send_sms(to=[ADA, BOB], from_=SENDER, body="Hi", send_at=later(), client_reference="r")
    changed = sms.batches.update_sms(
        batch.id, from_="+12025550109", to_add=[CARL], to_remove=[BOB], body="Hello", client_reference="s"
    )
    assert (changed.id, changed.to, changed.from_, changed.body) == (
        batch.id,
        [ADA[1:], CARL[1:]],
        "12025550109",
        "Hello",
    )
    assert (changed.created_at, changed.client_reference, changed.send_at) == (batch.created_at, "s", batch.send_at)
    replaced = sms.batches.replace_sms(batch.id, to=[ADA], from_=SENDER, body="Again", send_at=later(hours=2))
    assert (replaced.id, replaced.to, replaced.body, replaced.client_reference) == (batch.id, [ADA[1:]], "Again", None)
    operator.advance_clock(3700)
    assert operator.wait_until_quiet()["texts"] == {"queued": 1}
    operator.advance_clock(3700)
    operator.wait_until_quiet()
    assert [(text.phone, text.body, text.state) for text in operator.all_texts()] == [(ADA, "Again", "delivered")]
    for late in (
        lambda: sms.batches.update_sms(batch.id, body="Too late"),
        lambda: sms.batches.replace_sms(batch.id, to=[BOB], from_=SENDER, body="Too late"),
    ):
        with pytest.raises(SmsException):
            late()
    assert len(operator.all_texts()) == 1


def test_pictures_and_bytes_can_be_changed_too(sms: Any, operator: NetworkClient) -> None:
    media = sms.batches.send_mms(to=[ADA], from_=SENDER, body=PICTURE, send_at=later())
    new = {"url": "https://example.com/dog.jpg"}
    assert sms.batches.update_mms(media.id, body=new).body.url == new["url"]
    assert sms.batches.replace_mms(media.id, to=[BOB], from_=SENDER, body=PICTURE, send_at=later()).to == [BOB[1:]]
    binary = sms.batches.send_binary(to=[ADA], from_=SENDER, **BYTES, send_at=later())
    assert sms.batches.update_binary(binary.id, udh="00", to_add=[BOB]).to == [ADA[1:], BOB[1:]]
    assert sms.batches.replace_binary(binary.id, to=[BOB], from_=SENDER, **BYTES, send_at=later()).udh == BYTES["udh"]
    with pytest.raises(SmsException):
        sms.batches.update_sms(media.id, body="Not a text")


def test_a_batch_can_be_cancelled_and_then_is_closed(sms: Any, operator: NetworkClient) -> None:
    batch = sms.batches.send_sms(to=[ADA], from_=SENDER, body="Hi", send_at=later())
    assert sms.batches.cancel(batch.id).canceled is True
    with pytest.raises(SmsException):
        sms.batches.update_sms(batch.id, body="Risen")
    operator.advance_clock(7200)
    operator.wait_until_quiet()
    assert [text.state for text in operator.all_texts()] == ["cancelled"]


def test_the_general_methods_and_feedback_work(sms: Any, operator: NetworkClient) -> None:
    text = {"type": "mt_text", "to": [ADA], "from": SENDER, "body": "Hi", "send_at": later()}
    batch = sms.batches.send(text)
    assert sms.batches.dry_run(**text, per_recipient=True).number_of_messages == 1
    assert sms.batches.update(batch.id, type="mt_text", body="Hello").body == "Hello"
    assert sms.batches.replace(batch.id, **{**text, "body": "Again"}).body == "Again"
    assert sms.batches.send_delivery_feedback(batch.id, [ADA]) is None
    with pytest.raises(SmsException):
        sms.batches.send_delivery_feedback("NOPE", [ADA])


def test_a_text_that_may_be_cut_takes_one_part(sms: Any, operator: NetworkClient) -> None:
    sms.batches.send_sms(to=[ADA], from_=SENDER, body="a" * 159 + "€€", truncate_concat=True)
    operator.wait_until_quiet()
    assert [(text.body, text.parts) for text in operator.all_texts()] == [("a" * 159, 1)]


def test_reports_can_be_chosen(sms: Any, operator: NetworkClient) -> None:
    operator.set_behaviour(BOB, "undeliverable")
    batch = sms.batches.send_sms(to=[ADA, BOB], from_=SENDER, body="Hi", client_reference="r")
    other = sms.batches.send_sms(to=[CARL], from_=SENDER, body="Hi")
    operator.wait_until_quiet()
    full = sms.delivery_reports.get(batch.id, report_type="full")
    assert {(one.status, one.code, tuple(one.recipients)) for one in full.statuses} == {
        ("Delivered", 0, (ADA[1:],)),
        ("Failed", 15, (BOB[1:],)),
    }
    failed = sms.delivery_reports.get(batch.id, status=["FAILED"], code=[15, 0])
    assert [(one.status, one.recipients) for one in failed.statuses] == [("Failed", None)]
    assert sms.delivery_reports.get_for_number(batch.id, BOB).status == "Failed"
    listed = sms.delivery_reports.list(page_size=2)
    assert {one.batch_id for one in listed.iterator()} == {batch.id, other.id}
    assert [one.recipient for one in sms.delivery_reports.list(client_reference="r", code=[0]).content()] == [ADA[1:]]
    assert sms.delivery_reports.list(status=["EXPIRED"]).content() == []
    assert sms.delivery_reports.list(end_date=later(days=-1)).content() == []


def test_inbound_texts_and_pictures_can_be_read(sms: Any, operator: NetworkClient, network: NetworkServer) -> None:
    plan = sms.batches._sinch.configuration.service_plan_id or PROJECT
    operator.configure_plan(plan, token=TOKEN)
    text = operator.text_from(ADA, "Hi", to=SENDER, plan=plan)
    operator.text_from(BOB, "Look", to="+12025550109", plan=plan, media="https://example.com/cat.jpg")
    found = list(sms.inbounds.list(page_size=1).iterator())
    assert [type(one) for one in found] == [MOMediaMessage, MOTextMessage]
    assert [one.body for one in sms.inbounds.list(to=[SENDER]).content()] == ["Hi"]
    assert sms.inbounds.get(found[1].id).body == text.body
    assert sms.inbounds.list(end_date=later(days=-1)).content() == []
    with pytest.raises(SmsException):
        sms.inbounds.get("NOPE")


def test_groups_live(sms: Any) -> None:
    child = sms.groups.create(name="Child", members=[CARL])
    group = sms.groups.create(name="Buyers", members=[ADA, ADA], child_groups=[child.id])
    assert (group.name, group.size, group.child_groups) == ("Buyers", 1, [child.id])
    assert [one.id for one in sms.groups.list(page_size=1).iterator()] == [group.id, child.id]
    changed = sms.groups.update(
        group.id, name="Friends", add=[BOB], remove=[ADA, "+12025550199"], add_from_group=child.id
    )
    assert (changed.name, sms.groups.list_members(group.id).content()) == ("Friends", [BOB[1:], CARL[1:]])
    assert sms.groups.update(group.id, name=None, remove_from_group=child.id).name is None
    assert sms.groups.get(group.id).size == 1
    assert sms.groups.replace(group.id, name="New", members=[ADA]).child_groups == []
    assert sms.groups.list_members(group.id).content() == [ADA[1:]]
    assert sms.groups.delete(group.id) is None
    for refused in (
        lambda: sms.groups.get(group.id),
        lambda: sms.groups.create(name="x" * 21),
        lambda: sms.groups.create(members=["+1"]),
        lambda: sms.groups.create(child_groups=[group.id]),
    ):
        with pytest.raises(SmsException):
            refused()


def test_a_group_is_texted_with_those_who_are_in_it_by_then(sms: Any, operator: NetworkClient) -> None:
    child = sms.groups.create(members=[BOB])
    group = sms.groups.create(members=[ADA], child_groups=[child.id])
    batch = sms.batches.send_sms(to=[group.id, ADA], from_=SENDER, body="Hi", send_at=later())
    assert batch.to == [group.id, ADA[1:]]
    sms.groups.update(child.id, name="c", add=[CARL], remove=[BOB])
    operator.advance_clock(3700)
    operator.wait_until_quiet()
    assert sorted(text.phone for text in operator.all_texts()) == [ADA, CARL]
    sms.groups.delete(group.id)
    with pytest.raises(SmsException) as caught:
        sms.batches.send_sms(to=[group.id], from_=SENDER, body="Hi")
    assert caught.value.http_response.body["code"] == "unknown_group"


def test_people_join_and_leave_a_group_by_keyword(sms: Any, operator: NetworkClient) -> None:
    plan = sms.batches._sinch.configuration.service_plan_id or PROJECT
    operator.configure_plan(plan, token=TOKEN)
    words = {"to": SENDER, "add": {"first_word": "JOIN", "second_word": "us"}, "remove": {"first_word": "leave"}}
    group = sms.groups.create(name="Club", auto_update=words)
    for phone, body in ((ADA, "join US please"), (BOB, "Join them"), (CARL, "JOIN us"), (CARL, "Leave now")):
        operator.text_from(phone, body, to=SENDER, plan=plan)
    operator.text_from(BOB, "JOIN us", to="+12025550109", plan=plan)
    assert sms.groups.list_members(group.id).content() == [ADA[1:]]


def test_no_method_of_the_sdk_was_left_out(client: SinchClient) -> None:
    """The tests above name every public method of ``client.sms``."""
    source = Path(__file__).read_text()
    for part in ("batches", "delivery_reports", "inbounds", "groups"):
        members = inspect.getmembers(getattr(client.sms, part), inspect.ismethod)
        methods = [name for name, _ in members if not name.startswith("_")]
        assert methods
        assert [name for name in methods if f"sms.{part}.{name}(" not in source] == []
