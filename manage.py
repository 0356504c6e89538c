#!/usr/bin/env python3
"""Django's command line; ``./assent manage`` runs it with the instance's environment."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings.local")
    from django.core.management import execute_from_command_line

    from governance.launcher.processes.termination import unwound_by_signals

    with unwound_by_signals():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
