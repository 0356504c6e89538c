"""Judges that come as packages of npm: programs of others that meet our pages in a browser of the tests.

``requirements/judges/NAME/package-lock.json`` locks one. It is installed on the first use, without running any script
of a package, and kept in the user's cache.
"""

import functools
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from governance.launcher.test_tools import cache_folder
from tests.helpers.paths import CHECKOUT

JUDGES = CHECKOUT / "requirements" / "judges"
_FILES = ("package.json", "package-lock.json")
_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--omit=peer", "--omit=optional")
_PATIENCE_S = 300


def npm_judge(name: str) -> Path:
    """Return the folder of the judge's installed packages; where they cannot be installed, skip the test loudly."""
    packages, hindrance = _installed(name)
    if packages is None:
        pytest.skip(
            f"NO JUDGE {name}: the result was NOT JUDGED. It needs npm, and the packages of "
            f"requirements/judges/{name}/package-lock.json from a registry: {hindrance}"
        )
    return packages


@functools.cache
def _installed(name: str) -> tuple[Path | None, str]:
    """Return the folder, or None and why the packages cannot be installed."""
    digest = hashlib.sha256(b"".join((JUDGES / name / file).read_bytes() for file in _FILES)).hexdigest()[:12]
    kept = cache_folder(f"judge-{name}-{digest}") / "node_modules"
    if kept.is_dir():
        return kept, ""
    if not shutil.which("npm"):
        return None, "npm is not on the PATH"
    try:
        _install(name, kept)
    except (OSError, subprocess.SubprocessError) as exc:
        return None, str(getattr(exc, "stderr", None) or exc)[-1000:]
    return kept, ""


def _install(name: str, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        for file in _FILES:
            shutil.copy(JUDGES / name / file, folder)
        subprocess.run(
            _INSTALL,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=True,
        )
        try:
            (Path(folder) / "node_modules").rename(kept)
        except OSError:
            if not kept.is_dir():  # another process of the tests was faster, with the same packages
                raise
