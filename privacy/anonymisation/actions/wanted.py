"""Actions on columns as they are asked for, ``COLUMN=KIND[:option=value,...]``, and which of them make sense together.

No array libraries: a line that makes no sense is refused before they are loaded.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from privacy.anonymisation.errors import AnonymisationError, quoted
from privacy.anonymisation.wish import Wish

HASH, REKEY, TOKEN, SHRED, SHIFT, BOUNDS, REDACT = "hash", "rekey", "token", "shred", "shift", "bounds", "redact"
LABELS = {
    HASH: "Keyed hash: one pseudonym for each value",
    REKEY: "New key for pseudonyms that an earlier release has",
    TOKEN: "Token of the same form, kept in the vault",
    SHRED: "Encrypted under the person's own key",
    SHIFT: "Dates moved by a constant of the person",
    BOUNDS: "Values beyond a bound become the bound",
    REDACT: "Free text without what can be recognised in it",
}
OPTIONS = {
    HASH: {"domain"}, REKEY: set(), TOKEN: set(), SHRED: set(), SHIFT: {"days"}, BOUNDS: {"bottom", "top", "k"},
    REDACT: {"names_of"},
}  # fmt: skip
PSEUDONYMS = frozenset({HASH, REKEY, TOKEN, SHRED})  # what these leave in a column still points to one person
OF_PERSON = frozenset({TOKEN, SHRED, SHIFT})  # these differ from person to person
EXPECTED_UNIQUE = PSEUDONYMS | {REDACT}  # what each row may have of its own after them
MOST_DAYS = 3_650
NOT_ANONYMOUS = (
    "Pseudonymised is not anonymous: {} still point to one person each, for holders of the key, the vault or other "
    "data to compare with. The copy is personal data (Article 4(5) and recital 26 of the GDPR)."
)
_ASKED = re.compile(r"(?P<column>.+?)=(?P<kind>[a-z]+)(?::(?P<options>.*))?")
_BOUND = re.compile(r"[+-]?\d+(\.\d+)?%?|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?", re.ASCII)
_WORDS = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)


@dataclass(frozen=True)
class Action:
    """What becomes of the cells of one column."""

    column: str
    kind: str
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Action":
        """Read ``COLUMN=KIND[:option=value,...]``. Raises AnonymisationError."""
        found = _ASKED.fullmatch(text.strip())
        if found is None:
            raise AnonymisationError(f"'{text}' is no action; write COLUMN=KIND or COLUMN=KIND:option=value.")
        pairs = [pair.partition("=") for pair in (found["options"] or "").split(",") if pair.strip()]
        options = {name.strip(): value.strip() for name, _, value in pairs}
        if len(options) != len(pairs):
            raise AnonymisationError(f"'{text}' says an option twice.")
        action = cls(found["column"].strip(), found["kind"], options)
        action._check()
        return action

    @property
    def text(self) -> str:
        """Return the action as it is asked for."""
        options = ",".join(f"{name}={value}" for name, value in sorted(self.options.items()))
        return f"{self.column}={self.kind}" + (f":{options}" if options else "")

    def number(self, name: str, default: int) -> int:
        """Return a whole number that an option states."""
        return int(self.options.get(name, default))

    def _check(self) -> None:
        if self.kind not in LABELS:
            raise AnonymisationError(f"'{self.column}': there is no action '{self.kind}', only {quoted(LABELS)}.")
        strange = sorted(set(self.options) - OPTIONS[self.kind])
        if strange:
            known = quoted(sorted(OPTIONS[self.kind])) or "none"
            raise AnonymisationError(
                f"'{self.column}': '{self.kind}' has no option '{strange[0]}'. Its options: {known}."
            )
        if "domain" in self.options and not _WORDS.fullmatch(self.options["domain"]):
            raise AnonymisationError(f"'{self.column}': a domain is 1 to 32 small letters, digits and hyphens.")
        self._check_number("days", 1, MOST_DAYS)
        self._check_number("k", 2, 1_000_000)
        if self.kind == BOUNDS:
            self._check_bounds()

    def _check_number(self, name: str, least: int, most: int) -> None:
        said = self.options.get(name)
        if said is not None and not (said.isascii() and said.isdecimal() and least <= int(said[:9]) <= most):
            raise AnonymisationError(f"'{self.column}': {name} is a whole number from {least} to {most:,}.")

    def _check_bounds(self) -> None:
        stated = [self.options[name] for name in ("bottom", "top") if name in self.options]
        if not stated:
            raise AnonymisationError(f"'{self.column}': name a bound, top= or bottom=, or both.")
        for bound in stated:
            is_share = bound.endswith("%")
            if not _BOUND.fullmatch(bound) or (is_share and not 0 < float(bound[:-1]) < 100):
                raise AnonymisationError(
                    f"'{self.column}': '{bound}' is no bound; state a number, a day (1965-03-10), or a share of the "
                    "rows between 0 and 100 (99%)."
                )


def parse_all(texts: Iterable[str]) -> tuple[Action, ...]:
    """Read several actions. Raises AnonymisationError, for two on one column as well."""
    found = tuple(Action.parse(text) for text in texts)
    columns = [action.column for action in found]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise AnonymisationError(f"'{twice[0]}' has two actions; a column has one at most.")
    return found


def check(actions: Sequence[Action], wish: Wish, quasi_identifiers: Sequence[str], drop: Sequence[str]) -> None:
    """Raise AnonymisationError, naming the column, for an action that would not protect, or spoil what is measured."""
    for action in actions:
        _check_role(action, wish, quasi_identifiers)
        if action.column in drop:
            raise AnonymisationError(f"'{action.column}' is left out, so '{action.kind}' has nothing to act on.")
        if action.kind in OF_PERSON and wish.person is None:
            raise AnonymisationError(
                f"'{action.column}': '{action.kind}' differs from person to person; name the column of the person."
            )
        if action.options.get("names_of") == action.column:
            raise AnonymisationError(f"'{action.column}' cannot be its own list of names.")


def _check_role(action: Action, wish: Wish, quasi_identifiers: Sequence[str]) -> None:
    name, kind = action.column, action.kind
    if kind in PSEUDONYMS and name in quasi_identifiers:
        raise AnonymisationError(
            f"'{name}' is generalised: a pseudonym has no ranges. Take it out of the quasi-identifiers, or '{kind}' "
            "from it."
        )
    if kind in PSEUDONYMS and name in wish.sensitive_columns:
        raise AnonymisationError(
            f"'{name}' is sensitive: under '{kind}' its values keep their frequencies, by which they are recognised, "
            "and l and t would be measured on pseudonyms."
        )
    if kind == REDACT and name in (*quasi_identifiers, *wish.sensitive_columns, wish.person):
        raise AnonymisationError(f"'{name}' is read as values, not as free text: 'redact' is for columns that are not.")
    if kind in (SHIFT, BOUNDS) and name == wish.person:
        raise AnonymisationError(f"'{name}' names the person: '{kind}' would make several people one.")


def columns_of(actions: Iterable[Action], kinds: Iterable[str] = LABELS) -> list[str]:
    """Return the columns that actions of these kinds act on."""
    wanted = set(kinds)
    return [action.column for action in actions if action.kind in wanted]


def warning(actions: Iterable[Action]) -> str | None:
    """Return what has to be said of a copy with pseudonyms; None of another."""
    names = columns_of(actions, PSEUDONYMS)
    return NOT_ANONYMOUS.format(f"values of {quoted(names)}") if names else None


def line(said: Mapping[str, Any]) -> str:
    """Return what was done to a column, in one line of the shell."""
    counted = said.get("found", said)
    parts = [f"{name} {value}" for name, value in counted.items() if name not in ("column", "kind")]
    return f"'{said['column']}' ({said['kind']}): {', '.join(parts)}" + (
        f". {said['not_found']}" if "not_found" in said else ""
    )
