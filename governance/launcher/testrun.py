"""Command ``test``: the project's tests against an instance that exists only for them."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from governance.launcher import console
from governance.launcher.foreground import run_in_front
from governance.launcher.home.home import Home
from governance.launcher.home.home_paths import throwaway_home
from governance.launcher.one_off import start_and_wait
from governance.launcher.processes.orphans import nothing_left_behind
from governance.launcher.servers.environment import home_variables
from governance.launcher.servers.postgres import THROWAWAY_SETTINGS, PostgresServer
from governance.launcher.test_tools import find_axe, find_browser, find_opa

LONG_FLAG = "--long"
# Settings of a shell that would make the tests depend on where they run.
_NOT_PASSED_ON = (
    "OPA_URL",
    "OPA_TIMEOUT_MS",
    "OPA_PUSH",
    "OPA_STAND_IN",
    "OPA_BREAKER_FAILURES",
    "OPA_BREAKER_REST_MS",
    "OPA_LONG_POLL_S",
    "OPA_LONG_POLL_WAITERS",
    "READY_OPA_BEHIND_S",
    "READY_LOG_LAG_S",
    "BROKER_URL",
    "SECRET_KEY",
    "SUBJECT_KEY",
    "PUBLIC_URL",
    "DEBUG",
    "BUSINESS_NAME",
    "CERTIFICATION",
    "ALLOWED_HOSTS",
    "TRUSTED_PROXIES",
    "SUBJECT_OIDC_ISSUER",
    "OFFICER_MFA",
    "OFFICER_OIDC_ISSUER",
    "CELL",
    "CELLS_FILE",
)


def run_tests(arguments: Sequence[str]) -> int:
    """Run pytest with ``arguments`` and return its exit status; the database is deleted afterwards."""
    tools = _tools()
    with throwaway_home() as home:
        server = PostgresServer(home, THROWAWAY_SETTINGS)
        try:
            console.say("starting a database for the tests")
            start_and_wait(server)
            command = [sys.executable, "-m", "pytest", *pytest_arguments(arguments)]
            with nothing_left_behind():
                return run_in_front(command, environment=_environment(home, server, tools))
        finally:
            server.stop()


def pytest_arguments(arguments: Sequence[str]) -> list[str]:
    """Return what pytest is started with: all tests, or all long ones, run on every core."""
    return [*arguments, *_on_every_core()] if set(arguments) <= {LONG_FLAG} else list(arguments)


def _on_every_core() -> list[str]:
    """Return pytest options for all tests: a process and a database for each core, a file's tests together.

    In the order of tests/conftest.py: xdist's own leaves the files of few long tests to the end. One process more than
    cores was tried and is not faster: both cores are busy for 95 % of a run as it is.
    """
    # macOS does not report which cores are ours.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return ["-n", str(cores), "--dist", "loadfile", "--no-loadscope-reorder"]


def _tools() -> dict[str, str]:
    opa, browser, axe = find_opa(), find_browser(), find_axe()
    if opa is None:
        _warn("no OPA here (and no Go to build it with)", "tests against a real OPA server")
    if browser is None:
        _warn("no Chromium or Chrome here", "tests in a real browser")
    if browser is not None and axe is None:
        _warn("no axe-core here (and no npm to fetch it with)", "accessibility rules")
    found = {"ASSENT_TEST_OPA": opa, "ASSENT_TEST_CHROMIUM": browser, "ASSENT_TEST_AXE": axe}
    return {name: str(path) for name, path in found.items() if path is not None}


def _warn(reason: str, tests: str) -> None:
    console.say(f"{'!' * 20}\nassent: !! {reason}: the {tests} are SKIPPED\nassent: {'!' * 20}")


def _environment(home: Home, server: PostgresServer, tools: dict[str, str]) -> dict[str, str]:
    return {
        **passed_on(os.environ),
        **tools,
        **home_variables(home),
        "DJANGO_SETTINGS_MODULE": "governance.settings.test",
        "DATABASE_URL": server.url,
    }


def passed_on(outer: Mapping[str, str]) -> dict[str, str]:
    """Return what the tests see of a shell's environment."""
    environment = {name: value for name, value in outer.items() if name not in _NOT_PASSED_ON}
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Each process would compile all modules anew; compiled files are kept, but not among the sources.
        environment.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "pycache"))
    return environment
