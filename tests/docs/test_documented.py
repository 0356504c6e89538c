"""What a reader looks up is documented, and what is documented exists: settings, codes, metrics, commands, paths."""

import ast
import inspect
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib import admin
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver
from pydantic_core import PydanticUndefined

from governance import wsgi
from governance.env import Environment
from governance.launcher import cli
from policies.bundles import reasons
from policies.bundles.reasons import UNKNOWN_REASONS
from policies.endpoints import authzen
from tests.docs.documents import DOCS, codes, rows, section, tracked
from tests.helpers.paths import CHECKOUT

CONTRACT = DOCS / "decision-contract.md"
FIRST_WORD = re.compile(r"[a-z][a-z_-]*")


# --- settings ---------------------------------------------------------------------------------------


def described_settings() -> list[tuple[str, str]]:
    """Name and default of each setting, as the tables give them."""
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    return [(codes(row[0])[0], row[2].strip("`")) for row in rows(text)]


def read_elsewhere() -> set[str]:
    """The variables that code takes from ``os.environ`` itself: the launcher, commands, the settings of tests."""
    sources = [path for path in tracked("*.py") if path.relative_to(CHECKOUT).parts[0] not in {"clients", "tests"}]
    tests = [path for path in tracked("tests/*.py") if path.parent != Path(__file__).parent]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in [*sources, *tests, CHECKOUT / "assent"])
    return {name for tree in trees for name in _environment_reads(tree)}


