"""Encryption of stored credentials, with keys of their own that can be rotated.

``SMSFLOW["ENCRYPTION_KEYS"]`` lists Fernet keys: the first one encrypts, all of
them decrypt. To rotate, put a new key in front, run ``smsflow_rotate_keys`` and
drop the old one.
"""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from smsflow_plugin.conf import smsflow_settings


class CannotDecrypt(Exception):
    """None of the configured keys opens the stored value."""


def _fernet() -> MultiFernet:
    keys = smsflow_settings.ENCRYPTION_KEYS
    if not keys:
        raise ImproperlyConfigured("Set SMSFLOW['ENCRYPTION_KEYS'] to at least one Fernet key.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            f"SMSFLOW['ENCRYPTION_KEYS'] holds a key that is not a Fernet key: {error}."
        ) from error


def encrypt(value: Any) -> str:
    return _fernet().encrypt(json.dumps(value).encode()).decode()


def decrypt(token: str) -> Any:
    try:
        return json.loads(_fernet().decrypt(token.encode()))
    except InvalidToken as error:
        raise CannotDecrypt("The value was encrypted with a key that is no longer configured.") from error


def keyed_hash(purpose: str, value: str) -> str:
    """Return a hash of ``value`` in hex that nobody makes without the key.

    A phone number has too few digits for a plain hash. Equal values have equal hashes for one purpose,
    and different ones for another.
    """
    keys = smsflow_settings.ENCRYPTION_KEYS
    if not keys:
        raise ImproperlyConfigured("Set SMSFLOW['ENCRYPTION_KEYS'] to at least one Fernet key.")
    first = keys[0] if isinstance(keys[0], bytes) else str(keys[0]).encode()
    key = hmac.new(first, f"smsflow {purpose}".encode(), sha256).digest()
    return hmac.new(key, value.encode(), sha256).hexdigest()


class EncryptedJSONField(models.TextField[Any, Any]):
    """A JSON value, encrypted at rest. It cannot be searched, on purpose."""

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encrypt(value)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else decrypt(value)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        # a fixture must not carry secrets in clear
        return encrypt(self.value_from_object(obj))
