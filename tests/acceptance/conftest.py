import pytest
from django.db import connection


@pytest.fixture(scope="session", autouse=True)
def no_connection_outlives_the_tests(django_db_setup, django_db_blocker):
    """The live server's threads keep their connections, which would keep the test database from being dropped."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
