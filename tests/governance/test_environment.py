"""The environment of a process: nonsense is refused at start, and no message holds a secret."""

import json
import os
import subprocess
import sys
from ipaddress import ip_network

import pytest

from governance import checks
from governance.env import BadEnvironment, Environment, read_environment
from tests.helpers.paths import CHECKOUT

SECRET = "s3cr3t-" * 6
PASSWORD = "pa55word"
VALID = {
    "DATABASE_URL": f"postgresql://assent:{PASSWORD}@db.example.org:5432/assent",
    "BROKER_URL": f"rediss://:{PASSWORD}@broker.example.org:6379/0",
    "ASSENT_HOME": "/var/lib/assent",
    "SECRET_KEY": SECRET,
    "SUBJECT_KEY": "5e" * 32,
}
SIGN_IN = {
    "SUBJECT_OIDC_ISSUER": "https://login.example.org/realms/shop",
    "SUBJECT_OIDC_CLIENT_ID": "assent",
    "SUBJECT_OIDC_CLIENT_SECRET": PASSWORD,
}
OFFICERS = {
    **{name.replace("SUBJECT", "OFFICER"): value for name, value in SIGN_IN.items()},
    "OFFICER_OIDC_ROLES": "dpo=privacy-officer, dpo=approver, a=b=auditor",
}
_OTHERS = [*(name.upper() for name in Environment.model_fields)]


@pytest.fixture
def environment(monkeypatch):
    """Set exactly these variables besides the valid ones; None takes one away. Then read the environment."""

    def read(**changes):
        for name in _OTHERS:
            monkeypatch.delenv(name, raising=False)
        for name, value in {**VALID, **changes}.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return read_environment()

    return read


def test_what_is_needed_is_enough(environment):
    env = environment()

    assert env.database_url.get_secret_value() == VALID["DATABASE_URL"]
    assert (env.debug, env.opa_url, env.processing_region) == (False, None, "eu-central")
    assert env.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "localhost"),
        ({"PUBLIC_URL": "https://privacy.example.org:8443"}, "privacy.example.org"),
        ({"PUBLIC_URL": "https://privacy.example.org", "BUSINESS_NAME": "Southwind"}, "Southwind"),
    ],
)
def test_an_installation_is_called_by_its_name_or_by_its_host(environment, changes, shown):
    assert environment(**changes).name_shown == shown


