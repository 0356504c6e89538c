"""What the user of the database server can reach."""

import os
from pathlib import Path

from governance.launcher.home.server_user import ServerUser

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
