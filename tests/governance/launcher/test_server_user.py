"""What the user of the database server can reach."""

import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from governance.launcher.errors import InstanceError
from governance.launcher.home.server_user import ServerUser, server_user

STRANGER = ServerUser(uid=64999, gid=64999, differs=True)


def test_a_private_folder_is_closed_to_another_user(tmp_path):
    (tmp_path / "private").mkdir(mode=0o700)

    assert not STRANGER.reaches(tmp_path / "private")


def test_what_lies_below_a_private_folder_is_closed_too(tmp_path):
    below = tmp_path / "private" / "open"
    below.mkdir(parents=True)
    (tmp_path / "private").chmod(0o700)
    below.chmod(0o755)

    assert not STRANGER.reaches(below)


def test_the_root_folder_is_open():
    assert STRANGER.reaches(Path("/"))


def test_the_launcher_as_its_own_server_user_changes_nothing(tmp_path):
    user = ServerUser(os.geteuid(), os.getegid(), differs=False)

    assert user.reaches(tmp_path)
    assert user.popen_arguments() == {}


@pytest.mark.parametrize(
    ("known", "chosen"), [({"assent-postgres": 901, "nobody": 65534}, (901, False)), ({"nobody": 65534}, (65534, True))]
)
def test_root_prefers_a_user_of_its_own(monkeypatch, known, chosen):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=known[name], pw_gid=known[name]))

    user = server_user()

    assert (user.uid, user.is_shared) == chosen
    assert user.differs


def test_without_any_such_user_root_is_refused(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", {}.__getitem__)

    with pytest.raises(InstanceError, match="assent-postgres"):
        server_user()


def test_a_cluster_of_another_user_is_taken_over(monkeypatch, tmp_path):
    owners = {}
    monkeypatch.setattr(os, "chown", lambda path, uid, gid, **_: owners.__setitem__(path, (uid, gid)))
    (tmp_path / "data" / "base").mkdir(parents=True)

    STRANGER.own_all(tmp_path)

    assert owners == dict.fromkeys([tmp_path, tmp_path / "data", tmp_path / "data" / "base"], (64999, 64999))
