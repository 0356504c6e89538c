"""Assessments that a change of the registers made out of date: work for the model's owner, until they are made again.

Looked at in the transaction of each change that is published, and when a revision is kept. The gates deny by
themselves (``gates.checks``); the work informs the owner of the model.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from django.urls import reverse

from model_registry.documents import basis
from model_registry.documents.models import Document
from model_registry.models import ModelVersion
from oversight.problems import NotNow
from oversight.work import items
from oversight.work.kinds import Kind

KINDS = {"dpia": "impact assessment", "fria": "fundamental-rights assessment"}
# A draft is not assessed yet, and what is retired never serves again.
_ENDED = (ModelVersion.Status.DRAFT, ModelVersion.Status.RETIRED)


def _url(name: str) -> str:
    pk, _, kind = name.partition("/")
    return reverse("model-document", args=[pk, kind])


def _describe(name: str) -> str:
    pk, _, kind = name.partition("/")
    version = ModelVersion.objects.select_related("model").get(pk=pk)
    return (
        f"The {KINDS[kind]} of {version} was made over other purposes, data, recipients, regions or another level. "
        "Its approval no longer holds: make it again, and let another officer approve it."
    )


REOPENED = Kind(
    slug="model-assessment",
    title="Assessment of a model is out of date",
    due=timedelta(days=14),
    permission="model_registry.change_model",
    url=_url,
    describe=_describe,
)


def follow(_reason: str, actor: str) -> None:
    """Open the work of assessments that are out of date, and close that of the others."""
    newest = (
        Document.objects.filter(kind__in=KINDS).order_by("version_id", "kind", "-revision")
        .distinct("version_id", "kind").defer("content", "source").select_related("version__model")
    )  # fmt: skip
    rows = list(newest)
    if not rows:
        return  # no assessment, so no work of one
    late = set(_out_of_date(row for row in rows if row.version.status not in _ENDED))
    is_open = {item.object: item for item in items.all_open(REOPENED.slug)}
    for name in late - is_open.keys():
        items.open_item(REOPENED.slug, name, actor=actor)
    for name in is_open.keys() - late:
        # An officer may have closed it in this instant: no reason to refuse the change of a register.
        with suppress(NotNow):
            items.finish(is_open[name], actor=actor, outcome="It is of what the version may do, or has ended.")


def _out_of_date(newest: Iterable[Document]) -> Iterable[str]:
    now: dict[int, bytes] = {}
    for row in newest:
        if row.version_id not in now:
            now[row.version_id] = basis.digest(row.version)
        if bytes(row.basis) != now[row.version_id]:
            yield f"{row.version_id}/{row.kind}"
