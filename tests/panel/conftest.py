"""A store whose rules are looked at, and who looks."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from smsflow_plugin.models import Policy
from tests.admin.people import client_of, make_user


@pytest.fixture
def policy(store: Any) -> Policy:
    return Policy.objects.get(store=store)


@pytest.fixture
def ada(store: Any) -> Any:
    """The store admin."""
    return make_user("ada", "Store admin", store)


@pytest.fixture
def client(ada: Any) -> Client:
    return client_of(ada)
