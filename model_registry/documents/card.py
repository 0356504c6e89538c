"""Model card: one document for every form that is read and written, with a score of how complete it is.

After Mitchell et al., "Model Cards for Model Reporting" (2019), the Model Card Toolkit's schema 0.0.2, the metadata of
Hugging Face and CycloneDX 1.6; and what a gate of a release asks for besides. The document a card was read from is kept
under ``kept`` by its form's name, so that a card which is read and written again loses nothing (``forms.overlaid``).
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Text = Annotated[str, Field(max_length=100_000)]  # the text of a licence, too
Short = Annotated[str, Field(max_length=400)]
Texts = Annotated[list[Text], Field(max_length=500)]
Names = Annotated[list[Short], Field(max_length=10_000)]  # models of speech name thousands of languages
Share = Annotated[float, Field(ge=0, le=1)]
Kept = dict[str, Any]


class KeptByForms(BaseModel):
    """What the forms keep next to a card; a card in our own JSON may state it as well."""

    model_config = ConfigDict(strict=True, extra="forbid")

    huggingface: Kept = {}
    lines: Annotated[list[str], Field(alias="huggingface-lines")] = []
    results: Annotated[dict[str, str], Field(alias="eval-results")] = {}
    cyclonedx: Kept = {}
    toolkit: Annotated[Kept, Field(alias="model-card-toolkit")] = {}


def _as_forms_keep(kept: Kept) -> Kept:
    try:
        KeptByForms.model_validate(kept)
    except ValidationError:
        raise ValueError("no form keeps this") from None
    return kept


class Part(BaseModel):
    """Base of a card's parts: strict types, unknown members refused."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class Contact(Part):
    name: Short = ""
    contact: Short = ""


class License(Part):
    """Licence by its SPDX id or the hub's own one, or as a text."""

    id: Short = ""
    name: Short = ""
    link: Short = ""
    text: Text = ""


class Interval(Part):
    """Confidence interval, as the form states it: numbers, or texts where the form has only these."""

    lower: float | Short | None = None
    upper: float | Short | None = None


class Dataset(Part):
    """Data a model was trained or measured on. ``digest``: SHA-256 of the snapshot's bytes."""

    name: Short = ""
    type: Short = ""
    url: Short = ""
    description: Text = ""
    sensitive: Names = []
    config: Short | None = None
    split: Short | None = None
    revision: Short | None = None
    args: Any = None
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class Metric(Part):
    """A figure. ``value`` is what the form has: a number, or a text that may be none."""

    type: Short = ""
    name: Short | None = None
    value: float | int | bool | Text | list[Any] | dict[str, Any] | None = None
    slice: Short = ""
    interval: Interval | None = None
    config: Short | None = None
    args: Any = None
    verified: bool | None = None


class Evaluation(Part):
    """Figures of one task on one data set."""

    task: Short = ""
    task_name: Short | None = None
    dataset: Dataset = Dataset()
    metrics: list[Metric] = []
    source_name: Short | None = None
    source_url: Short | None = None


class Disparity(Part):
    """Difference between groups, with its confidence interval."""

    metric: Short
    group: Short
    value: float
    interval: Interval | None = None


class Citation(Part):
    style: Short = ""
    citation: Text = ""


class Risk(Part):
    """A risk with what is done about it."""

    name: Text = ""
    mitigation: Text = ""


class Fairness(Part):
    group_at_risk: Text = ""
    benefits: Text = ""
    harms: Text = ""
    mitigation: Text = ""


class Alternative(Part):
    """Approach that was compared: why this one and not another."""

    approach: Short
    quality: Short = ""
    latency: Short = ""
    risk: Short = ""
    effort: Short = ""
    data: Short = ""
    chosen: bool = False


class Considerations(Part):
    users: Texts = []
    use_cases: Texts = []
    forbidden_uses: Texts = []
    limitations: Texts = []
    tradeoffs: Texts = []
    ethical: list[Risk] = []
    fairness: list[Fairness] = []
    environmental: Kept = {}


class Training(Part):
    """What a model was trained on, and under which privacy. Times are ISO 8601 days."""

    data: list[Dataset] = []
    from_day: Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
    to_day: Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
    privacy_level: Short = ""
    epsilon: Annotated[float, Field(gt=0)] | None = None


class Architecture(Part):
    name: Short = ""
    family: Short = ""
    approach: Short = ""
    task: Short = ""
    library: Short = ""
    base_models: Names = []
    inputs: Texts = []
    outputs: Texts = []


class Governance(Part):
    """Role and class under the EU AI Act, and the purposes of this installation's register."""

    role: Literal[
        "", "provider", "deployer", "authorised representative", "importer", "distributor", "product manufacturer"
    ] = ""
    risk: Literal["", "prohibited", "high", "transparency", "minimal", "general-purpose"] = ""
    intended_purposes: Names = []
    forbidden_purposes: Names = []


class ModelCard(Part):
    """Card of one version of a model."""

    name: Short = ""
    overview: Text = ""
    documentation: Text = ""
    version: Short = ""
    date: Short = ""
    changes: Text = ""
    owners: list[Contact] = []
    licenses: list[License] = []
    references: Texts = []
    citations: list[Citation] = []
    languages: Names = []
    tags: Names = []
    architecture: Architecture = Architecture()
    training: Training = Training()
    evaluations: list[Evaluation] = []
    disparities: list[Disparity] = []
    considerations: Considerations = Considerations()
    alternatives: list[Alternative] = []
    governance: Governance = Governance()
    body: Annotated[str, Field(max_length=400_000)] = ""
    kept: Annotated[Kept, AfterValidator(_as_forms_keep)] = {}
