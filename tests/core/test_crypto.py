from smsflow_plugin.models import Connection


def test_credentials_are_stored_encrypted_and_read_back(store, django_assert_num_queries):
    connection = Connection.objects.get(store=store, kind="sinch")
    assert connection.secrets["api_token"] == "token"
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute("SELECT secrets FROM smsflow_connection WHERE id = %s", [connection.pk])
        assert "token" not in cursor.fetchone()[0]
