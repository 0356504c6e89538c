"""Console output of the launcher.

Progress goes to standard error, so that the standard output of commands such as ``credentials``
stays theirs. A terminal that went away or a full disk behind a redirection never stops an instance.
"""

import contextlib
import sys
from typing import TextIO


def say(sentence: str) -> None:
    """Write one line of progress to standard error."""
    _write(sys.stderr, f"assent: {sentence}\n")


def announce(sentence: str) -> None:
    """Write one line, the answer of a command, to standard output."""
    _write(sys.stdout, f"{sentence}\n")


def _write(stream: TextIO, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()
