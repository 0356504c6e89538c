"""External tools that the tests use when they can: an OPA server, a browser, and accessibility rules."""

import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

from governance.launcher import console
from governance.launcher.processes.logs import tail

OPA_VERSION = "1.20.2"
_OPA_MODULE = f"github.com/open-policy-agent/opa@v{OPA_VERSION}"
AXE_VERSION = "4.10.3"
_AXE_MEMBER = "package/axe.min.js"
# The shell draws nothing on a screen and takes half the processor time.
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_opa() -> Path | None:
    """Return an ``opa`` program: from PATH, kept from an earlier build, or built now with Go."""
    kept = cache_folder(f"opa-{OPA_VERSION}") / "opa"
    on_path = shutil.which("opa")
    if on_path:
        return Path(on_path)
    if os.access(kept, os.X_OK):
        return kept
    return _build(kept) if shutil.which("go") else None


def find_browser() -> Path | None:
    """Return a Chromium or Chrome program from PATH, None if there is none."""
    found = filter(None, map(shutil.which, _BROWSERS))
    return next(map(Path, found), None)


def find_axe() -> Path | None:
    """Return axe-core's script: kept from before, or fetched now with npm; None without npm."""
    kept = cache_folder(f"axe-core-{AXE_VERSION}") / "axe.min.js"
    if kept.is_file():
        return kept
    try:
        return _fetch_axe(kept) if shutil.which("npm") else None
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, ValueError):
        console.say("axe-core could not be fetched with npm")
        return None


def _fetch_axe(target: Path) -> Path | None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        packed = subprocess.run(
            ["npm", "pack", "--silent", f"axe-core@{AXE_VERSION}"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )

        packed.check_returncode()
        (archive_file,) = Path(folder).glob("axe-core-*.tgz")
        with tarfile.open(archive_file) as archive:
            archive.extract(_AXE_MEMBER, folder, filter="data")
        (Path(folder) / _AXE_MEMBER).replace(target)
    return target


def cache_folder(name: str) -> Path:
    """Return where a tool of this name is kept for all checkouts of the user."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "assent" / name


def _build(target: Path) -> Path | None:
    target.parent.mkdir(parents=True, exist_ok=True)
    log = target.parent / "build.log"
    console.say(f"building OPA {OPA_VERSION} with Go, once; this takes about two minutes")
    began = time.monotonic()
    with log.open("wb") as output:
        built = subprocess.run(
            ["go", "install", _OPA_MODULE],
            env={**os.environ, "GOBIN": str(target.parent), "CGO_ENABLED": "0"},
            cwd=target.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if built.returncode != 0:
        console.say(f"OPA could not be built; the last lines of {log}:\n{tail(log)}")
        return None
    console.say(f"built OPA in {time.monotonic() - began:.0f} s")
    return target
