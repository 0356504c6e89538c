"""A register's row as a document by public names instead of row numbers, and back into the tables."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models
from django.db.models import ProtectedError, QuerySet, RestrictedError

from oversight.problems import ChangeRefused
from oversight.registers import Child, Document, Register

_MICROSECOND = timedelta(microseconds=1)
_NAMES = ("slug", "code", "username", "name")


class NotReadable(ValueError):
    """Refusal of a value that names nothing, or is of another type than its column."""


def written(field: Any, value: Any) -> Any:
    """Return a column's value as it stands in a document."""
    if value is None:
        return None
    if field.many_to_many:
        return sorted(public_name(row) for row in value.all())
    if field.is_relation:
        return public_name(value)
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def read(field: Any, value: Any) -> Any:
    """Return a document's value as the column takes it. Raises NotReadable."""
    if value is None:
        return None
    try:
        if field.many_to_many:
            return [_named(field.related_model, name) for name in value]
        if field.is_relation:
            return _named(field.related_model, value)
        if isinstance(field, models.DurationField):
            return value * _MICROSECOND
        return datetime.fromisoformat(value) if isinstance(field, models.DateTimeField) else value
    except (ObjectDoesNotExist, TypeError, ValueError):
        raise NotReadable(f"“{field.name}” names something that is not there.") from None


def public_name(row: Any) -> str:
    """Return what a row is called outside the database."""
    return str(next(getattr(row, name) for name in _NAMES if hasattr(row, name)))


def _named(model: type[models.Model], name: str) -> models.Model:
    known = {field.name for field in model._meta.concrete_fields}  # noqa: SLF001 (Django documents it)
    return model._default_manager.get(**{next(n for n in _NAMES if n in known): name})  # noqa: SLF001


def key_of(register: Register, row: models.Model) -> str:
    """Return the name of a row in its register: the values of its key, joined by a stroke."""
    fields = {field.name: field for field in register.fields}
    return "/".join(str(written(fields[name], getattr(row, name))) for name in register.key)


def document_of(register: Register, row: models.Model) -> Document:
    """Return a row with its children as one document."""
    return _document(register, row, {child.name: _children(child, [row]) for child in register.children})


def _document(register: Register, row: models.Model, children: dict[str, dict[Any, Document]]) -> Document:
    document = {field.name: written(field, getattr(row, field.name)) for field in register.fields}
    return {**document, **{name: found.get(row.pk, {}) for name, found in children.items()}}


def _children(child: Child, parents: Sequence[models.Model]) -> dict[Any, Document]:
    """Return the children of rows, by the number of their parent. One statement."""
    documents: dict[Any, Document] = {}
    for each in _rows_of(child, **{f"{child.parent}__in": parents}):
        documents.setdefault(getattr(each, f"{child.parent}_id"), {})[_child_key(child, each)] = _own(child, each)
    return documents


def _own(child: Child, row: models.Model) -> Document:
    return {field.name: written(field, getattr(row, field.name)) for field in child.fields}


def _rows_of(child: Child, **wanted: Any) -> QuerySet[Any]:
    links = [field.name for field in (*child.key_fields, *child.fields) if field.is_relation]
    rows: QuerySet[Any] = child.model._default_manager.filter(**wanted)  # noqa: SLF001 (Django documents it)
    return rows.select_related(*links) if links else rows


def _child_key(child: Child, row: models.Model) -> str:
    return "/".join(str(written(field, getattr(row, field.name))) for field in child.key_fields)


def find_row(register: Register, key: str, *, lock: bool = False) -> models.Model | None:
    """Return the row of a key, locked where said, or None."""
    parts = key.rsplit("/", len(register.key) - 1)  # only the first part is written by people, with strokes or not
    if len(parts) != len(register.key):
        return None
    fields = {field.name: field for field in register.fields}
    wanted = {
        f"{name}__slug" if fields[name].is_relation else name: part
        for name, part in zip(register.key, parts, strict=True)
    }
    rows = _with_links(register).filter(**wanted)
    # Writers of records hold KEY SHARE on a purpose through their foreign key: only the stronger lock would stop them.
    return rows.select_for_update(no_key=True, of=("self",)).first() if lock else rows.first()


def find_document(register: Register, key: str, *, lock: bool = False) -> Document | None:
    """Return the document of a key, or None where there is no such row."""
    row = find_row(register, key, lock=lock)
    return None if row is None else document_of(register, row)


def all_documents(register: Register) -> dict[str, Document]:
    """Return every document of a register by key."""
    found = list(_with_links(register))
    children = {child.name: _children(child, found) for child in register.children}
    return {key_of(register, row): _document(register, row, children) for row in found}


