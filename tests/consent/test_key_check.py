"""The key of the pseudonyms is checked against the database it belongs to."""

import os
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import AuditEvent
from common.models import KeyCheck
from consent import key_check
from tests.helpers.paths import CHECKOUT

OTHER = b"\x01" * 32


@pytest.mark.django_db
def test_the_first_key_is_stored_as_a_check_value(settings: Any) -> None:
    key_check.ensure()
    key_check.ensure()

    value = bytes(KeyCheck.objects.get().value)
    assert len(value) == 32
    assert value != settings.SUBJECT_KEY


@pytest.mark.django_db
def test_another_key_is_refused(settings: Any) -> None:
    key_check.ensure()
    settings.SUBJECT_KEY = OTHER

    with pytest.raises(key_check.WrongSubjectKey, match="second person"):
        key_check.ensure()
    with pytest.raises(CommandError, match="SUBJECT_KEY is not the key"):
        call_command("prepare", "--fast", stdout=StringIO())


@pytest.mark.django_db
def test_a_lost_key_is_replaced_only_with_consent(register_in_force: None, api: Any, settings: Any) -> None:
    api.save("anna", "give")
    key_check.ensure()
    settings.SUBJECT_KEY = OTHER

    with pytest.raises(CommandError, match="--people-become-unknown"):
        call_command("subject_key", "replace", stdout=StringIO())
    call_command("subject_key", "replace", "--people-become-unknown", stdout=StringIO())

    assert key_check.matches()
    assert AuditEvent.objects.filter(action="subject_key.replaced", actor="command:subject_key").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", [0, 1])
def test_a_web_process_with_another_key_does_not_start(status: int, settings: Any) -> None:
    key_check.ensure()
    key = (OTHER if status else settings.SUBJECT_KEY).hex()
    own = connection.settings_dict
    url = f"postgresql://{own['USER']}:{own['PASSWORD']}@/{own['NAME']}?host={own['HOST']}&port={own['PORT'] or 5432}"
    environment = {**os.environ, "DATABASE_URL": url, "SUBJECT_KEY": key, "SECRET_KEY": "only-for-tests-" * 4}
    environment.pop("SUBJECT_KEY_FILE", None)
    environment["DJANGO_SETTINGS_MODULE"] = "governance.settings.local"

    done = subprocess.run(
        [sys.executable, "-c", "import governance.wsgi"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status, done.stderr
    assert ("SUBJECT_KEY is not the key this database was filled under" in done.stderr) == bool(status)
