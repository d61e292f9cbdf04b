"""Old keys can be thrown away after ``smsflow_rotate_keys``."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp
from smsflow_plugin.models import Connection
from smsflow_plugin.stores.crypto import CannotDecrypt
from tests.factories import SHOPIFY_SECRET


def use_keys(settings: Any, *keys: str) -> None:
    settings.SMSFLOW = {**settings.SMSFLOW, "ENCRYPTION_KEYS": list(keys)}


def test_after_rotating_the_new_key_is_enough(settings: Any, store: Any, capsys: Any) -> None:
    old, new = settings.SMSFLOW["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    use_keys(settings, new, old)
    call_command("smsflow_rotate_keys")
    assert "2 connections" in capsys.readouterr().out
    use_keys(settings, new)
    assert Connection.objects.get(store=store, kind="shopify").secrets["secret"] == SHOPIFY_SECRET
    use_keys(settings, old)
    with pytest.raises(CannotDecrypt):
        Connection.objects.get(store=store, kind="shopify")


def test_without_the_old_key_nothing_is_changed(settings: Any, store: Any) -> None:
    old = settings.SMSFLOW["ENCRYPTION_KEYS"]
    use_keys(settings, Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("smsflow_rotate_keys")
    use_keys(settings, *old)
    assert Connection.objects.get(store=store, kind="shopify").secrets["secret"] == SHOPIFY_SECRET


def test_apps_and_tokens_are_rotated_as_well(settings: Any, store: Any) -> None:
    app = ShopifyApp.objects.create(name="Texts", client_id="app-1", secrets={"secret": "s3cret"})
    connection = Connection.objects.get(store=store, kind="shopify")
    granted = {"access_token": "token"}
    Grant.objects.create(connection=connection, app=app, kind=Grant.Kind.STATIC, secrets=granted)
    old, new = settings.SMSFLOW["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    use_keys(settings, new, old)
    call_command("smsflow_rotate_keys")
    use_keys(settings, new)
    assert ShopifyApp.objects.get().secret == "s3cret" and Grant.objects.get().secrets == granted
