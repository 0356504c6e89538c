import pytest
from django.db import connection

from common.postgres.databases import end_sessions


@pytest.fixture(scope="session", autouse=True)
def no_connection_outlives_the_tests(django_db_setup, django_db_blocker):
    """The live server's threads keep their connections, which would keep the test database from being dropped."""
    yield
    with django_db_blocker.unblock():
        connection.ensure_connection()
        end_sessions(connection.connection, connection.settings_dict["NAME"])
