"""A simulator that is switched on, a shop whose webhooks are caught, and people who may press its buttons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from smsflow_plugin.models import Store, StoreMembership
from smsflow_plugin.stores.roles import ADMIN_ACCESS, ensure_roles


@dataclass
class Caught:
    """One webhook, as it would have gone over the wire."""

    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def topic(self) -> str:
        return self.headers["X-Shopify-Topic"]


@dataclass
class Catcher:
    """Stands where the site would: keeps what is posted, and answers with ``status``."""

    status: int = 200
    webhooks: list[Caught] = field(default_factory=list)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        self.webhooks.append(Caught(url, body, headers))
        return self.status, ""

    @property
    def topics(self) -> list[str]:
        return [webhook.topic for webhook in self.webhooks]


@pytest.fixture
def catcher() -> Catcher:
    return Catcher()


@pytest.fixture
def simulator(settings: Any) -> None:
    """The simulator is on, and nothing answers where its phone network should be."""
    settings.SMSFLOW = {**settings.SMSFLOW, "SIMULATOR": True, "SIMULATOR_URL": "http://127.0.0.1:9"}


def sign_in(store: Store | None, role: str = "Store admin") -> Client:
    """Return a browser in which somebody with ``role`` in ``store`` is signed in."""
    groups = ensure_roles()
    user = get_user_model().objects.create_user(f"{role}-{store}", password="a long password")
    user.groups.add(groups[ADMIN_ACCESS])
    if store:
        StoreMembership.objects.create(user=user, store=store, role=groups[role])
    client = Client()
    client.force_login(user)
    return client
