"""What every test starts from: a register in force, a spool of its own, services with credentials."""

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import setup_databases, teardown_databases

from governance.demo import register
from personalization.serving.lists import LISTS
from policies.authoring import checks
from policies.decision_log import pseudonyms
from policies.decision_log.spool import Spool
from policies.decisions.evaluate import ENTITY_VERDICTS, VERDICTS
from policies.decisions.facts import REQUEST_MEMBERS
from policies.endpoints import credentials
from policies.explaining.counterfactuals import CHANGES
from tests.helpers.kept_answers import KeptAnswers
from tests.helpers.kept_register import KeptRegister
from tests.helpers.people import officer, send, visitor  # noqa: F401 (fixtures for every room)
from tests.helpers.wsgi_calls import WsgiClient, call

ALL_SCOPES = credentials.SERVICE_SCOPES
# A busy machine is slow, which says nothing about a property.
hypothesis.settings.register_profile("assent", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("assent")


# What runs longest, first: while one process ends such a file alone at the end of a run, the others have nothing to do.
# None of them empties the test database, so the files after them find what migrations wrote, as when run alone.
LONGEST_FIRST = (
    "tests/acceptance/test_nothing_is_lost.py",
    "tests/acceptance/test_two_cells.py",
    "tests/acceptance/test_pages_in_browser.py",
    "tests/docs/test_snippets.py",
    "tests/acceptance/test_older_releases.py",
    "tests/acceptance/test_older_approvals.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long tests, and only these")


def pytest_report_header(config: pytest.Config) -> str:
    return "long tests: only these" if config.getoption("--long") else "long tests: left out, run them with --long"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests marked ``long`` with ``--long``, and all others without."""
    wanted = bool(config.getoption("--long"))
    chosen: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        chosen[(item.get_closest_marker("long") is not None) == wanted].append(item)
    if chosen[False]:
        config.hook.pytest_deselected(items=chosen[False])
        items[:] = chosen[True]


def pytest_collection_finish() -> None:
    """Leave what is loaded by now, fifteen thousand tests among it, out of the collections of garbage from here on."""
    gc.collect()
    gc.freeze()


class OrderOfFiles:
    """Order of a run on several cores: the files that run longest, then those of most tests."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        tests = Counter(_file(item) for item in items)
        items.sort(key=lambda item: (_place(_file(item)), -tests[_file(item)]))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _place(file: str) -> int:
    return LONGEST_FIRST.index(file) if file in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(OrderOfFiles())


@pytest.fixture(scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of folders, one for each test; most of them are never made, as making one for each test takes long."""
    base = tmp_path_factory.mktemp("own")
    return (base / str(number) for number in count(1))


@pytest.fixture(autouse=True)
def own_spool(own_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Decisions of a test are spooled into its own folder, under keys of its own."""
    return _spool_into(next(own_folders), monkeypatch)


def _spool_into(own: Path, patch: pytest.MonkeyPatch) -> Path:
    folder = own / "spool"
    patch.setattr("policies.decisions.evaluate._spool", Spool(folder))
    patch.setattr(settings, "SPOOL_DIR", folder)
    patch.setattr(settings, "MODEL_DIR", own / "models")
    patch.setattr(pseudonyms, "_keys", {})
    patch.setattr(pseudonyms, "_current", (-1, b""))
    return folder


@pytest.fixture(autouse=True)
def own_memory() -> None:
    """Nothing another test was answered is remembered."""
    _forget()


def _forget() -> None:
    for memo in (VERDICTS, ENTITY_VERDICTS, REQUEST_MEMBERS, CHANGES, LISTS):
        memo.clear()


@pytest.fixture(scope="module")
def standing_register(
    kept_register: KeptRegister, own_folders: Iterator[Path], django_db_blocker: Any
) -> Iterator[Path]:
    """The register in one transaction for all tests of a file, to lay more on it once; yields the spool of what is."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        spool = _spool_into(next(own_folders), patch)
        _forget()
        with kept_register.standing():
            yield spool
        transaction.set_rollback(True)


@pytest.fixture(scope="session")
def own_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, also in a run where no test is marked: pytest-django leaves the real one in place then."""
    if connection.settings_dict["NAME"] == connection.settings_dict["TEST"]["NAME"]:
        yield
        return
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def kept_register(own_database: None, django_db_blocker: Any) -> KeptRegister:
    """The register, laid once; each test that wants it has its rows copied."""
    with django_db_blocker.unblock():
        return KeptRegister()


@pytest.fixture(scope="session")
def kept_translations(kept_register: KeptRegister, django_db_blocker: Any) -> KeptRegister:
    """What the register's German, French and Spanish add to it."""
    with django_db_blocker.unblock():
        return KeptRegister("translations", register.ensure_translations, over=kept_register)


@pytest.fixture
def register_in_force(db: None, kept_register: KeptRegister) -> None:
    """The default rules and the demonstration's five purposes, published as a bundle."""
    kept_register.lay()


@pytest.fixture(scope="session", autouse=True)
def kept_answers() -> Iterator[None]:
    """Policies that were checked once are not checked again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "sandboxed", KeptAnswers())
        yield


@pytest.fixture
def token(register_in_force: None) -> str:
    """A service credential with every scope."""
    return credentials.create_credential(name="shop", scopes=ALL_SCOPES, actor="test")[0]


class Api:
    """A service of the business, calling as production is called: through the WSGI entry."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.client = WsgiClient()

    def post(self, path: str, body: Any, *, method: str = "post", **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        call = getattr(self.client, method)
        return call(
            path,
            data=data,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )

    def save(self, person: str, choice: str, purpose: str = "recommendations", **more: Any) -> Any:
        headers = more.pop("headers", {})
        body = {
            "subject": {"id": person, "region": "DE", "age_band": "adult"},
            "choices": [{"purpose": purpose, "choice": choice, **more}],
        }
        return self.post("/api/v1/consents", body, **headers)

    def evaluate(self, body: Any, **environ: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        answer = call(body, self.token, **environ)
        return answer.status, answer.json(), answer.headers


@pytest.fixture
def api(token: str) -> Api:
    return Api(token)


@pytest.fixture
def sql(django_assert_num_queries: Any) -> Iterator[list[str]]:
    """Every statement Django's cursors run in the test, as text, from the moment the fixture's list is cleared."""
    statements: list[str] = []

    def note(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        statements.append(statement)
        return execute(statement, *rest)

    with connection.execute_wrapper(note):
        yield statements


_GUARDED = """
SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
WHERE tgname IN (tgrelid::regclass::text || '_no_truncate', tgrelid::regclass::text || '_final')
"""


@contextmanager
def _guards_off(cursor: Any) -> Iterator[None]:
    """Without the triggers of the guarded tables and of the decision log's days."""
    cursor.execute(_GUARDED)
    tables = [table for (table,) in cursor.fetchall()]
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def as_attacker() -> Callable[[str], None]:
    """Run SQL as somebody who owns the tables and has switched the guards off."""

    def run(statement: str) -> None:
        with connection.cursor() as cursor:
            # Foreign keys are checked at once here, so that triggers can be switched on again in the same transaction.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with _guards_off(cursor):
                cursor.execute(statement)

    return run


@pytest.fixture(scope="session", autouse=True)
def flush_past_the_guards() -> Iterator[None]:
    """Let tests that commit be cleaned up: the guards refuse TRUNCATE, as they must everywhere else."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    original = DatabaseOperations.execute_sql_flush

    def flush(self: DatabaseOperations, statements: list[str]) -> None:
        with self.connection.cursor() as cursor, _guards_off(cursor):
            cursor.execute("TRUNCATE policies_decision")
            original(self, statements)

    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    yield
    DatabaseOperations.execute_sql_flush = original  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def anchors_wait_for_a_vacuum() -> Iterator[None]:
    """Let a test's anchor wait while autovacuum has the table: PostgreSQL ends it for a waiting lock after a second."""
    from audit import trail

    patience, trail.LOCK_PATIENCE_MS = trail.LOCK_PATIENCE_MS, 30_000
    yield
    trail.LOCK_PATIENCE_MS = patience
