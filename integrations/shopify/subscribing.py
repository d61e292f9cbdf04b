"""Keeps a shop's webhook subscriptions as its flows need them.

Shopify deletes a subscription after eight failures in a row, and says nothing. So what is there is compared every hour
with what is wanted; also whenever a flow is published or taken away, and after a shop was connected.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.shopify.addresses import webhook_address
from smsflow_plugin.integrations.shopify.admin import tokens
from smsflow_plugin.integrations.shopify.admin.client import AdminApi
from smsflow_plugin.integrations.shopify.admin.documents import (
    SHOP,
    WEBHOOK_CREATE,
    WEBHOOK_DELETE,
    WEBHOOK_UPDATE,
    WEBHOOKS,
    Document,
)
from smsflow_plugin.integrations.shopify.admin.errors import NotGranted, ShopifyTrouble, UserErrors
from smsflow_plugin.integrations.shopify.admin.scopes import missing
from smsflow_plugin.integrations.shopify.models import Grant, SubscriptionCheck
from smsflow_plugin.integrations.shopify.needed import needs_of
from smsflow_plugin.integrations.shopify.subscriptions import Found, Plan, compare
from smsflow_plugin.integrations.shopify.topic_table import Topic
from smsflow_plugin.models import Connection, Store

logger = logging.getLogger(__name__)

#: Longer than a comparison takes: at the most some forty calls.
LEASE = timedelta(minutes=5)
#: Of repairs so many are remembered.
REMEMBERED = 50


def granted_connections() -> list[int]:
    """Return the ids of the connections whose shop lets us in, as far as we know."""
    grants = Grant.objects.filter(broken_at=None).exclude(connection__store__status=Store.Status.UNINSTALLED)
    return list(grants.order_by("pk").values_list("connection_id", flat=True))


def compare_shop(connection_id: int) -> bool:
    """Compare and repair until nothing has changed meanwhile; return False if another worker is at it.

    Never raises what Shopify may say: that is written down, and stands on the store's page.
    """
    check, _made = SubscriptionCheck.objects.get_or_create(connection_id=connection_id)
    if not _take(check):
        # whoever is at it may have read the flows before they changed
        SubscriptionCheck.objects.filter(pk=check.pk).update(again=True)
        if not _take(check):
            return False
    while True:
        try:
            _compare(check)
        except BaseException:
            _give_back(check)
            raise
        if _give_back(check):
            return True


def _take(check: SubscriptionCheck) -> bool:
    now = clock.now()
    free = SubscriptionCheck.objects.filter(pk=check.pk)
    free = free.filter(comparing_until=None) | free.filter(comparing_until__lt=now)
    return bool(free.update(comparing_until=now + LEASE, again=False))


def _give_back(check: SubscriptionCheck) -> bool:
    """Give the lease back, unless somebody has asked for another look: then keep it, and return False."""
    rows = SubscriptionCheck.objects.filter(pk=check.pk)
    if rows.filter(again=False).update(comparing_until=None):
        return True
    return not rows.update(again=False, comparing_until=clock.now() + LEASE)


def _compare(check: SubscriptionCheck) -> None:
    connection = Connection.objects.select_related("store").get(pk=check.connection_id)
    address = webhook_address()
    if not address.startswith("https://") and not _is_stand_in():
        # Shopify takes no other; a site on one's own machine would get an error for each topic, every hour
        _note(check, failed_because=_("Shopify needs an https:// address. Set SMSFLOW['PUBLIC_URL']."))
        return
    check.refresh_from_db(fields=["topics", "repairs"])
    repairs: list[dict[str, str]] = []
    problems: list[dict[str, str]] = []
    try:
        api = AdminApi(connection)
        granted = read_scopes(api)
        found = [_found(row) for page in api.pages(WEBHOOKS, "webhookSubscriptions") for row in page]
        wanted = needs_of(connection.store_id).wanted()
        allowed = [topic for topic in wanted if not missing(topic.scopes, granted)]
        plan = compare(allowed, found, uri=address, before=check.topics)
        _carry_out(api, plan, address, repairs, problems)
    except ShopifyTrouble as trouble:
        _note(check, repairs=[*repairs, *check.repairs][:REMEMBERED], failed_because=str(trouble)[:255])
        return
    failed = {problem["topic"] for problem in problems}
    now = clock.now()
    for topic in wanted:
        if lacking := missing(topic.scopes, granted):
            said = _("The shop has not granted %(scopes)s.") % {"scopes": ", ".join(sorted(lacking))}
            problems.append({"topic": topic.name, "said": said})
    _note(
        check,
        compared_at=now,
        answered_at=now,
        topics=[topic.name for topic in allowed if topic.name not in failed],
        repairs=[*repairs, *check.repairs][:REMEMBERED],
        problems=problems,
        failed_because="",
    )


def _is_stand_in() -> bool:
    return str(smsflow_settings.SHOPIFY_URL).startswith("http://")


def read_scopes(api: AdminApi) -> list[str]:
    """Return what the shop has granted by now, and remember it: merchants may change it without us."""
    installation = api.ask(SHOP).get("currentAppInstallation") or {}
    rows = installation.get("accessScopes") or ()
    scopes = sorted(str(row["handle"]) for row in rows if isinstance(row, dict) and row.get("handle"))
    tokens.note_scopes(api.connection, scopes)
    return scopes


def _carry_out(
    api: AdminApi, plan: Plan, address: str, repairs: list[dict[str, str]], problems: list[dict[str, str]]
) -> None:
    """Do what is planned; add what was put right, and what Shopify did not do.

    :raises ShopifyTrouble: if nothing more can be asked; what was done already stays done, and is found the next time.
    """
    at = clock.now().isoformat()

    def do(topic: str, what: str, document: Document, variables: dict[str, Any]) -> None:
        try:
            api.ask(document, **variables)
        except (UserErrors, NotGranted) as trouble:
            problems.append({"topic": topic, "said": str(trouble)[:200]})
        else:
            if what:
                logger.warning("The webhook %s of %s was missing or wrong, and is put right.", topic, api.shop)
                repairs.append({"at": at, "topic": topic, "what": what})

    for row in plan.delete:
        do(row.topic, "", WEBHOOK_DELETE, {"id": row.id})
    for row, topic in plan.update:
        do(topic.name, "changed", WEBHOOK_UPDATE, {"id": row.id, "webhook": _input(topic, address)})
    for topic in plan.create:
        what = "lost" if topic.name in plan.lost else ""
        do(topic.name, what, WEBHOOK_CREATE, {"topic": topic.enum, "webhook": _input(topic, address)})


def _input(topic: Topic, address: str) -> dict[str, Any]:
    fields = list(topic.fields) or None
    return {"uri": address, "format": "JSON", "filter": topic.filter or None, "includeFields": fields}


def _found(row: dict[str, Any]) -> Found:
    return Found(
        id=str(row.get("id") or ""),
        topic=str(row.get("topic") or ""),
        uri=str(row.get("uri") or ""),
        filter=str(row.get("filter") or ""),
        fields=tuple(row.get("includeFields") or ()),
        format=str(row.get("format") or "JSON"),
    )


def _note(check: SubscriptionCheck, **values: Any) -> None:
    SubscriptionCheck.objects.filter(pk=check.pk).update(**values)
