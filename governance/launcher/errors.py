"""Error of this package: a sentence for the person at the terminal."""

import errno

REQUEST_REFUSED = 2
NOT_RUNNING = 3


class InstanceError(Exception):
    """Failure of a command; ``str()`` is one sentence that says why and what to do.

    ``exit_code`` is 2 when the request itself cannot be met and 1 when something failed under way.
    """

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def refused(sentence: str) -> InstanceError:
    """Return the error for a request that cannot be met as it was made."""
    return InstanceError(sentence, exit_code=REQUEST_REFUSED)


_DISK_FULL_CODES = {errno.ENOSPC, errno.EDQUOT}
_DISK_FULL_PHRASES = ("no space left on device", "disk quota exceeded")


def disk_full(where: object) -> InstanceError:
    """Return the error for a disk without space; ``where`` names the folder."""
    return InstanceError(f"There is no space left on the disk that holds {where}; free some and start again.")


def is_disk_full(error: OSError) -> bool:
    """Say whether an operating-system error means that the disk or quota is exhausted."""
    return error.errno in _DISK_FULL_CODES


def reports_full_disk(text: str) -> bool:
    """Say whether a program's own output means that the disk or quota is exhausted."""
    return any(phrase in text.lower() for phrase in _DISK_FULL_PHRASES)
