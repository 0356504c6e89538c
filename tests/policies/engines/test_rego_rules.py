"""Every Rego test of this release, one case each, in the embedded engine and in a real OPA.

The engines run each folder once; a case looks up its own result.
"""

import json
import re
import subprocess
from functools import lru_cache

import pytest

from policies import certification, rego
from policies.authoring.checks import sandboxed
from policies.authoring.folder import Folder, read_folder
from policies.authoring.lint import tests_of as listed
from policies.authoring.lint import without_imports
from tests.helpers.policy_engines import CASES, opa_binary

FOLDERS = {"rego": rego.FOLDER, "certification": certification.FOLDER}
_TEST = re.compile(r"^(?P<name>test_\w+)\b", re.MULTILINE)
_PACKAGE = re.compile(r"^package (?P<name>[\w.]+)$", re.MULTILINE)
# What it asks is an error in the embedded engine, which is a denial too.
_FOR_OPA_ALONE = "governance.decision_test.test_input_that_is_no_object_is_denied"


@lru_cache
def _folder(name: str) -> Folder:
    return read_folder(FOLDERS[name], sample=CASES / "data.json" if name == "rego" else None)


def _written(name: str) -> list[str]:
    """The tests the files hold, found without the tools that run them."""
    return [
        f"{_PACKAGE.search(text)['name']}.{test['name']}"  # type: ignore[index]
        for path in sorted(FOLDERS[name].glob("*_test.rego"))
        for text in [path.read_text()]
        for test in _TEST.finditer(text)
    ]


@lru_cache
def _embedded(name: str) -> dict[str, str]:
    """What each test says in the embedded engine."""
    folder = _folder(name)
    tests = {path: without_imports(text) for path, text in folder.tests.items()}
    answer = sandboxed(
        {
            "policies": {**folder.policies, **tests},
            "data": {**folder.sample, **folder.overlay},
            "queries": [f"data.{test}" for test in listed(folder.tests)],
        }
    )
    assert answer["problems"] == []
    return {query.removeprefix("data."): value for query, value in answer["values"].items()}


@pytest.fixture(scope="session")
def in_opa(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bool]]:
    """Which tests a real OPA ran, by folder, and whether they hold."""
    binary, results = opa_binary(), {}
    for name in FOLDERS:
        folder, place = _folder(name), tmp_path_factory.mktemp(name)
        for path, text in {**folder.policies, **folder.tests}.items():
            (place / path).write_text(text)
        (place / "data.json").write_text(json.dumps({**folder.sample, **folder.overlay}))
        done = subprocess.run(
            # OPA gives a test five seconds of its own, which a busy machine exceeds.
            [binary, "test", "--format", "json", "--timeout", "60s", "."],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        ran = json.loads(done.stdout)
        results[name] = {
            f"{test['package'].removeprefix('data.')}.{test['name']}": not test.get("fail") and not test.get("error")
            for test in ran
        }
    return results


def _cases() -> list[tuple[str, str]]:
    return [(name, test) for name in FOLDERS for test in _written(name)]


@pytest.mark.parametrize(("folder", "test"), [case for case in _cases() if case[1] != _FOR_OPA_ALONE])
def test_it_holds_in_the_embedded_engine(folder: str, test: str) -> None:
    assert _embedded(folder).get(test) == "true"


@pytest.mark.parametrize(("folder", "test"), _cases())
def test_it_holds_in_opa(in_opa: dict[str, dict[str, bool]], folder: str, test: str) -> None:
    assert in_opa[folder].get(test) is True


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_test_is_left_out(folder: str) -> None:
    written = _written(folder)

    assert len(written) == len(set(written)) > 0
    assert set(listed(_folder(folder).tests)) == set(written) - {_FOR_OPA_ALONE}
    assert set(_embedded(folder)) == set(listed(_folder(folder).tests))


@pytest.mark.parametrize("folder", FOLDERS)
def test_opa_runs_neither_more_nor_less(in_opa: dict[str, dict[str, bool]], folder: str) -> None:
    assert set(in_opa[folder]) == set(_written(folder))


def test_a_test_that_does_not_hold_is_seen() -> None:
    folder = _folder("rego")
    broken = {path: text.replace("lowest_rank == 0", "lowest_rank == 4") for path, text in folder.tests.items()}
    assert broken != folder.tests

    answer = sandboxed(
        {
            "policies": {**folder.policies, **{path: without_imports(text) for path, text in broken.items()}},
            "data": {**folder.sample, **folder.overlay},
            "queries": [f"data.{test}" for test in listed(broken)],
        }
    )

    assert [test for test in listed(broken) if answer["values"].get(f"data.{test}") != "true"]
