"""Sends through Sinch's SMS API with the official SDK.

The API knows no idempotency key: a call that was cut off may have been taken. So
every call carries a ``client_reference`` of its own, and ``find`` asks for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from django.urls import reverse
from django.utils.translation import gettext as _
from sinch import SinchClient
from sinch.core.exceptions import SinchException

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.sinch.callbacks import INBOUND, identify
from smsflow_plugin.integrations.sinch.client import NotConfigured, client_for
from smsflow_plugin.integrations.sinch.outcomes import answer_of, outcome_of
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

MAX_RECIPIENTS = 1000
#: The longest value that may stand in for a ``${…}``.
MAX_VALUE = 160
#: One report for each person, when nothing more can happen to the text. "per_recipient" would
#: also tell that it is on its way: twice the callbacks for something that no flow waits for.
DELIVERY_REPORT = "per_recipient_final"
#: Sinch's clock and ours may differ by so much.
CLOCK_MARGIN = timedelta(minutes=15)
#: Sinch gives up after three days by itself, and refuses a call that names a later end.
LONGEST_LIFE = timedelta(days=3) - CLOCK_MARGIN
PAGE_SIZE, MAX_PAGES = 100, 50
#: Sinch lists what is not older than 14 days: what it does not list of earlier times it may well have had.
LISTED_FOR = timedelta(days=13)
#: Stands in for a literal "${" of the text. Values are not searched for parameters.
DOLLAR_KEY, DOLLAR = "dollar", "${"

_OPENING = re.compile(r"\$\{(?:p(\d{1,4})\})?")


class SinchGateway:
    """One service plan. ``account`` is its id, ``secrets["api_token"]`` its token.

    ``settings`` may hold ``region`` and ``base_url``, see ``client_for``. ``token`` is the
    connection's own, for the address that Sinch calls back.
    """

    max_recipients = MAX_RECIPIENTS
    capabilities = Capabilities(media=True, lists_inbounds=True)

    def __init__(self, *, token: str, account: str, secrets: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self._token = token
        self._account = account
        self._secrets = secrets
        self._settings = settings

    @property
    def callback_url(self) -> str:
        """Where Sinch reports what became of the texts, and hands over what people answer."""
        path = reverse("smsflow:sinch:callbacks", args=[self._token])
        return f"{smsflow_settings.PUBLIC_URL.rstrip('/')}{path}"

    def send(self, text: OutboundText) -> Outcome:
        refusal = _refusal(text)
        if refusal:
            return refusal
        try:
            client = client_for(self._account, self._secrets, self._settings)
        except NotConfigured as trouble:
            return Rejected(str(trouble), fatal=True)
        try:
            batch = self._call(client, text)
        except Exception as error:  # noqa: BLE001 - whatever it was: the texts must have an outcome
            outcome = outcome_of(error, text.recipients)
            logger.warning("Sinch call %s: %s", text.reference, type(outcome).__name__)
            return outcome
        provider_id = getattr(batch, "id", None)
        if not provider_id:
            logger.warning("Sinch call %s: answered without an id", text.reference)
            return Unknown("Sinch answered without the id of the batch.")
        return Accepted(str(provider_id))

    def _call(self, client: SinchClient, text: OutboundText) -> Any:
        body, parameters = with_parameters(text)
        request: dict[str, Any] = {
            "to": list(text.recipients),
            "from_": text.sender,
            "parameters": parameters or None,
            "delivery_report": DELIVERY_REPORT,
            "event_destination_target": self.callback_url,
            "client_reference": text.reference,
            "expire_at": _expiry(text.expires_at),
        }
        if text.media_url and text.channel == "mms":
            return client.sms.batches.send_mms(body={"url": text.media_url, "message": body}, **request)
        return client.sms.batches.send_sms(body=body, **request)

    def find(self, reference: str, *, since: datetime) -> str | None:
        # without a start Sinch would list the last day only, and a call of yesterday would look as if never made
        start = (since - CLOCK_MARGIN).astimezone(UTC)
        if clock.now() - start > LISTED_FOR:
            raise CannotSearch(_("Sinch no longer lists the calls of that time."))
        try:
            page = client_for(self._account, self._secrets, self._settings).sms.batches.list(
                client_reference=reference, start_date=start, page=0, page_size=PAGE_SIZE
            )
            seen = 0
            for _number in range(MAX_PAGES):
                count, batches = getattr(page.result, "count", None), page.content()
                for batch in batches:
                    # compared here too: a list that ignored the filter must not claim our texts
                    if getattr(batch, "client_reference", None) == reference and getattr(batch, "id", None):
                        return str(batch.id)
                seen += len(batches)
                page = page.next_page()
                if page is None:
                    # "not there" sends the texts again: say it only of a list that was read to its end
                    if count is None or seen < count:
                        raise GatewayUnavailable(_("Sinch's list of batches cannot be read."))
                    return None
        except (NotConfigured, SinchException, requests.RequestException, ValueError) as error:
            raise GatewayUnavailable(_trouble(error)) from None
        raise GatewayUnavailable(_("Sinch's list of batches is too long to be searched."))

    def inbounds(self, *, since: datetime) -> Iterable[Listed]:
        start = (since - CLOCK_MARGIN).astimezone(UTC)
        try:
            page = client_for(self._account, self._secrets, self._settings).sms.inbounds.list(
                start_date=start, page=0, page_size=PAGE_SIZE
            )
            seen = 0
            while page is not None:
                count, texts = getattr(page.result, "count", None), page.content()
                if count is None:
                    raise GatewayUnavailable(_("Sinch's list of inbound texts cannot be read."))
                yield from (listed for text in texts if (listed := as_callback(text)))
                seen += len(texts)
                if not texts or seen >= count:
                    return
                page = page.next_page()
            raise GatewayUnavailable(_("Sinch's list of inbound texts cannot be read."))
        except (NotConfigured, SinchException, requests.RequestException, ValueError) as error:
            raise GatewayUnavailable(_trouble(error)) from None

    def check(self) -> str:
        try:
            page = client_for(self._account, self._secrets, self._settings).sms.batches.list(page=0, page_size=1)
        except (NotConfigured, SinchException, requests.RequestException, ValueError) as error:
            raise GatewayUnavailable(_trouble(error)) from None
        if getattr(page.result, "count", None) is None:
            raise GatewayUnavailable(_("Something answers at Sinch's address, but it is not Sinch."))
        return _("Sinch accepts the API token of the service plan %(plan)s.") % {"plan": self._account}


def with_parameters(text: OutboundText) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the body and the parameters as Sinch wants them.

    Every ``${`` of the body that is not one of our own placeholders is the text's own,
    and would be taken for a parameter: it becomes the value of one.
    """
    count = max((len(values) for values in text.parameters.values()), default=0)
    parameters = {
        f"p{index}": {number: text.parameters[number][index] for number in text.recipients} for index in range(count)
    }

    def replaced(match: re.Match[str]) -> str:
        if match[1] is not None and match[0] == f"${{p{int(match[1])}}}" and int(match[1]) < count:
            return match[0]
        parameters[DOLLAR_KEY] = {"default": DOLLAR}
        return f"${{{DOLLAR_KEY}}}{match[0].removeprefix(DOLLAR)}"

    return _OPENING.sub(replaced, text.body), parameters


