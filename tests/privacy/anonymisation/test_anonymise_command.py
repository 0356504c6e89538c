"""The anonymise command: what it writes, and what it refuses in a sentence."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


@pytest.fixture
def table(tmp_path):
    source = tmp_path / "people.csv"
    source.write_text("name,age,city\n" + "".join(f"p{n},{20 + n % 5},{'AB'[n % 2]}\n" for n in range(40)))
    return source


def test_the_command_writes_a_table_in_which_nobody_is_alone(table, tmp_path, capsys):
    target = tmp_path / "out.csv"

    call_command("anonymise", str(table), qi="age,city", k=10, output=target, drop="name")

    lines = target.read_text().splitlines()
    assert lines[0] == "age,city"
    assert min(lines.count(line) for line in lines[1:]) >= 10
    assert "40 rows in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"qi": "age,shoe_size"}, "shoe_size"),
        ({"qi": ""}, ""),
        ({"k": 1}, ""),
        ({"k": 41}, ""),
        ({"output": "people.csv"}, "must not be overwritten"),
        ({"drop": "age"}, "dropped"),
        ({"sensitive": "income"}, "income"),
        ({"file": "nowhere.csv"}, "No such file"),
        ({"output": "nowhere/out.csv"}, "No such file"),
    ],
)
def test_the_command_refuses_in_a_sentence(table, tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    asked = {"file": "people.csv", "qi": "age,city", "k": 10, "output": "out.csv", **options}
    asked["output"] = Path(asked["output"])

    with pytest.raises(CommandError) as refused:
        call_command("anonymise", asked.pop("file"), **asked)

    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out.csv").exists()
