"""Garbage is looked for in every process: seldom while applications load, as ever afterwards."""

import gc
import subprocess
import sys

from django.conf import settings

from tests.helpers.paths import CHECKOUT

_SETTINGS_ALONE = (
    "import gc; from django.conf import settings; settings.DEBUG; print(gc.isenabled(), gc.get_threshold()[0])"
)


def test_a_process_that_loads_settings_alone_looks_for_garbage():
    done = subprocess.run(
        [sys.executable, "-c", _SETTINGS_ALONE], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "True 100000\n"


def test_it_is_as_before_once_applications_are_loaded():
    assert gc.isenabled()
    assert gc.get_threshold() == settings.GARBAGE_THRESHOLD