def test_an_operator_is_told_that_the_name_is_missing(settings):
    assert checks.check_business_name(None) == []

    settings.BUSINESS_NAME_IS_SET = False

    assert [warning.id for warning in checks.check_business_name(None)] == ["governance.W003"]


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"DEBUG": "true"}, "debug", True),
        ({"DEBUG": "0"}, "debug", False),
        ({}, "certification", False),
        ({"CERTIFICATION": "true"}, "certification", True),
        ({"DEBUG": "False"}, "debug", False),
        ({"ALLOWED_HOSTS": "a.example.org, b.example.org,"}, "allowed_hosts", ["a.example.org", "b.example.org"]),
        ({"PUBLIC_URL": "https://privacy.example.org/"}, "public_url", "https://privacy.example.org"),
        ({"PUBLIC_URL": "http://[::1]:8000"}, "public_url", "http://[::1]:8000"),
        ({"OPA_TIMEOUT_MS": "50"}, "opa_timeout_ms", 50),
        ({"OPA_PUSH": "false"}, "opa_push", False),
        ({"OPA_STAND_IN": "embedded"}, "opa_stand_in", "embedded"),
        ({}, "opa_stand_in", None),
        ({"OPA_LONG_POLL_WAITERS": "0"}, "opa_long_poll_waiters", 0),
        ({"READY_OPA_BEHIND_S": "60"}, "ready_opa_behind_s", 60),
        ({"PROCESSING_REGION": "us-east"}, "processing_region", "us-east"),
        ({"DATABASE_URL": "postgresql://assent@/assent?host=/run/pg"}, "debug", False),
        ({"BROKER_URL": "redis+socket:///run/valkey.sock"}, "debug", False),
        (
            {"TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"},
            "trusted_proxies",
            [ip_network("10.0.0.0/8"), ip_network("fd00::/8")],
        ),
        ({"TRUSTED_PROXIES": ""}, "trusted_proxies", []),
        ({}, "otel_exporter_otlp_endpoint", None),
        ({"OTEL_TRACES_SAMPLER_ARG": "0.25"}, "otel_traces_sampler_arg", 0.25),
        (SIGN_IN, "subject_oidc_claim", "sub"),
        ({**SIGN_IN, "SUBJECT_OIDC_ISSUER": "http://localhost:9000/realm"}, "subject_oidc_claim", "sub"),
        ({}, "officer_mfa", "optional"),
        ({"OFFICER_MFA": "required"}, "officer_mfa", "required"),
        (OFFICERS, "officer_oidc_roles", {"dpo": ["privacy-officer", "approver"], "a=b": ["auditor"]}),
        (OFFICERS, "officer_oidc_scopes", ["profile"]),
        ({"UNRELATED": "anything"}, "debug", False),
    ],
)
def test_what_makes_sense_is_read(environment, changes, name, value):
    assert getattr(environment(**changes), name) == value


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"DATABASE_URL": None}, "DATABASE_URL"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": f"mysql://assent:{PASSWORD}@db/assent"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"host=db password={PASSWORD}"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://assent:{PASSWORD}\u2100@db/assent"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://assent:[{PASSWORD}]@db/assent"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://assent:{PASSWORD}%zz@db/assent"}, "DATABASE_URL"),
        ({"DATABASE_URL": f"postgresql://assent@db/assent?pass={PASSWORD}"}, "DATABASE_URL"),
        ({"BROKER_URL": None}, "BROKER_URL"),
        ({"BROKER_URL": f"amqp://assent:{PASSWORD}@broker"}, "BROKER_URL"),
        ({"BROKER_URL": f"redis://:{PASSWORD}\u2100@broker"}, "BROKER_URL"),
        ({"OPA_URL": f"ftp://opa:{PASSWORD}@opa"}, "OPA_URL"),
        ({"OPA_URL": f"http://opa:{PASSWORD}\u2100@opa"}, "OPA_URL"),
        ({"OPA_URL": ""}, "OPA_URL"),
        ({"OPA_CANDIDATE_URL": f"ftp://opa:{PASSWORD}@opa"}, "OPA_CANDIDATE_URL"),
        ({"OPA_TIMEOUT_MS": "soon"}, "OPA_TIMEOUT_MS"),
        ({"OPA_TIMEOUT_MS": "0"}, "OPA_TIMEOUT_MS"),
        ({"OPA_TIMEOUT_MS": "10001"}, "OPA_TIMEOUT_MS"),
        ({"OPA_PUSH": "yes"}, "OPA_PUSH"),
        ({"OPA_STAND_IN": "regorus"}, "OPA_STAND_IN"),
        ({"OPA_STAND_IN": ""}, "OPA_STAND_IN"),
        ({"OPA_BREAKER_FAILURES": "0"}, "OPA_BREAKER_FAILURES"),
        ({"OPA_LONG_POLL_S": "31"}, "OPA_LONG_POLL_S"),
        ({"READY_LOG_LAG_S": "never"}, "READY_LOG_LAG_S"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": f"grpc://traces:{PASSWORD}@collector"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_TRACES_SAMPLER_ARG": "all"}, "OTEL_TRACES_SAMPLER_ARG"),
        ({"OTEL_TRACES_SAMPLER_ARG": "1.1"}, "OTEL_TRACES_SAMPLER_ARG"),
        ({"ASSENT_HOME": None}, "ASSENT_HOME"),
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SUBJECT_KEY": None}, "SUBJECT_KEY"),
        ({"SUBJECT_KEY": "5e" * 31}, "SUBJECT_KEY"),
        ({"SUBJECT_KEY": "5e" * 32 + "5"}, "SUBJECT_KEY"),
        ({"SUBJECT_KEY": "5e" * 65}, "SUBJECT_KEY"),
        ({"SUBJECT_KEY": SECRET * 2}, "SUBJECT_KEY"),
        ({"DEBUG": "yes"}, "DEBUG"),
        ({"DEBUG": "on"}, "DEBUG"),
        ({"DEBUG": ""}, "DEBUG"),
        ({"PUBLIC_URL": "privacy.example.org"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://privacy.example.org/path"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "javascript://privacy"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://privacy.example.org"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://localhost.example.org"}, "PUBLIC_URL"),
        ({"TRUSTED_PROXIES": "everybody"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
        ({**SIGN_IN, "SUBJECT_OIDC_ISSUER": "http://login.example.org"}, "SUBJECT_OIDC_ISSUER"),
        ({**SIGN_IN, "SUBJECT_OIDC_ISSUER": "https://login.example.org/?a=b"}, "SUBJECT_OIDC_ISSUER"),
        ({**SIGN_IN, "SUBJECT_OIDC_CLIENT_ID": None}, "SUBJECT_OIDC_CLIENT_ID"),
        ({"OFFICER_MFA": "yes"}, "OFFICER_MFA"),
        ({**OFFICERS, "OFFICER_OIDC_ROLES": None}, "OFFICER_OIDC_ROLES"),
        ({**OFFICERS, "OFFICER_OIDC_ROLES": "dpo=king"}, "OFFICER_OIDC_ROLES"),
        ({**OFFICERS, "OFFICER_OIDC_ROLES": "auditor"}, "OFFICER_OIDC_ROLES"),
        ({**OFFICERS, "OFFICER_OIDC_CLIENT_SECRET": None}, "OFFICER_OIDC_CLIENT_SECRET"),
        ({**OFFICERS, "OFFICER_OIDC_ISSUER": "http://login.example.org"}, "OFFICER_OIDC_ISSUER"),
        ({**SIGN_IN, "SUBJECT_OIDC_CLIENT_SECRET": None}, "SUBJECT_OIDC_CLIENT_SECRET"),
        (
            {**SIGN_IN, "SUBJECT_OIDC_ISSUER": "http://localhost:9000", "PUBLIC_URL": "https://privacy.example.org"},
            "SUBJECT_OIDC_ISSUER",
        ),
        ({"PROCESSING_REGION": "EU"}, "PROCESSING_REGION"),
        ({"PROCESSING_REGION": "e"}, "PROCESSING_REGION"),
        ({"BUSINESS_NAME": ""}, "BUSINESS_NAME"),
        ({"BUSINESS_NAME": "x" * 81}, "BUSINESS_NAME"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
    ],
)
def test_nonsense_is_refused_by_name_and_without_a_secret(environment, changes, named):
    with pytest.raises(BadEnvironment) as refused:
        environment(**changes)

    message = str(refused.value)
    assert named in message
    for secret in (PASSWORD, "s3cr3t", "5e5e", "short"):
        assert secret not in message


def test_every_fault_has_a_line_of_its_own(environment):
    with pytest.raises(BadEnvironment) as refused:
        environment(DEBUG="yes", OPA_TIMEOUT_MS="0", BROKER_URL=None)

    first, *lines = str(refused.value).splitlines()
    assert first == "The environment cannot be used:"
    assert sorted(line.split(":")[0].strip() for line in lines) == ["BROKER_URL", "DEBUG", "OPA_TIMEOUT_MS"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "SUBJECT_KEY"])
def test_a_secret_may_lie_in_a_file(environment, tmp_path, name):
    place = tmp_path / "secret"
    place.write_text(VALID[name] + "\n")

    env = environment(**{name: None, f"{name}_FILE": str(place)})

    assert getattr(env, name.lower()).get_secret_value() == VALID[name]


def test_other_databases_may_lie_in_a_file_and_a_bad_one_is_refused(environment, tmp_path):
    place = tmp_path / "databases"
    place.write_text(f"shop=postgresql://reader:{PASSWORD}@db.example.org/shop\n")
    assert PASSWORD in environment(EXTERNAL_DATABASES_FILE=str(place)).external_databases.get_secret_value()

    with pytest.raises(BadEnvironment) as refused:
        environment(EXTERNAL_DATABASES=f"shop=postgresql://reader:{PASSWORD}@db.example.org/shop?sslmode=disable")

    assert "EXTERNAL_DATABASES must have sslmode=verify-full for shop" in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_the_file_counts_where_both_are_named(environment, tmp_path):
    place = tmp_path / "secret"
    place.write_text("f" * 40)

    assert environment(SECRET_KEY_FILE=str(place)).secret_key.get_secret_value() == "f" * 40


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file"),
        (b"", "at least 32 characters"),
        (b"too short", "at least 32 characters"),
        (b"\xff\xfe" * 40, "is not text"),
    ],
    ids=["no file", "empty", "too short", "no text"],
)
def test_a_file_that_holds_no_secret_is_refused(environment, tmp_path, content, sentence):
    place = tmp_path / "secret"
    if content is not None:
        place.write_bytes(content)

    with pytest.raises(BadEnvironment) as refused:
        environment(SECRET_KEY=None, SECRET_KEY_FILE=str(place))

    assert "SECRET_KEY_FILE" in str(refused.value)
    assert sentence in str(refused.value)
    assert "too short" not in str(refused.value)


def test_secrets_do_not_show_when_the_environment_is_printed(environment, tmp_path):
    shown = f"{environment()!r} {environment()}"

    for secret in (PASSWORD, SECRET, VALID["SUBJECT_KEY"]):
        assert secret not in shown


def test_a_process_with_nonsense_ends_in_a_sentence_and_no_traceback(tmp_path):
    variables = {**VALID, "ASSENT_HOME": str(tmp_path), "DEBUG": "yes", "PATH": os.environ["PATH"]}

    ended = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**variables, "DJANGO_SETTINGS_MODULE": "governance.settings.local"},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.splitlines() == ["The environment cannot be used:", "  DEBUG: must be true or false"]


