"""Runs an instance with the real launcher and servers but with children that need no Django.

usage: stand_in_launcher.py HOME PORT [CHILD_CODE]    CHILD_CODE: Python run by the second child
"""

import sys
from pathlib import Path

from governance.launcher import instance
from governance.launcher.errors import InstanceError
from governance.launcher.home.home import Home
from governance.launcher.processes.child import ChildSpec

STEADY = "import time\nwhile True: time.sleep(60)"


def stand_in_specs(home: Home, *, port: int) -> tuple[ChildSpec, ...]:
    application = "tests.governance.launcher.stand_in_web:application"
    web = ("governance.front", "--port", str(port), "--workers", "2", application)
    code = sys.argv[3] if len(sys.argv) > 3 else STEADY
    return (
        ChildSpec(name="web", command=(sys.executable, "-m", *web)),
        ChildSpec(name="worker", command=(sys.executable, "-c", code), stop_order=1, stop_within_s=2),
    )


def main() -> int:
    instance.process_specs = stand_in_specs
    instance.manage_command = lambda *words: (sys.executable, "-c", f"print({words!r})")
    try:
        return instance.run_instance(Path(sys.argv[1]), port=int(sys.argv[2]))
    except InstanceError as exc:
        print(exc, file=sys.stderr)
        return exc.exit_code


raise SystemExit(main())
