"""What the words after ``./assent`` mean."""

import errno

import pytest

from governance.launcher import cells, cli, instance
from governance.launcher.errors import InstanceError


@pytest.mark.parametrize(
    "words",
    [
        ["--home", "/x", "--port", "9001", "up"],
        ["up", "--home", "/x", "--port", "9001"],
        ["--port=9001", "up", "--home=/x"],
        ["up", "--home", "/y", "--port", "9001", "--home", "/x"],
    ],
)
def test_home_and_port_may_stand_anywhere(words):
    command, request = cli.parse(words)

    assert (command, str(request.home), request.port, request.arguments) == ("up", "/x", 9001, [])


def test_a_relative_home_belongs_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert cli.parse(["up", "--home", "h"])[1].home == tmp_path / "h"


def test_the_home_is_in_the_checkout_unless_named():
    assert cli.parse(["up"])[1].home == cli.CHECKOUT / ".assent"


def test_other_words_are_passed_on_in_order():
    _, request = cli.parse(["manage", "migrate", "--home", "/x", "--plan", "policies"])

    assert request.arguments == ["migrate", "--plan", "policies"]


def test_after_two_dashes_nothing_is_ours():
    _, request = cli.parse(["test", "--port", "9001", "--", "--home", "there"])

    assert request.arguments == ["--home", "there"]
    assert request.port == 9001


@pytest.mark.parametrize("words", [["up", "--home"], ["up", "--home="], ["--port"], ["up", "--port", "no"]])
def test_an_option_without_a_usable_value_is_refused(words):
    with pytest.raises(InstanceError, match=r"needs a value|from 1 to 65535"):
        cli.parse(words)


@pytest.mark.parametrize(
    "words", [["frobnicate"], ["up", "now"], ["down", "--", "x"], ["status", "--yaml"], ["demo", "--dataset"]]
)
def test_what_is_not_understood_is_refused_with_status_2(words, tmp_path, capsys):
    status = cli.main(["--home", str(tmp_path / "h"), *words])

    assert status == 2
    assert capsys.readouterr().err.startswith("assent: ")
    assert not (tmp_path / "h").exists()


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], ["up", "--help"], ["demo", "-h"]])
def test_help_is_an_answer(words, capsys):
    assert cli.main(words) == 0
    assert capsys.readouterr().out.startswith("usage: ./assent")


def test_a_dataset_must_hold_the_four_files(tmp_path, capsys):
    (tmp_path / "geoplaces2.csv").write_text("")

    status = cli.main(["demo", "--dataset", str(tmp_path), "--home", str(tmp_path / "h")])

    assert status == 2
    assert "lacks chefmozcuisine.csv, rating_final.csv, userprofile.csv" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_sentence(number, monkeypatch, capsys):
    def fail(_request: cli.Request) -> int:
        raise OSError(number, "full", "/somewhere")

    monkeypatch.setitem(cli._OWN, "up", fail)

    assert cli.main(["up"]) == 1
    assert "no space left on the disk that holds /somewhere" in capsys.readouterr().err


def test_status_of_a_home_that_never_was_is_3(tmp_path, capsys):
    assert cli.main(["status", "--home", str(tmp_path / "h")]) == 3
    assert "not running" in capsys.readouterr().out


def test_stopping_what_does_not_run_is_no_failure(tmp_path):
    assert cli.main(["down", "--home", str(tmp_path / "h")]) == 0


@pytest.mark.parametrize(("words", "certification"), [(["up"], False), (["up", "--certification"], True)])
def test_the_certification_package_is_asked_for_by_name(words, certification, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(instance, "run_instance", lambda home, **options: started.append(options) or 0)

    assert cli.main(["--home", str(tmp_path / "h"), *words]) == 0

    assert started == [{"port": 8000, "certification": certification}]


def test_only_an_instance_can_be_asked_for_it(capsys):
    assert cli.main(["demo", "--certification"]) == 2
    assert "--certification" in capsys.readouterr().err


def test_two_cells_need_servers_and_a_folder_of_their_own(tmp_path, monkeypatch, capsys):
    for name in cells._SERVERS:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "instance.json").write_text('{"id": "1"}')

    assert cli.main(["demo", "--cells", "--home", str(tmp_path)]) == 2
    assert "is the home of one instance" in capsys.readouterr().err

    monkeypatch.setenv("DATABASE_URL", "postgresql://shared/assent")
    assert cli.main(["demo", "--cells", "--home", str(tmp_path / "h")]) == 2
    assert "unset DATABASE_URL" in capsys.readouterr().err
    assert not (tmp_path / "h").exists()


def test_two_cells_take_no_dataset(tmp_path, capsys):
    assert cli.main(["demo", "--cells", "--dataset", str(tmp_path), "--home", str(tmp_path / "h")]) == 2
    assert "--dataset" in capsys.readouterr().err


def test_the_environment_of_a_cell_says_which_it_is_and_nothing_of_another_instance(tmp_path, monkeypatch):
    for name in ("PUBLIC_URL", "SECRET_KEY", "SUBJECT_KEY_FILE", "BROKER_URL"):
        monkeypatch.setenv(name, "of another instance")

    made = cells._cells(tmp_path / "h", 9000)

    assert {name: cell.port for name, cell in made.items()} == {"eu": 9000, "us": 9001}
    assert {cell.environment["CELL"] for cell in made.values()} == {"eu", "us"}
    assert all("of another instance" not in cell.environment.values() for cell in made.values())
