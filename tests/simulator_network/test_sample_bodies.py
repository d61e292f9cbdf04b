"""The request bodies of Sinch's own samples are taken, where they are on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from smsflow_plugin.integrations.simulator.network.client import NetworkClient
from tests.simulator_network.conftest import ADA, SinchApi

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "sinch" / "sms_bodies"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="Sinch's sample bodies are not on this machine.")
#: Shortly before the times that the samples name.
THEN = datetime(2019, 8, 24, 14, 15, tzinfo=UTC)
BATCHES = ("Text", "Binary", "Media")


def sample(name: str) -> Any:
    """A sample, with values in the place of those that are no more than words for a value."""
    data = (SAMPLES / name).read_text().replace("an identifier", "an_identifier")
    body = json.loads(data.replace('"foo udh"', '"050003cc0101"').replace('"foo"', '"+12025550104"'))
    if body.get("type") == "mt_binary":
        body["body"] = "AAEC"
    body.pop("child_groups", None)
    for words in (body.get("auto_update") or {}).values():
        if isinstance(words, dict):
            words.update({place: word[:15] for place, word in words.items()})
    body.pop("add_from_group", None)
    body.pop("remove_from_group", None)
    return body


@pytest.fixture
def api(sinch: SinchApi, operator: NetworkClient) -> Iterator[SinchApi]:
    operator.set_clock(THEN)
    yield sinch


def ask(api: SinchApi, method: str, path: str, data: Any) -> requests.Response:
    return api.session.request(method, f"{api.url}/{path}", json=data, timeout=10)


def test_sample_batches_are_taken_changed_and_shown_as_they_were_sent(api: SinchApi) -> None:
    for kind in BATCHES:
        for name in (f"v1__batches__request__{kind}RequestDto.json", f"v1__{kind}RequestDto.json"):
            if not (SAMPLES / name).exists():
                continue
            body = sample(name)
            answer = ask(api, "POST", "batches", body)
            assert answer.status_code == 201, (name, answer.text)
            shown = answer.json()
            assert {key: shown[key] for key in ("body", "type", "delivery_report")} == {
                key: body[key] for key in ("body", "type", "delivery_report")
            }
            batch = shown["id"]
            for change in (
                f"v1__batches__request__Update{kind}RequestDto.json",
                f"v1__UpdateSMS{kind}RequestDto.json",
            ):
                changes = {**sample(change), "to_remove": []}
                answer = ask(api, "POST", f"batches/{batch}", changes)
                assert answer.status_code == 200, (change, answer.text)
            assert ask(api, "PUT", f"batches/{batch}", body).status_code == 200, name
            assert ask(api, "POST", "batches/dry_run", body).status_code == 200, name


def test_sample_groups_are_taken(api: SinchApi) -> None:
    for name in ("v1__groups__request__GroupRequestDto.json", "v1__CreateGroupRequestDto.json"):
        answer = ask(api, "POST", "groups", sample(name))
        assert answer.status_code == 201, (name, answer.text)
    group = answer.json()["id"]
    change = sample("v1__groups__request__GroupUpdateRequestDto.json")
    assert ask(api, "POST", f"groups/{group}", change).status_code == 200
    assert ask(api, "PUT", f"groups/{group}", sample("v1__ReplaceGroupRequestDto.json")).status_code == 200


def test_sample_feedback_is_taken(api: SinchApi) -> None:
    batch = api.send(to=[ADA]).json()["id"]
    body = sample("v1__batches__request__SendDeliveryFeedbackRequestDto.json")
    assert ask(api, "POST", f"batches/{batch}/delivery_feedback", body).status_code == 202
