"""The Conversation API's door: ``/v1/projects/{project_id}/…``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smsflow_plugin.integrations.simulator.network.conversation.messages import SOURCES, Wanted
from smsflow_plugin.integrations.simulator.network.conversation.paging import page_of
from smsflow_plugin.integrations.simulator.network.conversation.send_request import (
    CHANNELS,
    MAX_METADATA,
    invalid,
    read_send,
)
from smsflow_plugin.integrations.simulator.network.door import Door
from smsflow_plugin.integrations.simulator.network.http import Answer, Call
from smsflow_plugin.integrations.simulator.network.refusals import Refused, not_found

#: The name of google.rpc's code for a status, where a refusal does not have one of its own.
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}


class ConversationApi(Door):
    def operation(self, call: Call) -> str:
        named = {("POST", "messages:send"): "send", ("GET", "messages"): "list"}
        return named.get((call.method, "/".join(call.path[3:])), "other")

    def refusal(self, refused: Refused) -> Answer:
        status = refused.code if refused.code.isupper() else STATUSES.get(refused.status, "UNKNOWN")
        error = {"code": refused.status, "message": refused.text, "status": status, "details": []}
        return Answer(refused.status, {"error": error}, headers=refused.headers)

    def route(self, call: Call) -> Answer:
        if len(call.path) < 4 or call.path[1] != "projects":
            raise not_found()
        project = call.path[2]
        self.network.projects.authorized(project, call.authorization)
        # a verb may follow the name of a thing: contacts/{id}:merge
        *before, last = call.path[3:]
        last, _, verb = last.partition(":")
        path = [*before, last]
        match path[0]:
            case "messages":
                return self._messages(call, project, path[1:], verb)
            case "apps":
                return self._apps(call, project, path[1:], verb)
            case "webhooks":
                return self._webhooks(call, project, path[1:], verb)
            case "contacts":
                return self._contacts(call, project, path[1:], verb)
            case "conversations":
                return self._conversations(call, project, path[1:], verb)
        raise not_found()

    def _messages(self, call: Call, project: str, path: list[str], verb: str) -> Answer:
        messages = self.network.conversation.messages
        source = call.query.get("messages_source", "CONVERSATION_SOURCE")
        if source not in SOURCES:
            raise invalid("messages_source must be CONVERSATION_SOURCE or DISPATCH_SOURCE.")
        match call.method, path, verb:
            case "POST", [], "send":
                return Answer(200, self.network.conversation.sending.accept(project, read_send(call.object())))
            case "POST", [], "fetch-last-message":
                return self._last_messages(call, project)
            case "GET", [], "":
                wanted = self._wanted(call, source)
                shown = self._page("messages", messages.listed(project, wanted), call, most=1000)
                return Answer(200, _with_view(shown, call.query.get("view", "")))
            case "GET", [message], "":
                return Answer(200, messages.get(project, message, source))
            case "PATCH", [message], "":
                metadata = call.object().get("metadata", "")
                if not isinstance(metadata, str) or len(metadata) > MAX_METADATA:
                    raise invalid(f"metadata must be a string of at most {MAX_METADATA} characters.")
                return Answer(200, messages.update(project, message, metadata, source))
            case "DELETE", [message], "":
                messages.delete(project, message, source)
                return Answer(200, {})
        raise not_found()

    def _wanted(self, call: Call, source: str) -> Wanted:
        query = call.query
        contact, direction = query.get("contact_id", ""), query.get("direction", "")
        if source == "DISPATCH_SOURCE" and (contact or query.get("conversation_id")):
            raise invalid("Messages of the dispatch mode have no contact and no conversation.")
        if query.get("only_recipient_originated", "").lower() == "true":
            direction = "TO_APP"
        return Wanted(
            source=source,
            app=query.get("app_id", ""),
            contacts=[contact] if contact else [],
            conversation=query.get("conversation_id", ""),
            channel=_channel(query.get("channel", "")),
            identities=[one.removeprefix("+") for one in call.many("channel_identity")],
            direction=direction,
            start=call.moment("start_time"),
            end=call.moment("end_time"),
        )

    def _last_messages(self, call: Call, project: str) -> Answer:
        data = call.object()
        # the same words as in a list, in the body instead of the address
        query = {name: str(value) for name, value in data.items() if isinstance(value, (str, int))}
        asked = Call(call.method, call.path, query, call.authorization, call.raw)
        wanted = self._wanted(asked, query.get("messages_source", "CONVERSATION_SOURCE"))
        wanted = Wanted(
            source=wanted.source,
            app=wanted.app,
            contacts=data.get("contact_ids") or [],
            channel=wanted.channel,
            identities=[str(one).removeprefix("+") for one in data.get("channel_identities") or []],
            direction=wanted.direction,
            start=wanted.start,
            end=wanted.end,
        )
        found = self.network.conversation.messages.last(project, wanted)
        return Answer(200, _with_view(self._page("messages", found, asked, most=1000), query.get("view", "")))

    def _apps(self, call: Call, project: str, path: list[str], verb: str) -> Answer:
        apps = self.network.conversation.apps
        match call.method, path, verb:
            case "GET", [], "":
                return Answer(200, {"apps": apps.listed(project)})
            case "POST", [], "":
                return Answer(200, apps.create(project, call.object()))
            case "GET", [app], "":
                return Answer(200, apps.get(project, app))
            case "PATCH", [app], "":
                return Answer(200, apps.update(project, app, call.object(), _mask(call)))
            case "DELETE", [app], "":
                apps.delete(project, app)
                return Answer(200, {})
            case "GET", [app, "webhooks"], "":
                return Answer(200, {"webhooks": self.network.conversation.webhooks.listed(project, app)})
        raise not_found()

    def _webhooks(self, call: Call, project: str, path: list[str], verb: str) -> Answer:
        webhooks = self.network.conversation.webhooks
        match call.method, path, verb:
            case "POST", [], "":
                return Answer(200, webhooks.create(project, call.object()))
            case "GET", [webhook], "":
                return Answer(200, webhooks.get(project, webhook))
            case "PATCH", [webhook], "":
                return Answer(200, webhooks.update(project, webhook, call.object(), _mask(call)))
            case "DELETE", [webhook], "":
                webhooks.delete(project, webhook)
                return Answer(200, {})
        raise not_found()

    def _contacts(self, call: Call, project: str, path: list[str], verb: str) -> Answer:
        contacts = self.network.conversation.contacts
        match call.method, path, verb:
            case "GET", [], "":
                found = contacts.listed(
                    project,
                    external_id=call.query.get("external_id", ""),
                    channel=_channel(call.query.get("channel", "")),
                    identity=call.query.get("identity", ""),
                )
                return Answer(200, self._page("contacts", found, call, most=20))
            case "POST", [], "":
                return Answer(200, contacts.create(project, call.object()))
            case "GET", [], "identityConflicts":
                return Answer(200, self._page("conflicts", contacts.conflicts(project), call, most=20))
            case "POST", [], "getChannelProfile":
                return self._profile(call, project)
            case "GET", [contact], "":
                return Answer(200, contacts.get(project, contact))
            case "PATCH", [contact], "":
                return Answer(200, contacts.update(project, contact, call.object(), _mask(call)))
            case "DELETE", [contact], "":
                contacts.delete(project, contact)
                return Answer(200, {})
            case "POST", [contact], "merge":
                return Answer(200, contacts.merge(project, contact, str(call.object().get("source_id", ""))))
        raise not_found()

    def _profile(self, call: Call, project: str) -> Answer:
        """Nobody on this network has told a channel their name: it is the number."""
        data = call.object()
        self.network.conversation.apps.get(project, str(data.get("app_id", "")))
        if data.get("channel") not in ("MESSENGER", "INSTAGRAM", "VIBER", "LINE"):
            raise invalid("channel must be one that has profiles.")
        recipient = data.get("recipient") or {}
        identities = (recipient.get("identified_by") or {}).get("channel_identities") or []
        if recipient.get("contact_id"):
            identities = self.network.conversation.contacts.get(project, recipient["contact_id"])["channel_identities"]
        name = next((one["identity"] for one in identities if one["channel"] == data["channel"]), None)
        if name is None:
            raise Refused(404, "NOT_FOUND", "The recipient has no identity on this channel.")
        return Answer(200, {"profile_name": name})

    def _conversations(self, call: Call, project: str, path: list[str], verb: str) -> Answer:
        conversations = self.network.conversation.conversations
        match call.method, path, verb:
            case "GET", [], "":
                found = conversations.listed(
                    project,
                    app=call.query.get("app_id", ""),
                    contact=call.query.get("contact_id", ""),
                    only_active=call.query.get("only_active", "").lower() == "true",
                )
                return Answer(200, self._page("conversations", found, call, most=20))
            case "POST", [], "":
                return Answer(200, conversations.create(project, call.object()))
            case "GET", [one], "":
                return Answer(200, conversations.get(project, one))
            case "PATCH", [one], "":
                return Answer(200, conversations.update(project, one, call.object(), _mask(call)))
            case "DELETE", [one], "":
                conversations.delete(project, one)
                return Answer(200, {})
            case "POST", [one], "stop":
                conversations.stop(project, one)
                return Answer(200, {})
        raise not_found()

    def _page(self, name: str, rows: Sequence[Any], call: Call, *, most: int) -> dict[str, Any]:
        size = call.number("page_size", 10, least=1, most=most)
        shown, following = page_of(rows, size, call.query.get("page_token", ""))
        total = {"total_size": len(rows)} if name == "conversations" else {}
        return {name: list(shown), "next_page_token": following, **total}


def _mask(call: Call) -> list[str]:
    return call.many("update_mask") + call.many("update_mask.paths")


def _channel(name: str) -> str:
    if name and name not in CHANNELS:
        raise invalid("channel must name a channel.")
    return name


def _with_view(page: dict[str, Any], view: str) -> dict[str, Any]:
    """Leave the metadata out where that was asked for."""
    if view != "WITHOUT_METADATA":
        return page
    messages = [{name: value for name, value in one.items() if name != "metadata"} for one in page["messages"]]
    return {**page, "messages": messages}
