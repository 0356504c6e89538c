"""One training in a process of its own: ``python -m governance.bench.recommender.training_job`` prints its figures.

As JSON, by step: processor time in seconds, and the most memory the process had until its end.
"""

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path

import django

_STARTED = "starting"


def main() -> None:
    """Train, and print what each step took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings.local")
    django.setup()
    from personalization import training

    steps: list[tuple[str, float, float]] = []

    def note(step: str) -> None:
        steps.append((step, time.process_time(), _peak_mb()))

    note(_STARTED)
    version = training.train_recommender(actor="officer:bench", progress=note)
    if version is None:
        sys.exit("There was nothing to train on.")
    note("ended")
    figures = {
        name: {"cpu_s": later[1] - began, "peak_memory_mb": later[2]}
        for (name, began, _), later in pairwise(steps)
        if name != _STARTED
    }
    sys.stdout.write(json.dumps(figures))


def _peak_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
