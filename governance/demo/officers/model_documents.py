"""Documents of the demonstration's model: begun out of the registers and its training, completed in words."""

from model_registry import prefill
from model_registry.documents import keeping
from model_registry.documents.assessments import AssessedRisk
from model_registry.documents.card import Alternative, Architecture, Considerations, License, ModelCard, Risk
from model_registry.gates import recording
from model_registry.models import DocumentReview, ModelVersion

_DPIA = {
    "necessity": "A general list serves most people badly; people who want better suggestions have to say what fits.",
    "proportionality": "Suggestions rank this shop's items only, and each one says why it is shown.",
    "officer": "The data protection officer advises to keep segments at twenty people or more, and to review yearly.",
    "views": "People were asked in the shop; most want to see why an item is suggested, and to switch it off.",
    "consultation": "No high risk remains, so no authority was consulted.",
}
_RUNBOOK = {
    "start": "Approve it with a second officer, then make it live on its page.",
    "watch": "The share of answers at level none, and latency, under Operation; more than a tenth is an alarm.",
    "incident": "The data protection officer, within 24 hours.",
}


def complete(version: ModelVersion, *, author: str, officer: str) -> None:
    """Write the documents that the gates ask for; another officer approves the assessment."""
    keeping.keep(version, "card", _card(version), actor=author)
    runbook = prefill.runbook(version)
    keeping.keep(
        version, "runbook", runbook.model_copy(update={"answers": {**runbook.answers, **_RUNBOOK}}), actor=author
    )
    begun = prefill.dpia(version)
    whole = {"answers": {**begun.answers, **_DPIA}, "risks": [_SINGLED_OUT]}
    row = keeping.keep(version, "dpia", begun.model_copy(update=whole), actor=author)
    recording.review(row, verdict=DocumentReview.Verdict.APPROVED, role=DocumentReview.Role.PRIVACY, actor=officer)


_SINGLED_OUT = AssessedRisk(
    risk="A suggestion shows to others what a person looked at.",
    likelihood="low",
    severity="medium",
    measure="Suggestions are shown to the signed-in person only, and segments have twenty people or more.",
    remaining="low",
)


def _card(version: ModelVersion) -> ModelCard:
    begun = prefill.card(version)
    return begun.model_copy(
        update={
            "licenses": [License(name="For this shop only")],
            "architecture": Architecture(
                name="EASE", family="item-to-item", approach="self-supervised", task="recommendation",
                inputs=["Items a person liked, bought or viewed"], outputs=["Ranked items, each with its reasons"],
            ),
            "considerations": Considerations(
                users=["Customers of the shop"],
                use_cases=["Rank the shop's own items for a person who allows it"],
                forbidden_uses=["Prices", "Credit, insurance or work", "Inference of sensitive data"],
                limitations=["A person with few events gets little more than the general list"],
                tradeoffs=["Fewer kinds of data, and so somewhat worse suggestions"],
                ethical=[Risk(name="People see ever more of the same", mitigation="“Not relevant” and a general list")],
            ),
            "alternatives": [
                Alternative(approach="General list", quality="lowest", risk="none", effort="none", data="totals"),
                Alternative(approach="Item to item", quality="high", risk="low", effort="low", data="own events",
                            chosen=True),
                Alternative(approach="Neural sequence model", quality="high", risk="medium", effort="high",
                            data="own events, in order"),
            ],
            "governance": begun.governance.model_copy(update={"role": "provider", "risk": "minimal"}),
        }
    )  # fmt: skip
