"""What a caller writes into the Host header is in no log, nor is a traceback."""

import io
import json
import logging
import logging.config

import pytest
from django.conf import settings
from django.test import Client


@pytest.fixture
def log():
    """What the configured handler writes."""
    handler = logging.config.DictConfigurator(settings.LOGGING)
    handler.configure()
    console = logging.getLogger().handlers[-1]
    stream, console.stream = console.stream, io.StringIO()
    yield console.stream
    console.stream = stream


@pytest.mark.parametrize("host", ["localhost@evil", "evil.example", "a b"])
def test_a_foreign_host_header_is_one_line_without_its_text(log, host):
    answer = Client(headers={"host": host}).get("/")

    (line,) = map(json.loads, log.getvalue().splitlines())
    assert answer.status_code == 400
    assert (line["logger"], line["message"]) == (
        "django.security.DisallowedHost",
        "A request was refused: DisallowedHost",
    )
    assert host not in log.getvalue()


def test_other_messages_are_left_as_they_are(log):
    try:
        int("ours")
    except ValueError:
        logging.getLogger("governance").exception("A job failed: %s", "backup")

    assert "A job failed: backup" in log.getvalue()
    assert "Traceback" in log.getvalue()
