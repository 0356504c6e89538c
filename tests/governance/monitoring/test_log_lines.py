"""Log lines are JSON with the request's id; an id that was sent well-formed is used and returned."""

import json
import logging

import pytest

from governance.monitoring import log_lines
from governance.monitoring.log_lines import JsonLines
from tests.helpers.wsgi_calls import call

FORM = JsonLines()


def record(message, **members):
    return logging.makeLogRecord({"name": "a.b", "levelname": "INFO", "msg": message, **members})


def test_a_line_is_one_json_object_whatever_its_message_holds():
    error = ValueError("broken")
    line = FORM.format(record('a "quote"\nand %s', args=("more",), exc_info=(ValueError, error, None)))
    assert "\n" not in line
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == ("INFO", "a.b", 'a "quote"\nand more')
    assert "ValueError: broken" in found["exception"]
    assert "request_id" not in found


def test_lines_of_a_request_carry_its_id_and_later_ones_none():
    log_lines.begin("abc-1", needed=False)
    assert json.loads(FORM.format(record("x")))["request_id"] == "abc-1"
    log_lines.end()
    assert "request_id" not in json.loads(FORM.format(record("x")))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/ready", "/api/v1/purposes"])
def test_a_well_formed_request_id_is_returned_and_another_replaced(path):
    answer = call(b"", None, path=path, method="GET", HTTP_X_REQUEST_ID="abc.DEF-1")
    assert answer.headers["X-Request-ID"] == "abc.DEF-1"
    for bad in ("a b", "x" * 65, "a\r\nb: c", None):
        made = call(b"", None, path=path, method="GET", HTTP_X_REQUEST_ID=bad).headers["X-Request-ID"]
        assert made != bad
        assert len(made) == 16


@pytest.mark.django_db
def test_a_line_logged_while_a_request_is_answered_has_its_id(monkeypatch, caplog):
    caplog.handler.setFormatter(FORM)
    lines = []
    monkeypatch.setattr(caplog.handler, "emit", lambda each: lines.append(json.loads(FORM.format(each))))
    monkeypatch.setattr("governance.wsgi._here", lambda *_: 1 / 0)
    assert call(b"", None, path="/privacy/", method="GET", HTTP_X_REQUEST_ID="req-7").status == 500
    assert [line["request_id"] for line in lines if line["message"] == "An answer failed"] == ["req-7"]
