"""What the columns of a table are: distinct values, and the role each is likely to have. Pure; no Django.

A suggestion is a beginning. What nothing is known about counts as a quasi-identifier, as copying is the greater risk.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from privacy.anonymisation.actions import wanted
from privacy.anonymisation.errors import UnusableTable

if TYPE_CHECKING:
    from privacy.anonymisation.tables import Table

_MOST_VALUES = 1_000_000  # kept to count a column's distinct values; beyond, it has nearly one a row
_NEARLY_EACH = 0.5  # distinct values to rows: such a column names rows
_FEW = 10


class Role(StrEnum):
    """Role of a column: what an attacker can do with it, and so what the job does."""

    DIRECT = "direct"
    QUASI = "quasi"
    SENSITIVE = "sensitive"
    PERSON = "person"
    OTHER = "other"


LABELS = {
    Role.DIRECT: "Direct identifier: left out",
    Role.QUASI: "Quasi-identifier: generalised",
    Role.SENSITIVE: "Sensitive: limited by l and t",
    Role.PERSON: "Names the person: k counts people, left out",
    Role.OTHER: "Other: copied as it is",
}
# Words in the names of columns, in the languages of the project; the first role that fits decides.
_PEOPLE = {"subject", "person", "customer", "patient", "client", "user", "member", "employee"}
_NUMBERS = {"id", "ref", "no", "nr", "number"}
_ADDRESSES = """
name surname email mail phone mobile fax address street iban ssn passport login username ip url fullname
firstname lastname nombre apellido apellidos nom prenom vorname nachname telefon telefono adresse direccion
"""
_SECRETS = """
diagnosis disease illness health hiv medication treatment religion belief politics party union orientation income salary
wage credit debt criminal conviction genetic biometric krankheit diagnose einkommen gehalt ingresos revenu
"""
_KNOWN = """
age sex gender race birth birthday birthdate dob zip zipcode postcode postal plz city town region state county country
province ethnicity nationality native marital family relationship education school occupation profession job
title employer workclass household children language height weight alter edad geburtsdatum nacimiento naissance
"""
_FORMED = {"email", "mail", "phone", "mobile", "fax", "iban", "passport", "login", "username", "telefon", "telefono"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)
_SAMPLE = 50
_LONG = 40  # signs: on average, longer cells are free text
_WORDS = (
    (Role.SENSITIVE, frozenset(_SECRETS.split()), "sensitive data"),
    (Role.DIRECT, frozenset(_ADDRESSES.split()), "a name or an address"),
    (Role.QUASI, frozenset(_KNOWN.split()), "what others know of a person"),
)


@dataclass(frozen=True)
class Profile:
    """A column: distinct and empty values, the role it is likely to have, and why; an action that may fit it."""

    name: str
    distinct: int
    empty: int
    role: str
    why: str
    action: str = ""


def profile(table: "Table") -> tuple[int, list[Profile]]:
    """Count the rows, and describe each column, in one pass. Raises UnusableTable for a table without rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from privacy.anonymisation.files.texts import texts_of

    rows, names = 0, [name for name in table.header if name not in table.nested]
    if not names:
        raise UnusableTable(f"Every column of '{table.path.name}' holds several values in a cell: flatten them.")
    values: dict[str, set[str]] = {name: set() for name in names}
    empty = dict.fromkeys(names, 0)
    samples: dict[str, list[str]] = {name: [] for name in names}
    for part in table.batches(names):
        for name, column in part.items():
            found = values[name]
            counts = pc.value_counts(column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column)
            texts = texts_of(counts.field("values")).to_pylist()
            for text, number in zip(texts, counts.field("counts").to_pylist(), strict=True):
                if text == "":
                    empty[name] += number
                    continue
                if len(found) < _MOST_VALUES:
                    found.add(text)
                if len(samples[name]) < _SAMPLE:
                    samples[name].append(text)
        rows += len(next(iter(part.values())))
    if rows == 0:
        raise UnusableTable(f"'{table.path.name}' has no rows.")
    profiles = [_profile(name, len(values[name]), empty[name], rows, samples[name]) for name in names]
    return rows, [
        *profiles,
        *(Profile(name, 0, 0, Role.DIRECT, "Its cells hold several values.") for name in table.nested),
    ]


def _profile(name: str, distinct: int, empty: int, rows: int, sample: Sequence[str]) -> Profile:
    role, why = suggest(name, distinct, rows)
    return Profile(name, distinct, empty, role, why, suggest_action(name, role, sample))


def suggest_action(name: str, role: Role, sample: Iterable[str]) -> str:
    """Return the action that fits a column by its name, role and some of its values; empty where none does.

    It is offered, never taken by itself: what identifies is left out unless an officer wants it under a pseudonym.
    """
    values = list(sample)
    if role == Role.PERSON:
        return wanted.HASH
    if values and all(_DATE.match(value) for value in values):
        return f"{wanted.SHIFT}:days=365"
    if values and sum(map(len, values)) > _LONG * len(values):
        return wanted.REDACT
    if role == Role.DIRECT:
        return wanted.TOKEN if _words(name) & _FORMED else wanted.HASH
    is_number = bool(values) and all(_NUMBER.fullmatch(value) for value in values)
    return f"{wanted.BOUNDS}:bottom=1%,top=99%" if is_number and len(values) > _FEW else ""


def suggest(name: str, distinct: int, rows: int) -> tuple[Role, str]:
    """Return the role a column is likely to have, and why."""
    named = _named(name)
    if distinct <= 1:
        return Role.OTHER, "Every row has the same value."
    if named is not None and named[0] in (Role.PERSON, Role.DIRECT):
        return named[0], f"By its name: {named[1]}."
    if distinct >= _NEARLY_EACH * rows and rows > _FEW:
        return Role.DIRECT, "Most rows have a value of their own."
    if named is not None:
        return named[0], f"By its name: {named[1]}."
    if distinct <= _FEW:
        return Role.OTHER, f"It has {distinct} values, and its name says nothing of a person."
    return Role.QUASI, f"It has {distinct:,} values; generalised unless it says nothing of a person."


def _named(name: str) -> tuple[Role, str] | None:
    """Return what the words of a column's name say it is: ``customer_id``, ``marital-status``, ``zipCode``."""
    words = _words(name)
    if words & _PEOPLE and words & _NUMBERS:
        return Role.PERSON, "an id of a person"
    return next(((role, what) for role, known, what in _WORDS if words & known), None)


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def beginning(profiles: Iterable[Profile]) -> dict[str, Role]:
    """Return the roles a release begins with: one column of the person at most, as the job takes."""
    found: dict[str, Role] = {}
    for each in profiles:
        role = Role(each.role)
        found[each.name] = Role.DIRECT if role == Role.PERSON and role in found.values() else role
    return found
