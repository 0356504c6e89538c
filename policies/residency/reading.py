"""Read any deployment file: its kind is recognised by its content."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common.registers.documents import Lined, read_documents
from policies.residency.compose import is_compose, read_compose
from policies.residency.kubernetes.reading import Shared, read_manifests, shared_of
from policies.residency.placements import Placement, Unreadable
from policies.residency.terraform.reading import read_plan

_NEITHER = "it is no Terraform plan as JSON, no compose file and no Kubernetes manifest"


class UnreadableFile(Unreadable):
    """Refusal with the file it is about."""

    def __init__(self, path: Path, why: Unreadable) -> None:
        super().__init__(f"{path} cannot be judged: {why}")


def read_files(paths: Iterable[Path]) -> dict[Path, list[Placement]]:
    """Return the placements of each file. Manifests share their storage classes, volumes and namespaces.

    Raises UnreadableFile with a sentence about the file that cannot be judged, and why.
    """
    documents = {path: _attributed(path, _mappings, path) for path in dict.fromkeys(paths)}
    shared = shared_of(each for found in documents.values() if _is_manifests(found) for each in found)
    return {path: _attributed(path, _read, path, found, shared) for path, found in documents.items()}


def read_file(path: Path) -> list[Placement]:
    """Return the placements of one file by itself. Raises Unreadable."""
    documents = _mappings(path)
    return _read(path, documents, shared_of(documents if _is_manifests(documents) else []))


def _attributed(path: Path, read: Any, *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except Unreadable as exc:
        raise UnreadableFile(path, exc) from None


def _mappings(path: Path) -> list[Mapping[str, Any]]:
    documents = read_documents(path)
    mappings = [document for document in documents if isinstance(document, Mapping)]
    if not mappings or len(mappings) != len(documents):
        raise Unreadable(_NEITHER)
    return mappings


def _is_manifests(documents: list[Mapping[str, Any]]) -> bool:
    return all("apiVersion" in each and "kind" in each for each in documents)


def _read(path: Path, documents: list[Mapping[str, Any]], shared: Shared) -> list[Placement]:
    first = documents[0]
    if "planned_values" in first or "terraform_version" in first:
        if isinstance(first, Lined) or len(documents) > 1:
            raise Unreadable("a Terraform plan is read as JSON only: write it with terraform show -json PLAN")
        return read_plan(first, str(path))
    if _is_manifests(documents):
        return read_manifests(documents, shared, str(path))
    if len(documents) == 1 and is_compose(first):
        return read_compose(first, str(path))
    raise Unreadable(_NEITHER)