def _environment_reads(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            key = node.slice
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            key = node.args[0] if called in {"os.environ.get", "os.environ.setdefault", "os.getenv"} else None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def test_every_setting_is_documented_once():
    described = Counter(name for name, _ in described_settings())
    wanted = {name.upper() for name in Environment.model_fields} | read_elsewhere()
    # Read from the shell for tools that are started, not settings of this project.
    wanted -= {"PATH"}
    assert {name for name, count in described.items() if count > 1} == set()
    assert wanted - set(described) == set()
    assert set(described) - wanted == set()


def test_documented_defaults_are_the_defaults():
    described = dict(described_settings())
    wrong = {
        name.upper(): (described[name.upper()], _written(field.default))
        for name, field in Environment.model_fields.items()
        if described[name.upper()] != _written(field.default)
    }
    assert wrong == {}


def _written(default: object) -> str:
    if default is PydanticUndefined or default is None or default == []:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return ", ".join(default)
    if hasattr(default, "get_secret_value"):
        return str(default.get_secret_value())
    return str(default)


# --- the decision contract --------------------------------------------------------------------------


def test_every_reason_code_is_documented():
    described = {codes(row[0])[0]: row[1] for row in rows(section(CONTRACT, "Reason codes"))}
    assert set(described) == reasons.CODES
    unknown = {code for code, outcome in described.items() if outcome == "unknown"}
    assert unknown == UNKNOWN_REASONS


def test_every_obligation_is_documented():
    rego = [path for path in tracked("policies/rego/*.rego") if not path.name.endswith("_test.rego")]
    texts = [path.read_text(encoding="utf-8") for path in rego]
    # The package of deployments is asked by a command alone, which reads its obligations itself.
    text = "\n".join(text for text in texts if "\npackage governance.decision\n" in f"\n{text}")
    written = set(re.findall(r'"type": "([a-z_]+)"', text))
    described = {codes(row[0])[0] for row in rows(section(CONTRACT, "Obligations"))}
    assert described == written
    assert len(written) == 14


def test_every_level_is_documented():
    from governance.privacy_center.levels import steps

    shown = {codes(row[0])[0]: row[1] for row in rows(section(CONTRACT, "Levels"))}
    assert shown == {step.slug: str(step.label) for step in steps()}


# --- metrics ----------------------------------------------------------------------------------------


def test_every_metric_is_documented():
    sources = (CHECKOUT / "governance" / "monitoring").glob("*.py")
    made = re.compile(r'(Counter)?(?:MetricFamily|_gauge)?\(\s*"(assent_[a-z_]+)"')
    found = [match for path in sources for match in made.finditer(path.read_text(encoding="utf-8"))]
    given = {f"{match[2]}_total" if match[1] else match[2] for match in found}
    table = rows(section(DOCS / "operations.md", "Metrics"))
    described = {name.partition("{")[0] for row in table for name in codes(row[0])}
    assert described == given


# --- commands ---------------------------------------------------------------------------------------


def _described_commands(title: str) -> set[str]:
    return {
        FIRST_WORD.match(code)[0]  # type: ignore[index]  # a command begins with a word
        for row in rows(section(DOCS / "commands.md", title))
        for code in codes(row[0])
    }


def test_every_launcher_command_is_documented():
    assert _described_commands("`./assent`") == {*cli._OWN, *cli._ONE_OFF}


def test_every_management_command_is_documented():
    own = {name for name, app in get_commands().items() if app == "governance"}
    assert _described_commands("`./assent manage`") == own


# --- endpoints --------------------------------------------------------------------------------------


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield _plain(path)
        elif entry.app_name == "admin":
            yield _plain(path)  # each register's pages are Django's own
        else:
            yield from _routes(entry, path)


def _plain(route: str) -> str:
    """``<int:pk>`` and a named group of an expression become ``<pk>``."""
    route = re.sub(r"<[a-z]+:([a-z_]+)>", r"<\1>", route)
    route = re.sub(r"\(\?P(<[a-z]+>)[^)]*\)", r"\1", route)
    return "/" + route.replace("^", "").replace("$", "").replace("\\.", ".")


def test_every_endpoint_is_documented():
    text = (DOCS / "endpoints.md").read_text(encoding="utf-8")
    described = {re.sub(r"^[A-Z]+ ", "", code) for row in rows(text) for code in codes(row[0])}
    described |= {code for code in codes(section(DOCS / "endpoints.md", "Pages for officers")) if code == "/admin/"}
    answered = {*_routes(get_resolver()), *wsgi._BARE, *authzen.ENDPOINTS}
    assert answered - described == set()
    assert described - answered == set()


# --- officers' pages --------------------------------------------------------------------------------


def test_every_officers_page_names_its_module():
    """docs/decisions/0021: each register of the admin, and each page beyond Django's own."""
    record = (DOCS / "decisions" / "0021-officers-pages.md").read_text(encoding="utf-8")
    views = [
        inspect.unwrap(entry.callback).__module__
        for entry in get_resolver().url_patterns
        if isinstance(entry, URLPattern) and str(entry.pattern).startswith("admin/")
    ]
    modules = {*views, *(type(register).__module__ for register in admin.site._registry.values())}
    files = {f"{module.replace('.', '/')}.py" for module in modules}
    assert files - set(codes(record)) == set()


@pytest.mark.parametrize("scope", ["decisions", "consents", "subject_links", "events", "recommendations", "opa"])
def test_documented_scope_is_the_endpoints_scope(scope: str):
    from django.urls import resolve

    text = section(DOCS / "endpoints.md", "For services") + section(
        DOCS / "endpoints.md", "For OPA servers and other cells"
    )
    paths = [codes(row[0])[0].split(" ")[1] for row in rows(text) if row[1] == f"`{scope}`"]
    assert paths
    routed = [path for path in paths if path not in {*wsgi._BARE, *authzen.ENDPOINTS}]
    for path in routed:
        view = resolve(path.replace("<key_id>", "k")).func.view_class  # type: ignore[attr-defined]
        assert view.required_scope == scope, path


def test_documented_levels_are_json():
    """The examples of the contract can be read."""
    text = CONTRACT.read_text(encoding="utf-8")
    for example in re.findall(r"```json\n(.*?)```", text, re.DOTALL):
        assert json.loads(example)
