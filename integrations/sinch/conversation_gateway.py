"""Sends through Sinch's Conversation API with the official SDK: SMS, MMS, RCS with SMS behind it, WhatsApp.

One call is one text to one person. The API knows no idempotency key, and no list of messages can be searched for our
reference: ``find`` reads the list of the app's messages of that time, and compares.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from django.urls import reverse
from django.utils.translation import gettext as _
from sinch import SinchClient
from sinch.core.exceptions import SinchException
from sinch.domains.authentication.exceptions import AuthenticationException

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.sinch.client import NotConfigured
from smsflow_plugin.integrations.sinch.conversation_callbacks import identify
from smsflow_plugin.integrations.sinch.conversation_client import app_of, client_for
from smsflow_plugin.integrations.sinch.conversation_message import request_of
from smsflow_plugin.integrations.sinch.conversation_outcomes import is_token_refused, of_call, of_token
from smsflow_plugin.integrations.sinch.outcomes import answer_of
from smsflow_plugin.messaging.gateway import (
    Accepted,
    CannotSearch,
    Capabilities,
    GatewayUnavailable,
    Listed,
    OutboundText,
    Outcome,
    Rejected,
    Unknown,
)

logger = logging.getLogger("smsflow.sinch")

#: Sinch's clock and ours may differ by so much.
CLOCK_MARGIN = timedelta(minutes=15)
#: How long after its start a call that was cut off can have reached Sinch at the very latest.
WINDOW = timedelta(hours=2)
PAGE_SIZE, MAX_PAGES = 1000, 200
#: Texts go in this mode whatever the app's own is: Sinch then keeps no list of our contacts.
DISPATCH, CONVERSATION = "DISPATCH_SOURCE", "CONVERSATION_SOURCE"

# the SDK reads answers of errors without looking what they are: some of them end in one of the last three
_TROUBLES = (NotConfigured, SinchException, requests.RequestException, ValueError, AttributeError, KeyError, TypeError)


class ConversationGateway:
    """One app of a project. ``account`` is the project's id, ``settings["app_id"]`` the app.

    ``secrets`` hold ``key_id`` and ``key_secret`` of an access key; ``settings`` may hold more, see ``client_for``.
    ``token`` is the connection's own, for the address that Sinch calls back.
    """

    max_recipients = 1
    capabilities = Capabilities(parameters=False, media=True, lists_inbounds=True, read_receipts=True)

    def __init__(self, *, token: str, account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self._token = token
        self._account = account
        self._secrets = secrets
        self._settings = settings

    @property
    def callback_url(self) -> str:
        """Where Sinch reports what became of the texts, and hands over what people answer."""
        path = reverse("smsflow:sinch_conversation:callbacks", args=[self._token])
        return f"{smsflow_settings.PUBLIC_URL.rstrip('/')}{path}"

    def send(self, text: OutboundText) -> Outcome:
        if len(text.recipients) != 1:
            return Rejected(f"A call must have 1 recipient, not {len(text.recipients)}.")
        try:
            client = self._client()
        except NotConfigured as trouble:
            return Rejected(str(trouble), fatal=True)
        request = request_of(text, app_id=app_of(self._settings), callback_url=self.callback_url, now=clock.now())
        outcome = _send(client, request)
        if not isinstance(outcome, Accepted):
            logger.warning("Sinch call %s: %s", text.reference, type(outcome).__name__)
        return outcome

    def find(self, reference: str, *, since: datetime) -> str | None:
        with _asking():
            client = self._client()
            start = (since - CLOCK_MARGIN).astimezone(UTC)
            messages = self._list(client, start=start, end=start + WINDOW, direction="TO_CONTACT", source=DISPATCH)
            for message in messages:
                mine = reference in (getattr(message, "metadata", None), getattr(message, "correlation_id", None))
                if mine and getattr(message, "id", None):
                    return str(message.id)
            # "not there" sends the text again: say it only if it would still be there
            self._need_kept(self._app(client), DISPATCH, since)
        return None

    def inbounds(self, *, since: datetime) -> Iterable[Listed]:
        with _asking():
            client = self._client()
            app = self._app(client)
            source = CONVERSATION if getattr(app, "processing_mode", None) == "CONVERSATION" else DISPATCH
            self._need_kept(app, source, since)
            start = since.astimezone(UTC)
            for message in self._list(client, start=start, end=None, direction="TO_APP", source=source):
                said = message.model_dump(mode="json", by_alias=True, exclude_none=True)
                callback = {"app_id": app_of(self._settings), "project_id": self._account, "message": said}
                body = json.dumps(callback).encode()
                topic, external_id = identify(body)
                yield Listed(external_id, topic, body)

    def check(self) -> str:
        with _asking():
            app = self._app(self._client())
        words = {"app": getattr(app, "display_name", None) or app_of(self._settings), "project": self._account}
        if not _days_kept(app, DISPATCH):
            return (
                _(
                    "Sinch accepts the access key of the project %(project)s, and knows the app “%(app)s”."
                    " The app keeps no messages: whether a call that was cut off has left cannot be found out."
                )
                % words
            )
        return _("Sinch accepts the access key of the project %(project)s, and knows the app “%(app)s”.") % words

    def _client(self) -> SinchClient:
        return client_for(self._account, self._secrets, self._settings)

    def _app(self, client: SinchClient) -> Any:
        """Return the app as Sinch knows it."""
        app = client.conversation.apps.get(app_of(self._settings), raw_response=True)
        if getattr(app, "id", None) != app_of(self._settings):
            raise GatewayUnavailable(_("Something answers at Sinch's address, but it is not Sinch."))
        return app

    def _list(
        self, client: SinchClient, *, start: datetime, end: datetime | None, direction: str, source: str
    ) -> Iterator[Any]:
        """Yield the app's messages of that time.

        :raises GatewayUnavailable: if the list ends before its end.
        """
        page = client.conversation.messages.list(
            app_id=app_of(self._settings),
            start_time=start,
            end_time=end,
            direction=direction,
            messages_source=source,
            view="WITH_METADATA",
            page_size=PAGE_SIZE,
        )
        for _number in range(MAX_PAGES):
            # an empty answer and an empty list must not look alike
            if getattr(page.result, "messages", None) is None:
                raise GatewayUnavailable(_("Sinch's list of messages cannot be read."))
            yield from page.content()
            page = page.next_page()
            if page is None:
                return
        raise GatewayUnavailable(_("Sinch's list of messages is too long to be searched."))

    def _need_kept(self, app: Any, source: str, since: datetime) -> None:
        """Make sure that a message of that time would still be listed.

        :raises CannotSearch: if nobody can say.
        """
        days = _days_kept(app, source)
        if not days:
            raise CannotSearch(_("Sinch's app keeps no messages, so that nobody can look for one."))
        if clock.now() - since >= timedelta(days=days):
            raise CannotSearch(_("Sinch's app keeps messages for a shorter time than has passed since."))


def _days_kept(app: Any, source: str) -> int:
    """Return for how many days an app keeps messages; what it does not say is nothing."""
    policy = getattr(app, "dispatch_retention_policy" if source == DISPATCH else "retention_policy", None)
    return getattr(policy, "ttl_days", None) or 0


def _send(client: SinchClient, request: Mapping[str, Any]) -> Outcome:
    """Make the call; once more if its token had been taken back meanwhile, for then it was refused unread."""
    for last in (False, True):
        try:
            client.authentication.get_auth_token()
        except Exception as error:  # noqa: BLE001 - whatever it was: nothing has been sent
            return of_token(error)
        try:
            answer = client.conversation.messages.send(**request)
        except Exception as error:  # noqa: BLE001 - whatever it was: the text must have an outcome
            if last or not is_token_refused(error):
                return of_call(error)
            client.configuration.token_manager.token = None
            continue
        message_id = getattr(answer, "message_id", None)
        return Accepted(str(message_id)) if message_id else Unknown("Sinch answered without the id of the message.")
    raise AssertionError("the last attempt returns")


@contextmanager
def _asking() -> Iterator[None]:
    """Say in a sentence what is wrong with the connection, whatever the SDK makes of it."""
    try:
        yield
    except _TROUBLES as error:
        raise GatewayUnavailable(_trouble(error)) from None


def _trouble(error: Exception) -> str:
    if isinstance(error, NotConfigured):
        return str(error)
    if isinstance(error, SinchException):
        status = answer_of(error)[0]
        if isinstance(error, AuthenticationException) or status in (401, 403):
            return _("Sinch does not accept the access key for this project.")
        if status == 404:
            return _("Sinch does not know this app in this project and region.")
        if status == 429:
            return _("Sinch has too many calls of this project to answer.")
        return _("Sinch answered with the error %(status)s.") % {"status": status}
    if isinstance(error, requests.Timeout):
        return _("Sinch did not answer in time.")
    if isinstance(error, requests.ConnectionError):
        return _("Sinch cannot be reached.")
    if isinstance(error, requests.RequestException):
        return _("The address or the access key of Sinch is not valid.")
    return _("Sinch's answer cannot be read.")
