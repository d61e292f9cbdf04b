"""A worker that is killed as soon as Shopify has done what it was asked. Run by ``test_killed``.

python -m tests.shopify_writes.killed NAME_OF_THE_OPERATION
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

import django


def main(operation: str) -> None:
    django.setup()
    from smsflow_plugin.integrations.shopify.admin import transport
    from smsflow_plugin.integrations.shopify.writes import outbox

    post = transport.post

    def and_die(url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> transport.Answer:
        answer = post(url, body, headers)
        if body["operationName"] == operation:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    transport.post = and_die
    while outbox.write_out():
        pass


if __name__ == "__main__":
    main(sys.argv[1])
