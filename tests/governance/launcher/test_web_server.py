"""Which web server an instance starts."""

import pytest

from governance.launcher.errors import InstanceError
from governance.launcher.home.home import open_home
from governance.launcher.process_specs import process_specs


def _command(home):
    return next(spec.command for spec in process_specs(home, port=8123) if spec.name == "web")


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


def test_front_is_the_web_server(home, monkeypatch):
    monkeypatch.delenv("WEB_SERVER", raising=False)

    assert _command(home)[1:] == (
        *("-m", "governance.front", "--host", "127.0.0.1", "--port", "8123", "--workers", "2"),
        "governance.wsgi:application",
    )


def test_granian_is_the_web_server_where_it_is_asked_for(home, monkeypatch):
    monkeypatch.setenv("WEB_SERVER", "granian")

    assert _command(home)[1:5] == ("-m", "granian", "--interface", "wsgi")


def test_unknown_web_server_is_refused(home, monkeypatch):
    monkeypatch.setenv("WEB_SERVER", "apache")

    with pytest.raises(InstanceError, match="front, granian"):
        _command(home)