def _with_links(register: Register) -> QuerySet[Any]:
    links = [field.name for field in register.fields if field.is_relation and not field.many_to_many]
    many = [field.name for field in register.fields if field.many_to_many]
    rows: QuerySet[Any] = register.model._default_manager.all()  # noqa: SLF001 (Django documents it)
    return (rows.select_related(*links) if links else rows).prefetch_related(*many)


def write_document(register: Register, key: str, after: Document | None) -> models.Model | None:
    """Write, or remove, the row of a key; return it. The caller has named the writer. Raises ChangeRefused."""
    row = find_row(register, key)
    try:
        if after is None:
            _delete(register, key, row)
            return None
        return _write(register, row, key, after)
    except NotReadable as exc:
        raise ChangeRefused(f"{register.title} {key}: {exc}") from None
    except ValidationError as exc:
        raise ChangeRefused(f"{register.title} {key}: {' '.join(_sentences(exc))}") from None


def _delete(register: Register, key: str, row: models.Model | None) -> None:
    if register.keeps:
        raise ChangeRefused(f"{register.title} {key} can never be deleted, as records name it. Switch it off instead.")
    if row is None:
        return
    try:
        row.delete()
    except (ProtectedError, RestrictedError):
        raise ChangeRefused(
            f"{register.title} {key} cannot be deleted: others name it. Change those first, or switch it off where"
            " records do."
        ) from None


def _write(register: Register, row: models.Model | None, key: str, after: Document) -> models.Model:
    created = row is None
    row = row or register.model()
    links = _fill(row, register.fields, after, register.title)
    _clean(row)
    if key_of(register, row) != key:
        raise ChangeRefused(f"{register.title} {key}: its name can never be changed.")
    if register.save is None:
        row.save()
    else:
        register.save(row, created)
    for name, rows in links.items():
        getattr(row, name).set(rows)
    for child in register.children:
        _write_children(child, row, after.get(child.name, {}), register.title)
    return row


def _fill(row: models.Model, fields: Iterable[Any], document: Document, title: str) -> dict[str, Any]:
    """Set the columns of a row; return the rows of its many-to-many links, which need the row saved."""
    names = {field.name for field in fields}
    if missing := names - document.keys():
        raise ChangeRefused(f"{title}: the document lacks {', '.join(sorted(missing))}.")
    links = {}
    for field in fields:
        value = read(field, document[field.name])
        if field.many_to_many:
            links[field.name] = value
        else:
            setattr(row, field.name, value)
    return links


def _clean(row: models.Model) -> None:
    """Validate a row as a form would. An empty list is left to the register's own rules: it may be an answer."""
    row.full_clean(exclude=_exempt(row))


def _exempt(row: models.Model) -> list[str]:
    return [
        field.name
        for field in row._meta.concrete_fields  # noqa: SLF001 (Django documents it)
        if not field.editable or (isinstance(field, models.JSONField) and getattr(row, field.name) in ([], {}))
    ]


def unfit(register: Register, key: str) -> str:
    """Return what a form would refuse about a row that stands, and its children; empty where it would refuse nothing.

    What the database keeps by itself is not asked again: uniqueness, and that a name leads to a row.
    """
    row = find_row(register, key)
    if row is None:
        return ""
    found = [row, *(each for child in register.children for each in _rows_of(child, **{child.parent: row}))]
    return " ".join(filter(None, map(_unfit, found)))


def _unfit(row: models.Model) -> str:
    links = [field.name for field in row._meta.concrete_fields if field.is_relation]  # noqa: SLF001
    try:
        row.clean_fields(exclude=[*_exempt(row), *links])
        row.clean()
    except ValidationError as exc:
        return " ".join(_sentences(exc))
    return ""


def _write_children(child: Child, row: models.Model, wanted: Document, title: str) -> None:
    present = {_child_key(child, each): each for each in _rows_of(child, **{child.parent: row})}
    for key in present.keys() - wanted.keys():
        present[key].delete()
    for key, document in wanted.items():
        if key in present and _own(child, present[key]) == document:
            continue
        each = present.get(key) or _new_child(child, row, key)
        _fill(each, child.fields, document, title)
        _clean(each)
        each.save()


def _new_child(child: Child, row: models.Model, key: str) -> models.Model:
    parts = key.split("/")
    if len(parts) != len(child.key):
        raise NotReadable(f"“{key}” names no member of “{child.name}”: write {'/'.join(child.key)}.")
    named = {field.name: read(field, part) for field, part in zip(child.key_fields, parts, strict=True)}
    return child.model(**{child.parent: row}, **named)


def _sentences(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    return [f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()]
