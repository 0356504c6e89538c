"""The folder of the Rego modules that ship with this release."""

from pathlib import Path

FOLDER = Path(__file__).parent


def read_modules() -> dict[str, str]:
    """Return the shipped modules without their tests (file name -> text).

    Raises FileNotFoundError if there are none: an empty bundle would answer nothing and name no cause.
    """
    modules = {path.name: path.read_text() for path in sorted(FOLDER.glob("*.rego")) if not _is_test(path)}
    if not modules:
        raise FileNotFoundError(f"{FOLDER}: no Rego module is here")
    return modules


def _is_test(path: Path) -> bool:
    return path.name.endswith("_test.rego")
