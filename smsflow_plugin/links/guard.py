"""Keeps people from trying codes out: whoever asks for too many that do not exist is not answered for a while."""

from __future__ import annotations

from contextlib import suppress

from django.core.cache import cache
from django.http import HttpRequest

from smsflow_plugin.callers import client_ip, connection_of

#: So many codes that do not exist within so many seconds. Links in texts exist, so nobody else comes near it.
MISSES, SECONDS = 20, 60


def is_guessing(request: HttpRequest) -> bool:
    return bool(cache.get(_key(request), 0) >= MISSES)


def note_miss(request: HttpRequest) -> None:
    key = _key(request)
    if cache.add(key, 1, SECONDS):
        return
    # it may run out between the two
    with suppress(ValueError):
        cache.incr(key)


def _key(request: HttpRequest) -> str:
    return f"smsflow:misses:{connection_of(client_ip(request))}"
