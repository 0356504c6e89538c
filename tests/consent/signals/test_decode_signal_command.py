"""``./assent decode-signal`` answers with one JSON object and needs nothing installed."""

import json
import re
import subprocess
import sys

import pytest

from governance.launcher import cli
from tests.helpers import signal_reference
from tests.helpers.paths import CHECKOUT
from tests.helpers.signal_encoders import Tc


@pytest.mark.parametrize("kind", ["tcf", "gpp"])
def test_a_string_is_shown_as_one_object(kind, capsys):
    expected = signal_reference.OWN[kind][0]

    status = cli.main(["decode-signal", kind, expected["str"]])

    shown = json.loads(capsys.readouterr().out)
    assert status == 0
    assert {**expected, **shown} == expected
    assert shown


def test_a_refused_string_exits_with_1_and_says_why_twice(capsys):
    string = Tc(policy=3).encode()

    status = cli.main(["decode-signal", "tcf", string])

    out, err = capsys.readouterr()
    assert status == 1
    assert out.count("\n") == 1
    answer = json.loads(out)
    assert (answer["valid"], answer["reason"]) == (False, "stale_policy")
    assert answer["detail"] in err
    assert string not in out + err


@pytest.mark.parametrize("words", [[], ["tcf"], ["usp", "1YNN"], ["tcf", "a", "b"]])
def test_other_words_are_not_understood(words, capsys):
    assert cli.main(["decode-signal", *words]) == 2
    assert "decode-signal needs" in capsys.readouterr().err


@pytest.mark.parametrize(("ending", "status"), [("", 0), ("\n", 0), ("\r\n", 0), ("\n\n", 1), (" ", 1)])
def test_it_reads_standard_input_with_a_bare_python(ending, status, tmp_path):
    # -S and -I keep every installed package and every variable away.
    program = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from governance.launcher.cli import main; "

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program + "sys.exit(main(['decode-signal', 'tcf', '-']))"],
        input=(Tc().encode() + ending).encode(),
        capture_output=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )

    assert done.returncode == status
    assert ("policy" in json.loads(done.stdout)) is (status == 0)


def test_every_reason_is_explained():
    explained = (CHECKOUT / "docs" / "signals.md").read_text()
    sources = "".join(path.read_text() for path in (CHECKOUT / "consent" / "signals").glob("*.py"))

    reasons = set(re.findall(r'InvalidSignal\(\s*"(\w+)"', sources)) | {"number_too_large"}

    assert len(reasons) > 20
    assert [reason for reason in sorted(reasons) if f"`{reason}`" not in explained] == []


def test_the_help_names_it(capsys):
    assert cli.main(["decode-signal", "--help"]) == 0
    assert "decode-signal tcf|gpp STRING" in capsys.readouterr().out
