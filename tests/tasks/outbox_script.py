"""Run by ``test_worker`` as a process: queues a text, nudges, and waits until a worker has sent it."""

from __future__ import annotations

import sys
import time

import django
from django.db import transaction


def main() -> int:
    django.setup()
    from smsflow_plugin.models import Connection, Message, Store
    from smsflow_plugin.nudge import nudge

    with transaction.atomic():
        store = Store.objects.create(name="Sierra Gear", brand="Sierra Gear", sender="+12025550100")
        Connection.objects.create(store=store, kind="null", account=f"null-{store.pk}")
        message = Message.objects.create(
            store=store, message_class="reply", sender=store.sender, to="+12025550111", body="Hi", key="one"
        )
        nudge("dispatch")
    # well below a minute: it is the nudge that works, not the tick
    end = time.monotonic() + 30
    while time.monotonic() < end:
        message.refresh_from_db()
        if message.state == "accepted":
            return 0
        time.sleep(0.05)
    return 1


if __name__ == "__main__":
    sys.exit(main())
