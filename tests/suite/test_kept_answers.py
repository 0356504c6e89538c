"""What the sandboxed child answered is kept where the answer follows from the question."""

import subprocess

import pytest

from policies.authoring import checks
from tests.helpers.kept_answers import KeptAnswers

ASKED = {"policies": {"a.rego": "package a\n\nb := data.c\n"}, "data": {"c": 1}, "queries": ["data.a.b"]}


@pytest.fixture
def ask(monkeypatch):
    """Ask; ``ask.started`` counts the children. What other tests asked is not known to it."""
    kept, run = KeptAnswers(), subprocess.run
    kept._ask = checks.sandboxed._ask

    def counted(*arguments, **options):
        ask.started += 1
        return run(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", counted)

    def ask(asked, **options):
        return kept(asked, **options)

    ask.started = 0
    return ask


def test_the_same_question_starts_one_child(ask):
    first, second = ask(ASKED), ask(dict(ASKED))

    assert first == second
    assert first["values"] == {"data.a.b": "1"}
    assert ask.started == 1


def test_another_question_starts_another_child(ask):
    ask(ASKED)

    assert ask({**ASKED, "data": {"c": 2}})["values"] == {"data.a.b": "2"}
    assert ask.started == 2


def test_a_kept_answer_cannot_be_spoilt(ask):
    ask(ASKED)["values"].clear()

    assert ask(ASKED)["values"] == {"data.a.b": "1"}


def test_a_child_that_met_its_limit_is_asked_again(ask, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(checks, "TIMEOUT_S", 0.001)
        assert ask(ASKED)["problems"] == ["The policies did not come to an end within 0.001 seconds."]
        assert ask(ASKED)["problems"]

    assert ask.started == 2
