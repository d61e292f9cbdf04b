"""The wall: somebody with every role in one store learns and changes nothing of another.

The addresses come from the resolver, so a new one cannot be forgotten: one whose
arguments the test cannot build fails it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from wagtail.models import Locale, Page

from smsflow_plugin.models import Connection, Store, StoreMembership
from smsflow_plugin.stores.roles import ROLES
from tests.admin.people import client_of, make_user
from tests.admin.rows import Rows, fill
from tests.factories import make_store

pytestmark = pytest.mark.django_db

#: Stands in every name and text of the other store.
MARK = "Bolton"

#: Everything below Wagtail's admin is walked, except what shows no row of any store.
ADMIN = "admin/"
OURS = re.compile(r"smsflow")
OTHER_PEOPLES = re.compile(
    r"wagtailadmin_(pages|choose_page|explore|collections|login|logout|password_reset|account|error_test|"
    r"javascript_catalog|sprite|block_preview|api:(pages|images|documents))|"
    r"wagtail(docs|images|users|settings)"
)

APPS = ["smsflow", "smsflow_simulator", "smsflow_shopify"]
METHODS = ("get", "post")


@pytest.fixture
def other() -> Rows:
    store = make_store(name=MARK, brand=MARK, domain=f"{MARK.lower()}.myshopify.com", sender="+12025550177")
    Connection.objects.filter(store=store, kind="sinch").update(account=f"plan-{MARK}")
    rows = fill(store, mark=MARK)
    make_user(f"owner-of-{MARK}", "Store admin", store)
    return rows


@pytest.fixture
def own(settings: Any) -> Rows:
    settings.SMSFLOW = {**settings.SMSFLOW, "SIMULATOR": True}
    if not Page.objects.exists():
        # Wagtail's migrations make one; tests may run without migrations
        Locale.objects.get_or_create(language_code="en")
        Page.add_root(title="Root", slug="root")
    return fill(make_store())


@pytest.fixture
def stranger(own: Rows) -> Client:
    """Somebody who may do everything that there is, in their own store."""
    user = make_user("stranger", "Store admin")
    everything = Group.objects.create(name="Everything")
    everything.permissions.set(Permission.objects.filter(content_type__app_label__in=APPS))
    StoreMembership.objects.create(user=user, store=own.store, role=everything)
    client = client_of(user)
    # some of Wagtail's own addresses fail on the nonsense that is sent to them here; ours must not
    client.raise_request_exception = False
    return client


def patterns(resolver: Any = None, prefix: str = "", name: str = "") -> Iterator[tuple[str, str]]:
    """Yield (name with namespaces, route) of every address of the site."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{name}{pattern.namespace}:" if pattern.namespace else name
            yield from patterns(pattern, route, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{name}{pattern.name or ''}", route


def addresses() -> list[tuple[str, str]]:
    """Return those that could show or change what belongs to a store."""
    found = {
        (name, route)
        for name, route in patterns()
        if route.startswith(ADMIN) and name and not OTHER_PEOPLES.match(name)
    }
    return sorted(found)


def parameters(route: str) -> list[str]:
    return [a or b for a, b in re.findall(r"<(?:[\w.]+:)?(\w+)>|\(\?P<(\w+)>", route)]


def values(name: str, route: str, rows: Rows) -> dict[str, Any]:
    """Build the arguments of an address so that it leads to the rows of one store.

    :raises KeyError: for an argument that nobody has told this test how to build.
    """
    revised = rows.policy if "_policy" in name else rows.flow
    known: dict[str, Callable[[], Any]] = {
        "pk": lambda: object_of(name, rows).pk,
        "object_id": lambda: object_of(name, rows).pk,
        "primary_key": lambda: object_of(name, rows).pk,
        "revision_id": lambda: revised.latest_revision_id or revised.revisions.latest("pk").pk,
        "revision_id_a": lambda: revised.revisions.earliest("pk").pk,
        "revision_id_b": lambda: revised.revisions.latest("pk").pk,
        "store_pk": lambda: rows.store.pk,
        "contact_pk": lambda: rows.contact.pk,
        "app_label": lambda: "smsflow",
        "app_name": lambda: "smsflow",
        "model_name": lambda: "delivery" if name == "wagtail_bulk_action" else "flow",
        "action": lambda: "replay",
        "content_type_app_name": lambda: "smsflow",
        "content_type_model_name": lambda: "flow",
        # of things that are not about stores; there are none in this test, and 404 is right
        "task_state_id": lambda: 1,
        "workflow_state_id": lambda: 1,
        "workflow_id": lambda: 1,
        "task_id": lambda: 1,
        "session_id": lambda: 1,
        "page_pk": lambda: 1,
        "workflow_pk": lambda: 1,
        "action_name": lambda: "approve",
        # whose rules are counted
        "model": lambda: "segment",
        # the simulator's doings and the ways to move its clock
        "doing": lambda: "opts-in",
        "how": lambda: "next",
        # of the gallery: a template of the library
        "template": lambda: "welcome",
        # a draft that is looked at while it is edited: the key of the flow, or "new"
        "key": lambda: str(rows.flow.pk),
        # numbers that are stopped
        "pause": lambda: rows.pause.pk,
        # one of a store's numbers and names
        "sender": lambda: rows.sender.pk,
        # a run of a flow
        "run": lambda: rows.enrollment.pk,
    }
    return {parameter: known[parameter]() for parameter in parameters(route)}


def object_of(name: str, rows: Rows) -> Any:
    if "segment" in name:
        return rows.segment
    if name.startswith("smsflow_shopify_apps:"):
        return rows.app
    if name.startswith("smsflow_inbox:"):
        return rows.contact if name.endswith(":start") else rows.thread
    if name.startswith(("smsflow_stores:", "smsflow_figures:store")):
        return rows.store
    if name.startswith("smsflow_breakers:"):
        return rows.trip
    if name.startswith("smsflow_parked_calls:"):
        return rows.call
    if "opt_in_form" in name:
        return rows.form
    if name.startswith("smsflow_snippets:"):
        return rows.snippet
    if name.startswith("smsflow_test_send:"):
        return {"send": rows.flow, "numbers": rows.store}.get(name.rpartition(":")[2], rows.number)
    for word, row in (
        ("shopify_outbox", rows.write),
        ("privacy", rows.privacy),
        ("policy", rows.policy),
        ("flow_", rows.flow),
        ("_flow", rows.flow),
        ("canned", rows.canned),
        ("keywords:", rows.keyword),
        ("autoresponder", rows.autoresponder),
        ("inbox", rows.thread),
        ("thread", rows.thread),
        ("replies", rows.review),
        ("contact", rows.contact),
        ("suppression", rows.suppression),
        ("message", rows.message),
        ("deliver", rows.parked),
        ("discount", rows.incentive),
        ("store", rows.store),
        ("decision", rows.decision),
    ):
        if word in name.removeprefix("wagtailsnippets_").replace("smsflow_", "", 1):
            return row
    return rows.flow


def queries(rows: Rows) -> dict[str, Any]:
    """Every name under which an address might take an object of the other store."""
    names = {
        "store": rows.store.pk,
        "flow": rows.flow.pk,
        "audience-pk": object_of("segment", rows).pk,
        "contact": rows.contact.pk,
        "id": [rows.parked.pk, rows.flow.pk, rows.message.pk],
        "state": "parked",
    }
    return {**names, "q": "e"} if can_search() else names


def can_search() -> bool:
    """Return whether Wagtail's search works: on SQLite, only its migrations make the table of the right kind."""
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'wagtailsearch_indexentry_fts'")
        row = cursor.fetchone()
    return row is not None and "VIRTUAL" in row[0].upper()


def body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode("utf-8", errors="replace")


def snapshot() -> dict[str, str]:
    """Return every row of the other store, word for word."""
    store = Store.objects.get(name=MARK)
    rows = {"store": serializers.serialize("json", [store])}
    for model in (*apps.get_app_config("smsflow").get_models(), *apps.get_app_config("smsflow_shopify").get_models()):
        if any(field.name == "store" for field in model._meta.fields):
            kept = model._default_manager.filter(store=store).order_by("pk")
            # encrypted anew by every serialisation
            names = [field.name for field in model._meta.fields if field.name != "secrets"]
            rows[model.__name__] = serializers.serialize("json", kept, fields=names)
    # what hangs on the connection instead of the store
    for model in apps.get_app_config("smsflow_shopify").get_models():
        names = [field.name for field in model._meta.fields if field.name != "secrets"]
        rows[model.__name__] = serializers.serialize("json", model._default_manager.order_by("pk"), fields=names)
    return rows


def test_every_address_can_be_built(own: Rows) -> None:
    unknown = []
    for name, route in addresses():
        try:
            values(name, route, own)
        except KeyError as parameter:
            unknown.append(f"{name} ({route}): {parameter}")
    assert not unknown, "Tell tests/admin/test_stranger.py how to build these:\n" + "\n".join(unknown)


def test_the_walk_finds_the_screens() -> None:
    names = {name for name, _route in addresses()}
    assert {
        "smsflow_contacts:inspect",
        "smsflow_contacts:opt_out",
        "smsflow_figures:flow",
        "smsflow_figures:store",
        "smsflow_inbox:inspect",
        "smsflow_inbox:reply",
        "smsflow_inbox:news",
        "smsflow_inbox:start",
        "smsflow_messages:index",
        "smsflow_deliveries:replay",
        "smsflow_stores:people",
        "smsflow_stores:check",
        "smsflow_stores:sender",
        "smsflow_stores:sender_delete",
        "smsflow_shopify_outbox:retry",
        "smsflow_stores:shopify",
        "smsflow_stores:shopify_disconnect",
        "smsflow_shopify:arrive",
        "smsflow_shopify_apps:edit",
        "wagtailsnippets_smsflow_flow:edit",
        "wagtailsnippets_smsflow_policy:edit",
        "wagtailsnippets_smsflow_policy:panic",
        "wagtailsnippets_smsflow_policy:try_it",
        "wagtailsnippets_smsflow_policy:effect",
        "wagtail_bulk_action",
    } <= names


#: Addresses about an object that this test has none of, also in the own store: tasks of workflows.
WITHOUT_OBJECT = re.compile(r"workflow|editing_sessions|revisions_(un)?schedule|wagtailadmin_tag|task_chosen")


def test_the_same_addresses_lead_somewhere_in_the_own_store(stranger: Client, own: Rows) -> None:
    """Otherwise every 404 of the next test would prove nothing."""
    lost = []
    for name, route in addresses():
        if WITHOUT_OBJECT.search(name):
            continue
        response = stranger.get(reverse(name, kwargs=values(name, route, own)), queries(own))
        if response.status_code not in (200, 302, 405):
            lost.append(f"{name}: {response.status_code}")
    assert not lost, "\n".join(lost)


@pytest.mark.parametrize("method", METHODS)
def test_no_address_shows_or_changes_anything_of_another_store(stranger: Client, other: Rows, method: str) -> None:
    before = snapshot()
    leaks = []
    for name, route in addresses():
        url = reverse(name, kwargs=values(name, route, other))
        if method == "get":
            responses = [stranger.get(url, queries(other)), *([] if parameters(route) else [stranger.get(url)])]
        else:
            responses = [stranger.post(url, {**queries(other), **STATEMENT}, headers={"accept": "text/html"})]
        for response in responses:
            if MARK.lower() in body(response).lower():
                leaks.append(f"{name} shows a name ({response.status_code})")
            # Wagtail's chooser fails when something is posted to a form that it does not have
            if (
                name != "wagtailsnippetchoosers_smsflow_flow:create"
                and OURS.search(name)
                and response.status_code >= 500
            ):
                leaks.append(f"{name} fails ({response.status_code})")
            if re.search("<[^>]*pk>", route) and OURS.search(name) and response.status_code not in (302, 404, 405):
                leaks.append(f"{name} answers {response.status_code}")
    assert not leaks, "\n".join(leaks)
    assert snapshot() == before


#: What forms of ours and of Wagtail would take for a change.
STATEMENT = {
    "name": "Taken over",
    "note": "They told me so.",
    "to": "+12025550199",
    "body": "Hello",
    "key": str(uuid.UUID(int=7)),
    "email": "stranger@example.com",
    "action-publish": "1",
    "action-unpublish": "1",
    "next": "/admin/",
    "steps-count": "0",
    "triggers-count": "0",
    "audience-count": "0",
    "rules-count": "0",
    "exits": "[]",
    "press": "1",
    "release": "1",
    "reason": "They told me so.",
    "caps-rows": "1",
    "minimum_gap": "1",
}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_exports_hold_the_own_store_only(stranger: Client, own: Rows, other: Rows, kind: str) -> None:
    response = stranger.get(reverse("smsflow_messages:index"), {"export": kind})
    text = body(response)
    if kind == "xlsx":
        from io import BytesIO

        from openpyxl import load_workbook

        content = text.encode("utf-8", errors="replace")
        response = stranger.get(reverse("smsflow_messages:index"), {"export": kind})
        content = b"".join(response.streaming_content)
        sheet = load_workbook(BytesIO(content)).active
        text = "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row)
    assert own.message.body in text
    assert MARK not in text


def test_a_form_does_not_take_an_object_into_another_store(stranger: Client, own: Rows, other: Rows) -> None:
    stranger.post(
        reverse("wagtailsnippets_smsflow_flow:edit", args=[own.flow.pk]),
        {"store": other.store.pk, "name": "Moved", "steps-count": "0", "triggers-count": "0", "audience-count": "0"},
    )
    own.flow.refresh_from_db()
    assert own.flow.store == own.store


def test_bulk_replay_passes_over_the_deliveries_of_others(stranger: Client, own: Rows, other: Rows) -> None:
    url = reverse("wagtail_bulk_action", args=["smsflow", "delivery", "replay"])
    both = f"{url}?id={own.parked.pk}&id={other.parked.pk}&next=/admin/"
    page = body(stranger.get(both))
    assert "There is no checkout in it." in page
    assert MARK not in page
    stranger.post(both)
    own.parked.refresh_from_db()
    other.parked.refresh_from_db()
    assert (own.parked.state, other.parked.state) == ("pending", "parked")


def test_replay_of_all_is_all_of_the_own_store(stranger: Client, own: Rows, other: Rows) -> None:
    url = reverse("wagtail_bulk_action", args=["smsflow", "delivery", "replay"])
    stranger.post(f"{url}?id=all&next=/admin/")
    own.parked.refresh_from_db()
    other.parked.refresh_from_db()
    assert (own.parked.state, other.parked.state) == ("pending", "parked")


def test_a_store_cannot_take_the_shop_of_another(stranger: Client, own: Rows, other: Rows) -> None:
    page = stranger.get(reverse("smsflow_stores:edit", args=[own.store.pk]))
    data = {
        name: field.initial if field.initial is not None else "" for name, field in page.context["form"].fields.items()
    }
    data.update({name: value for name, value in page.context["form"].initial.items() if value is not None})
    data["shop_domain"] = f"{MARK.lower()}.myshopify.com"
    answer = stranger.post(reverse("smsflow_stores:edit", args=[own.store.pk]), data)
    assert "Another store is connected to this." in body(answer)
    assert Connection.objects.get(store=own.store, kind="shopify").account == "sierra-gear.myshopify.com"


def test_somebody_without_any_role_sees_no_menu_and_no_page(own: Rows) -> None:
    client = client_of(make_user("nobody", next(iter(ROLES))))
    assert "SMS flows" not in body(client.get(reverse("wagtailadmin_home")))
    for name in (
        "smsflow_contacts",
        "smsflow_messages",
        "smsflow_deliveries",
        "smsflow_stores",
        "smsflow_replies",
        "smsflow_inbox",
    ):
        assert client.get(reverse(f"{name}:index")).status_code == 302


def test_history_is_told_to_those_of_the_store_only(stranger: Client, other: Rows) -> None:
    # Wagtail's own history of the site shows every entry of the log models that it knows
    from wagtail.log_actions import registry

    assert ContentType.objects.get_for_model(Store)
    models = {model.__name__ for model in registry.get_log_entry_models()}
    assert "StoreLogEntry" not in models
