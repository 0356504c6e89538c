"""The anonymise command: what it writes, and what it refuses in a sentence."""

import json
import os
import signal
import subprocess
import sys

import pytest

from privacy.anonymisation.command import main
from tests.helpers.paths import CHECKOUT


@pytest.fixture
def table(tmp_path):
    source = tmp_path / "people.csv"
    source.write_text("name,age,city\n" + "".join(f"p{n},{20 + n % 5},{'AB'[n % 2]}\n" for n in range(40)))
    return source


def test_the_command_writes_a_table_in_which_no_row_is_alone(table, tmp_path, capsys):
    target = tmp_path / "out.csv"

    status = main([str(table), "--qi", "age,city", "-k", "10", "-o", str(target), "--drop", "name"])

    lines = target.read_text().splitlines()
    assert status == 0
    assert lines[0] == "age,city"
    assert min(lines.count(line) for line in lines[1:]) >= 10
    assert "40 rows in" in capsys.readouterr().out


def test_every_option_reaches_the_engine(table, tmp_path, capsys):
    target = tmp_path / "out.csv"
    rows = [f"{n // 2},{20 + n % 7},{'AB'[n % 2]},{'xyz'[n % 3]}" for n in range(120)]
    table.write_text("\n".join(["who,age,city,d", *rows]) + "\n")
    options = [
        "--sensitive", "d", "-l", "2", "--diversity", "entropy", "-t", "0.4", "--person", "who", "--suppress", "0.05",
        "--weights", "age=3", "--drop", "who",
    ]  # fmt: skip

    assert main([str(table), "--qi", "age,city", "-k", "10", "-o", str(target), *options]) == 0

    result = json.loads((tmp_path / "out.csv.report.json").read_text())["result"]
    assert (result["l"], result["diversity"], result["t"], result["person"]) == (2, "entropy", 0.4, "who")
    assert result["smallest_class"] >= 10
    assert result["furthest"] <= 0.4
    assert result["risk"]["prosecutor"] == 1 / result["smallest_class"]
    assert "people (k = 10)" in capsys.readouterr().out
    assert target.read_text().splitlines()[0] == "age,city,d"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"--qi": "age,shoe_size"}, "shoe_size"),
        ({"--qi": ""}, "at least one quasi-identifier"),
        ({"-k": "1"}, "at least 2"),
        ({"-k": "41"}, "40 rows; k=41"),
        ({"-o": "people.csv"}, "must not be overwritten"),
        ({"--drop": "age"}, "dropped"),
        ({"--sensitive": "income"}, "income"),
        ({"-t": "0.2"}, "need a sensitive column"),
        ({"--person": "city", "--qi": "age", "-k": "3"}, "2 people; k=3"),
        ({"--person": "nobody"}, "nobody"),
        ({"--suppress": "1.5"}, "below 1"),
        ({"--weights": "shoe=2"}, "A weight needs"),
        ({"--hierarchies": "trees"}, "no folder 'trees'"),
        ({"file": "nowhere.csv"}, "No such file"),
        ({"-o": "nowhere/out.csv"}, "No such file"),
        ({"-o": "out.parquet", "file": "out.parquet"}, "No such file"),
    ],
)
def test_the_command_refuses_in_a_sentence(table, tmp_path, monkeypatch, capsys, options, sentence):
    monkeypatch.chdir(tmp_path)
    asked = {"file": "people.csv", "--qi": "age,city", "-k": "10", "-o": "out.csv", "--drop": "name", **options}
    source = asked.pop("file")

    assert main([source, *(word for pair in asked.items() for word in pair)]) == 1

    refusal = capsys.readouterr().err
    assert sentence in refusal
    assert refusal.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_weights_that_are_no_numbers_are_refused_by_the_parser(table, capsys):
    assert main([str(table), "--qi", "age", "-o", "out.csv", "--weights", "age=much"]) == 2

    assert "not NAME=NUMBER" in capsys.readouterr().err


_UNKNOWN = ["people.csv", "--qi", "shoe_size", "-o", "out.csv"]


@pytest.mark.parametrize("words", [["--help"], ["nowhere.csv", "--qi", "age", "-o", "out.csv"], _UNKNOWN])
def test_help_and_refusals_load_no_array_library(table, words):
    code = (
        "import sys; from governance.launcher.cli import main\n"
        "main(['anonymise', *sys.argv[1:]])\n"
        "print(sorted({'django', 'numpy', 'pyarrow'} & set(sys.modules)), file=sys.stderr)"
    )
    command, environment = [sys.executable, "-c", code, *words], {**os.environ, "PYTHONPATH": str(CHECKOUT)}

    done = subprocess.run(command, env=environment, cwd=table.parent, capture_output=True, text=True, check=True)

    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_stopped_job_leaves_nothing(tmp_path, how):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("age,d\n1,x\n2,x\n")
    target.write_text("earlier")
    code = (
        "import os, signal, sys\n"
        "from privacy.anonymisation import tables\n"
        "from governance.launcher.cli import main\n"
        "tables._prove = lambda *_: os.kill(os.getpid(), int(sys.argv[1]))\n"
        f"sys.exit(main(['anonymise', {str(source)!r}, '--qi', 'age', '-k', '2', '-o', {str(target)!r}]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}

    done = subprocess.run(
        [sys.executable, "-c", code, str(int(how))], env=environment, capture_output=True, check=False
    )

    assert done.returncode != 0
    assert target.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]
