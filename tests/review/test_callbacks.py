"""A callback that cannot be checked now is asked for again."""

from __future__ import annotations

import json

from django.db import connection as database
from django.test import Client

from smsflow_plugin.models import Connection


def test_sinch_calls_again_while_the_key_to_its_secret_is_missing(connection: Connection) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE smsflow_connection SET secrets = 'written with a key that was lost'")
    stop = {"type": "mo_text", "id": "MO1", "from": "12025550101", "to": "12025550100", "body": "STOP"}
    url = f"/smsflow/sinch/{connection.token}/callbacks/"
    answer = Client().post(url, data=json.dumps(stop), content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
