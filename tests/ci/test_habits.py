"""What contributors' tools are given: the CI workflow and the hooks before a commit call what is there."""

import re
import shlex

import yaml

from tests.helpers.paths import CHECKOUT


def test_the_workflow_runs_the_checks():
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text())
    steps = [step.get("run") for step in workflow["jobs"]["run"]["steps"]]
    assert ".ci/run" in steps


def test_hooks_run_what_ci_runs():
    hooks = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    ci = (CHECKOUT / ".ci" / "run").read_text()
    for hook in hooks:
        program = shlex.split(hook["entry"])[0]
        if program.startswith(".venv/bin/"):
            assert f"$bin/{program.removeprefix('.venv/bin/')}" in ci, hook["id"]
        else:
            assert program in ci
            assert (CHECKOUT / program).stat().st_mode & 0o100


def test_issue_forms_ask_for_no_personal_data():
    form = (CHECKOUT / ".github" / "ISSUE_TEMPLATE" / "bug.md").read_text()
    assert re.search(r"No personal data", form)
    assert "SECURITY.md" in form
