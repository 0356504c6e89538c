"""The folder of an instance."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from governance.launcher.errors import InstanceError
from governance.launcher.home.home import find_home, open_home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_generated_once_and_private(tmp_path):
    first = open_home(tmp_path / "home")
    names = ("secret_key", "subject_key", "postgres_password", "valkey_password")
    before = {name: first.secret(name) for name in names}

    again = open_home(tmp_path / "home")

    assert again == first
    assert {name: again.secret(name) for name in names} == before
    assert len(set(before.values())) == 4
    assert {mode(first.secret_file(name)) for name in names} == {0o600}
    assert mode(first.path / "secrets") == 0o700
    assert mode(first.path) in {0o700, 0o711}


def test_the_subject_key_is_32_bytes_in_hex(tmp_path):
    assert len(bytes.fromhex(open_home(tmp_path / "home").secret("subject_key"))) == 32


def test_two_homes_share_nothing(tmp_path):
    one, other = open_home(tmp_path / "one"), open_home(tmp_path / "other")

    assert one.instance_id != other.instance_id
    assert one.secret("subject_key") != other.secret("subject_key")


def test_a_setup_that_was_interrupted_is_completed_with_the_same_secrets(tmp_path):
    home = open_home(tmp_path / "home")
    key = home.secret("subject_key")
    (home.path / "instance.json").unlink()
    home.secret_file("valkey_password").unlink()

    completed = open_home(home.path)

    assert completed.secret("subject_key") == key
    assert completed.secret("valkey_password")


def test_a_file_is_no_home(tmp_path):
    file = tmp_path / "file"
    file.write_text("")

    for path in (file, file / "below"):
        with pytest.raises(InstanceError, match="not a folder"):
            open_home(path)


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    before = mode(tmp_path)

    with pytest.raises(InstanceError, match="other files"):
        open_home(tmp_path)

    assert mode(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.fixture
def not_root():
    """Go on as a user who may not write everywhere."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_a_folder_that_cannot_be_written_is_refused(not_root):
    # Not below pytest's folder, which is closed to all but root where root runs the tests.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o500)

        with pytest.raises(InstanceError, match="cannot be written"):
            open_home(Path(folder) / "home")


def test_a_relative_home_is_taken_from_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert open_home(Path("home")).path == tmp_path / "home"


def test_looking_for_a_home_makes_none(tmp_path):
    assert find_home(tmp_path / "home") is None
    assert not (tmp_path / "home").exists()


def test_a_damaged_identity_is_reported_and_not_replaced(tmp_path):
    home = open_home(tmp_path / "home")
    (home.path / "instance.json").write_text("{")

    with pytest.raises(InstanceError, match="damaged"):
        open_home(home.path)
