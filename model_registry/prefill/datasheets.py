"""Data sheet of a version's training data, as far as the registers and the training know it."""

from consent.models import LegalBasis, Party
from model_registry.documents.datasheet import Answer, DataFile, DataSheet
from model_registry.models import ModelFile, ModelVersion
from model_registry.prefill import register_texts as registers

_PARQUET = "application/vnd.apache.parquet"
_NO_LABELS = "There are none: the events themselves are learnt from."


def datasheet(version: ModelVersion) -> DataSheet:
    """Return a sheet with purposes, people, data with its file, consent, recipients and retention answered."""
    controllers = [party.name for party in registers.parties((Party.Role.CONTROLLER,))]
    answers = {number: Answer(text=text) for number, text in _answers(version, controllers).items() if text}
    return DataSheet(
        name=f"training-data-{version.model.slug}-{version.version}",
        description=f"Events that {version} learnt from.",
        creators=controllers,
        version=str(version.version),
        published=version.created_at.date().isoformat(),
        files=[
            DataFile(name=each.path.rsplit("/", 1)[-1], url=each.path, encoding=_PARQUET, digest=each.sha256)
            for each in version.files.filter(kind=ModelFile.Kind.DATA)
        ],
        answers={**answers, "composition.5": Answer(text=_NO_LABELS, applies=False)},
    )


def _answers(version: ModelVersion, controllers: list[str]) -> dict[str, str]:
    metrics, purposes = version.metrics, registers.purposes(version)
    by_consent = [purpose.name for purpose in purposes if purpose.legal_basis == LegalBasis.CONSENT]
    window = " to ".join(metrics.get("window", []))
    kinds = sorted({kind for purpose in purposes for kind in purpose.data_categories})
    return {
        "motivation.1": registers.lines(f"{purpose.name}: {purpose.benefit}" for purpose in purposes),
        "motivation.2": ", ".join(controllers),
        "composition.1": f"Events of people: {', '.join(kinds)}." if kinds else "",
        "composition.2": f"{metrics['people']} people." if "people" in metrics else "",
        "composition.3": "Only people who allow it at the time of the training; all their data, or none.",
        "composition.4": registers.lines(registers.reasons(version)),
        "composition.14": "By pseudonym only; the business alone can tell who it is.",
        "collection.5": window,
        "collection.9": f"Yes, for: {', '.join(by_consent)}." if by_consent else "",
        "collection.10": "On the privacy page, or through the business; it is in force at the next decision.",
        "uses.1": str(version),
        "distribution.1": registers.lines(f"{each.name}: {registers.recipients(each)}." for each in purposes),
        "maintenance.1": ", ".join(controllers),
        "maintenance.2": registers.lines(registers.reached(party) for party in registers.parties(
            (Party.Role.CONTROLLER, Party.Role.OFFICER))),
        "maintenance.5": registers.lines(registers.retention(version)),
    }  # fmt: skip