def _refusal(text: OutboundText) -> Rejected | None:
    """Refuse what Sinch would refuse, but with the names of those who are to blame for it."""
    if not 1 <= len(text.recipients) <= MAX_RECIPIENTS:
        return Rejected(f"A call must have 1 to {MAX_RECIPIENTS} recipients, not {len(text.recipients)}.")
    if not text.parameters:
        return None
    count = max(len(values) for values in text.parameters.values())
    wrong = tuple(number for number in text.recipients if len(text.parameters.get(number, ())) != count)
    if wrong:
        return Rejected("Values are missing for some recipients.", recipients=wrong)
    long = tuple(
        number for number in text.recipients if any(len(value) > MAX_VALUE for value in text.parameters[number])
    )
    if long:
        return Rejected(f"A value is longer than {MAX_VALUE} characters.", recipients=long)
    return None


def _expiry(moment: datetime | None) -> datetime | None:
    """Return when Sinch shall give up, or None to leave that to Sinch."""
    if moment is None or moment - clock.now() >= LONGEST_LIFE:
        return None
    return moment.astimezone(UTC)


def as_callback(text: Any) -> Listed | None:
    """Return a text of Sinch's list as its callback would have brought it; None of what has no id."""
    try:
        body = text.model_dump_json(by_alias=True, exclude_none=True).encode()
    except (AttributeError, ValueError):
        return None
    topic, external_id = identify(body)
    return Listed(external_id, topic, body) if topic in INBOUND and external_id.startswith(f"{topic}:") else None


def _trouble(error: Exception) -> str:
    """Say in a sentence what is wrong with the connection."""
    if isinstance(error, NotConfigured):
        return str(error)
    if isinstance(error, SinchException):
        status = answer_of(error)[0]
        if status in (401, 403):
            return _("Sinch does not accept the API token for this service plan.")
        if status == 404:
            return _("Sinch does not know this service plan in this region.")
        if status == 429:
            return _("Sinch has too many calls of this service plan to answer.")
        return _("Sinch answered with the error %(status)s.") % {"status": status}
    if isinstance(error, requests.Timeout):
        return _("Sinch did not answer in time.")
    if isinstance(error, requests.ConnectionError):
        return _("Sinch cannot be reached.")
    if isinstance(error, requests.RequestException):
        return _("The address or the API token of Sinch is not valid.")
    return _("Sinch's answer cannot be read.")
