"""What changed between two texts, word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")
_SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True)
class Piece:
    """A run of words that is the same in both texts, was added, or was removed."""

    kind: str  # same | added | removed
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """Return both texts as one run of pieces, removed words before the ones in their place."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(_is_space, old, new, autojunk=len(old) > 2_000)
    pieces: list[Piece] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(old[i1:i2])))
            continue
        pieces += [Piece("removed", "".join(old[i1:i2]))] if i2 > i1 else []
        pieces += [Piece("added", "".join(new[j1:j2]))] if j2 > j1 else []
    return pieces


def _is_space(word: str) -> bool:
    return _SPACES.fullmatch(word) is not None