def _cells(folder, **changes):
    """A table of two cells in a file, with the files it names."""
    (folder / "token").write_text("t" * 40)
    cells = [
        {"name": name, "processing_region": region, "url": f"https://{name}.example.org", "token_file": "token"}
        for name, region in (("eu", "eu-central"), ("us", "us-east"))
    ]
    path = folder / "cells.json"
    path.write_text(json.dumps({"primary": "us", "cells": cells, **changes}))
    return str(path)


def test_an_installation_stands_alone_unless_it_is_told_which_cell_it_is(environment, tmp_path):
    assert environment().cells() is None

    env = environment(CELL="us", CELLS_FILE=_cells(tmp_path))

    assert (env.cells().own.name, env.processing_region) == ("us", "us-east")
    assert (
        environment(CELL="us", CELLS_FILE=_cells(tmp_path), PROCESSING_REGION="us-east").processing_region == "us-east"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"CELL": "us", "CELLS_FILE": None}, "needed together"),
        ({"CELL": None}, "needed together"),
        ({"CELL": "asia"}, "not among the cells"),
        ({"CELL": "US"}, "CELL"),
        ({"CELLS_FILE": "/absent"}, "cannot be read"),
        ({"PROCESSING_REGION": "eu-central"}, "another than CELLS_FILE says"),
        ({"CELL": "eu"}, "needs keys_file"),
    ],
)
def test_a_cell_that_makes_no_sense_is_refused(environment, tmp_path, changes, sentence):
    with pytest.raises(BadEnvironment, match=sentence):
        environment(**{"CELL": "us", "CELLS_FILE": _cells(tmp_path), **changes})
