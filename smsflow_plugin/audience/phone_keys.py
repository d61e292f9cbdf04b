"""Keyed hashes of phone numbers: they can be recognised, and never be read back.

A plain hash would be no secret, for there are few enough numbers to try them all. The key
is ``SMSFLOW["PHONE_PEPPER"]``, one text or a list: the first one hashes, all are looked up
with, so that a new one can be put in front and nothing is forgotten. Where none is set it
is derived from the encryption keys, see docs/consent.md.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.exceptions import ImproperlyConfigured

from smsflow_plugin.conf import smsflow_settings

_INFO = b"smsflow phone numbers"


def hash_phone(phone: str) -> str:
    """Return the hash of an E.164 number under the first key; empty without a number."""
    return _hash(_keys()[0], phone) if phone else ""


def phone_hashes(phone: str) -> list[str]:
    """Return the number's hashes under every key that is known, to look it up."""
    return [_hash(key, phone) for key in _keys()] if phone else []


def key_id() -> str:
    """Return a name of the first key that says nothing about it."""
    return key_ids()[0]


def key_ids() -> list[str]:
    return [sha256(b"id:" + key).hexdigest()[:16] for key in _keys()]


def peppers() -> list[str]:
    """Return the texts that make the keys, as they could stand in the setting.

    :raises ImproperlyConfigured: if there is neither a pepper nor an encryption key.
    """
    given = smsflow_settings.PHONE_PEPPER
    own = [given] if isinstance(given, str) else list(given)
    found = [text for text in own if text] or [derived(str(key)) for key in smsflow_settings.ENCRYPTION_KEYS]
    if not found:
        raise ImproperlyConfigured("Set SMSFLOW['PHONE_PEPPER'] to a long random text.")
    return found


@lru_cache(maxsize=16)
def derived(encryption_key: str) -> str:
    """Return the pepper that stands in for a missing one."""
    hkdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_INFO)
    return hkdf.derive(encryption_key.encode()).hex()


def _keys() -> Sequence[bytes]:
    return [text.encode() for text in peppers()]


def _hash(key: bytes, phone: str) -> str:
    return hmac.digest(key, phone.encode(), "sha256").hex()
