"""Users for tests of the screens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from smsflow_plugin.models import Store, StoreMembership
from smsflow_plugin.stores.roles import ADMIN_ACCESS, ensure_roles


def make_user(name: str, role: str, *stores: Store) -> Any:
    """Somebody who may enter the admin, with ``role`` in each of ``stores``."""
    groups = ensure_roles()
    user = get_user_model().objects.create_user(name, f"{name}@example.com", "secret")
    user.groups.add(groups[ADMIN_ACCESS])
    for store in stores:
        StoreMembership.objects.create(user=user, store=store, role=groups[role])
    return user


def client_of(user: Any) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client
