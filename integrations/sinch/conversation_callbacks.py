"""What the Conversation API calls. Taken as the SMS API's callbacks are, see ``callbacks``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from smsflow_plugin.events.inbox import fingerprint
from smsflow_plugin.integrations.sinch.callbacks import Source, plain, read, take
from smsflow_plugin.integrations.sinch.conversation_translate import trigger_of
from smsflow_plugin.integrations.sinch.values import mapping
from smsflow_plugin.models import Connection


def identify(body: bytes) -> tuple[str, str]:
    """Return the topic of a callback, and the id by which it is known again.

    A text has an id of its own. Of a text that we sent every state on every channel comes once: the times in it may
    differ from one repetition to the next, and so they are no part of its name. All else is known by its body.
    """
    payload = read(body)
    topic = trigger_of(payload)
    name = _NAMES.get(topic, lambda payload: "")(payload)
    return topic, f"{topic}:{name}" if name else fingerprint(topic, body)


def _text_name(payload: Mapping[str, Any]) -> str:
    return plain(mapping(payload.get("message")).get("id"))


def _report_name(payload: Mapping[str, Any]) -> str:
    report = mapping(payload.get("message_delivery_report"))
    channel = mapping(report.get("channel_identity")).get("channel")
    words = [plain(word) for word in (report.get("message_id"), report.get("status"), channel)]
    return ":".join(words) if all(words) else ""


_NAMES = {"MESSAGE_INBOUND": _text_name, "MESSAGE_DELIVERY": _report_name}


def _is_other_app(connection: Connection, body: bytes) -> bool:
    """Whether it is about another app than this connection's: its address was given to the wrong one."""
    app = read(body).get("app_id")
    return isinstance(app, str) and bool(app) and app != connection.settings.get("app_id")


SOURCE = Source(kind="sinch_conversation", signed_with="callback_secret", identify=identify, is_foreign=_is_other_app)


@csrf_exempt
@require_POST
def callbacks(request: HttpRequest, token: str) -> HttpResponse:
    """Take a callback for the connection that ``token`` names."""
    return take(request, token, SOURCE)
