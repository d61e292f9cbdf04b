"""The roles that come with SMSFlow, as Django groups.

A role counts only inside the stores where a membership gives it; never put a user
into a role's group directly, that would give the role in every store.

* **Store admin** – everything in the store: flows, rules, connections, people; erases somebody who asks for it.
* **Agency** – builds and publishes flows and opt-in forms, sets the store up, its rules and what answers texts by
  itself, looks into deliveries and replays them, reads conversations. Neither sees nor changes credentials.
* **Copywriter** – changes the words of flows and snippets, and nothing else; somebody else publishes them.
  Sees no people, but the figures: what words are worth is how they are judged.
* **Support** – looks up people and texts, records an opt-out, gives people what is known about them, puts
  numbers on the suppression list, and talks with people. Sees flows, keywords and the store's rules, changes none.

Whoever works in the admin also needs "SMS flows admin access": Wagtail asks for the
right to enter the admin outside of any store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Model

STORE_ADMIN = "Store admin"
AGENCY = "Agency"
COPYWRITER = "Copywriter"
SUPPORT = "Support"
ADMIN_ACCESS = "SMS flows admin access"

_AGENCY = (
    "view_store",
    "change_store",
    "view_policy",
    "change_policy",
    "publish_policy",
    "lock_policy",
    "unlock_policy",
    "view_flow",
    "add_flow",
    "change_flow",
    "reword_flow",
    "delete_flow",
    "publish_flow",
    "view_breakertrip",
    "lock_flow",
    "unlock_flow",
    "view_segment",
    "add_segment",
    "change_segment",
    "delete_segment",
    "view_copysnippet",
    "add_copysnippet",
    "change_copysnippet",
    "delete_copysnippet",
    "view_optinform",
    "add_optinform",
    "change_optinform",
    "view_contact",
    "change_contact",
    "view_message",
    "add_message",
    "view_batch",
    "change_batch",
    "view_delivery",
    "change_delivery",
    "view_incentive",
    "view_suppression",
    "add_suppression",
    "delete_suppression",
    "view_sender",
    "add_sender",
    "change_sender",
    "delete_sender",
    "view_keyword",
    "add_keyword",
    "change_keyword",
    "delete_keyword",
    "view_autoresponder",
    "change_autoresponder",
    "view_cannedreply",
    "add_cannedreply",
    "change_cannedreply",
    "delete_cannedreply",
    "view_thread",
    "view_flowstat",
)

#: Codenames by role. ``change_contact`` records opt-outs, ``change_delivery`` replays,
#: ``add_message`` sends test texts,
#: ``change_batch`` says what became of a call that nobody can answer for,
#: ``reword_flow`` changes words and no structure,
#: ``change_policy`` also presses the panic switch, ``publish_policy`` lets rules count and releases it,
#: ``change_storemembership`` says who works here, ``change_thread`` answers, assigns and closes a conversation and
#: ``add_thread`` starts one, ``reveal_incentive`` reads discount codes,
#: ``view_flowstat`` sees figures, which name nobody,
#: ``erase_contact`` and ``export_contact`` answer those who ask what is known about them.
ROLES: Mapping[str, Sequence[str]] = {
    STORE_ADMIN: (
        *_AGENCY,
        "reveal_incentive",
        "change_connection",
        "change_storemembership",
        "erase_contact",
        "export_contact",
        "change_thread",
        "add_thread",
    ),
    AGENCY: _AGENCY,
    COPYWRITER: (
        "view_store",
        "view_flow",
        "reword_flow",
        "view_segment",
        "view_copysnippet",
        "change_copysnippet",
        "view_flowstat",
    ),
    SUPPORT: (
        "view_store",
        "view_policy",
        "view_flow",
        "view_breakertrip",
        "view_segment",
        "view_contact",
        "change_contact",
        "export_contact",
        "view_message",
        "view_incentive",
        "reveal_incentive",
        "view_suppression",
        "add_suppression",
        "view_sender",
        "view_keyword",
        "view_autoresponder",
        "view_cannedreply",
        "view_thread",
        "change_thread",
        "add_thread",
        "view_flowstat",
    ),
}


def ensure_roles(using: str = DEFAULT_DB_ALIAS) -> dict[str, Group]:
    """Create the groups and give each exactly its permissions of this app. Safe to call again.

    Permissions of other apps that a site has added to a role stay. A site that wants
    other rights makes a group of its own: any group may serve as a role.

    :returns: the groups by name, with ``ADMIN_ACCESS`` among them.
    """
    groups: dict[str, Group] = {}
    with transaction.atomic(using=using):
        permissions = _permissions(using)
        for name, codenames in ROLES.items():
            group = _group(name, using)
            ours = set(group.permissions.using(using).filter(content_type__app_label="smsflow"))
            wanted = {permissions[codename] for codename in codenames}
            group.permissions.add(*(wanted - ours))
            group.permissions.remove(*(ours - wanted))
            groups[name] = group
        access = _group(ADMIN_ACCESS, using)
        access.permissions.add(permissions["access_admin"])
        groups[ADMIN_ACCESS] = access
    return groups


def assignable_roles(user: Any, store: Any) -> list[Group]:
    """Return the roles that ``user`` may give to somebody in ``store``: none that can do more than they can.

    A role is a group with permissions of this app and of no other.
    """
    everything = Permission.objects.filter(content_type__app_label="smsflow").select_related("content_type")
    own = {p.pk for p in everything if user.has_perm(f"smsflow.{p.codename}")}
    own.update(
        user.store_memberships.filter(store=store, role__permissions__content_type__app_label="smsflow").values_list(
            "role__permissions", flat=True
        )
    )
    groups = Group.objects.filter(permissions__content_type__app_label="smsflow").distinct().order_by("name")
    return [group for group in groups.prefetch_related("permissions") if {p.pk for p in group.permissions.all()} <= own]


def _group(name: str, using: str) -> Group:
    group, _created = Group.objects.using(using).get_or_create(name=name)
    return group


def _permissions(using: str) -> dict[str, Permission]:
    """Return the permissions by codename, and create those that are missing.

    Django and Wagtail create them after the migrations, app by app, in an order that a
    site decides; whoever comes later finds these and leaves them alone.
    """
    from wagtail.admin.models import Admin

    wanted: dict[str, type[Model]] = {"access_admin": Admin}
    for codenames in ROLES.values():
        for codename in codenames:
            wanted[codename] = apps.get_model("smsflow", codename.partition("_")[2])
    types = ContentType.objects.db_manager(using).get_for_models(*set(wanted.values()))
    found = _existing(wanted, types, using)
    Permission.objects.using(using).bulk_create(
        [
            Permission(content_type=types[model], codename=codename, name=_name(codename, model))
            for codename, model in wanted.items()
            if codename not in found
        ],
        ignore_conflicts=True,
    )
    return _existing(wanted, types, using)


def _existing(
    wanted: Mapping[str, type[Model]], types: Mapping[type[Model], ContentType], using: str
) -> dict[str, Permission]:
    rows = Permission.objects.using(using).filter(content_type__in=types.values(), codename__in=wanted)
    return {row.codename: row for row in rows}


def _name(codename: str, model: type[Model]) -> str:
    if codename == "access_admin":
        return "Can access Wagtail admin"
    return f"Can {codename.partition('_')[0]} {model._meta.verbose_name_raw}"
