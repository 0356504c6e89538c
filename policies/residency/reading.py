"""Read any deployment file: its kind is recognised by its content."""

from collections.abc import Mapping
from pathlib import Path

from policies.residency.compose import read_compose
from policies.residency.documents import read_documents
from policies.residency.kubernetes import read_manifests
from policies.residency.placements import Placement, Unreadable
from policies.residency.terraform import read_plan

_NEITHER = "it is no Terraform plan as JSON, no compose file and no Kubernetes manifest"


def read_file(path: Path) -> list[Placement]:
    """Return the placements of a file. Raises Unreadable with a sentence about why it cannot be judged."""
    documents = read_documents(path)
    mappings = [document for document in documents if isinstance(document, Mapping)]
    if not mappings or len(mappings) != len(documents):
        raise Unreadable(_NEITHER)
    first = mappings[0]
    if "planned_values" in first or "terraform_version" in first:
        return read_plan(first, str(path))
    if all("apiVersion" in each and "kind" in each for each in mappings):
        return read_manifests(mappings, str(path))
    if len(mappings) == 1 and "services" in first:
        return read_compose(first, str(path))
    raise Unreadable(_NEITHER)
