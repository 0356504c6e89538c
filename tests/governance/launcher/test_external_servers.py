"""Servers named in the environment."""

import pytest

from governance.launcher.errors import InstanceError
from governance.launcher.servers.external_servers import external_servers

GOOD = [
    ("DATABASE_URL", "postgresql://me:s3cret@db.example.org:5432/assent"),
    ("DATABASE_URL", "postgres://me@[2001:db8::1]/assent?sslmode=require"),
    ("DATABASE_URL", "postgresql://me:s3cret@/assent?host=%2Frun%2Fpg"),
    ("BROKER_URL", "redis://:s3cret@queue:6379/1"),
    ("BROKER_URL", "rediss://queue/0"),
    ("BROKER_URL", "redis+socket://:s3cret@/run/valkey.sock?virtual_host=0"),
    ("OPA_URL", "http://127.0.0.1:8181"),
    ("OPA_URL", "https://opa.example.org/"),
]
BAD = [
    ("DATABASE_URL", "mysql://me:s3cret@db/assent"),
    ("DATABASE_URL", "s3cret"),
    ("DATABASE_URL", "postgresql:s3cret@db/assent"),
    ("DATABASE_URL", "postgresql://me:s3cret@/assent"),
    ("DATABASE_URL", "postgresql://me:s3cret@db"),
    ("DATABASE_URL", "postgresql://me:s3cret@db:http/assent"),
    ("DATABASE_URL", "postgresql://me:s3cret@db:70000/assent"),
    ("DATABASE_URL", "postgresql://me:s3cret@db/ass ent"),
    ("DATABASE_URL", "postgresql://me:s3cret@db/assent\n"),
    ("DATABASE_URL", "postgresql://me:s3cret@[db/assent"),
    ("BROKER_URL", "redis://:s3cret@"),
    ("BROKER_URL", "redis+socket://:s3cret@"),
    ("BROKER_URL", "kafka://:s3cret@queue"),
    ("OPA_URL", "https://"),
    ("OPA_URL", "file:///s3cret"),
    ("OPA_URL", "localhost:8181?s3cret"),
]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_an_address_in_good_form_is_taken_as_it_is(name, value):
    assert getattr(external_servers({name: value}), name.lower()) == value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_nonsense_is_refused_without_repeating_it(name, value):
    with pytest.raises(InstanceError, match=name) as caught:
        external_servers({name: value})

    assert caught.value.exit_code == 2
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_without_addresses_everything_is_embedded():
    found = external_servers({"DATABASE_URL": ""})

    assert (found.database_url, found.broker_url, found.opa_url) == (None, None, None)
