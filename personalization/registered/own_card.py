"""Card of our own model, complete after a training: begun out of the registers, finished by what the training knows.

What an officer keeps as a revision later is theirs; a new version begins with this one.
"""

from collections.abc import Mapping
from typing import Any

from model_registry import prefill
from model_registry.documents.card import (
    Alternative,
    Architecture,
    Considerations,
    Evaluation,
    Governance,
    Interval,
    License,
    Metric,
    ModelCard,
    Risk,
)
from model_registry.models import ModelVersion
from personalization import engine
from personalization.recommender.recipe import Kind, Recipe
from personalization.snapshots import files

NEW_ITEMS = "new items alone, protocol=S"
"""Slice of the figure of items that were treated as new."""
SCORED, BIASES = "level=individual", "by biases alone"
_NO_ERRORS = "It ranks items; too few people rated what was held out for an error of predicted ratings (RMSE, MAE)."
_ERRORS = "It ranks items: RMSE and MAE are of ratings that were predicted by its score and by how each is rated else."
SPLIT = "last fifth of each person's items"
LATENCY = f"at most {engine.SLOW_S:g} s, else the general list"
BY_LEVEL = {
    "precision": "precision@10",
    "recall": "recall@10",
    "coverage": "coverage",
    "diversity": "diversity",
    "novelty": "novelty",
    "serendipity": "serendipity",
    "popularity_lift": "popularity_lift",
    "lift": "lift",
}
_KINDS = {
    Kind.EASE: "EASE (linear weights between items)",
    Kind.COSINE: "cosines between items",
    Kind.TFIDF_COSINE: "cosines of TF-IDF columns between items",
    Kind.NEAR: "items used close to each other",
    Kind.FORWARD: "items used soon after each other",
}
_OVERVIEW = (
    "Ranks the items of a catalogue by what people who agreed to it chose, each person only as personally as they"
    " allow. It holds weights between items and counts of groups, and no person."
)
_CONSIDERATIONS = Considerations(
    users=["People who use the service, and officers who answer for it."],
    use_cases=["Order a list of items for a person, at most at the level that the person permits."],
    forbidden_uses=[
        "Decisions about people: prices, credit, employment, access to a service.",
        "Inference of health, religion or other special categories from what a person chose.",
    ],
    limitations=[
        "Who did little here gets what is popular in the region and age group.",
        "Items that too few people used are ranked by what they are like alone, in categories and words.",
        "Repeats count as no hit, so levels that forget look worse than they are by protocol W.",
    ],
    tradeoffs=["A lower level uses less about a person and ranks worse; the figures by level say how much."],
    ethical=[
        Risk(
            name="What is popular becomes more so.",
            mitigation="Coverage and popularity lift are measured in each training; lists can be made more diverse.",
        ),
        Risk(
            name="A person's history could be read out of weights.",
            mitigation="Each weight rests on two people or more, each segment on twenty or more.",
        ),
        Risk(
            name="It serves a group of people worse than others.",
            mitigation="Quality by group stands on this card, and a gate can demand an audit of it.",
        ),
    ],
)


def card(version: ModelVersion, recipe: Recipe) -> ModelCard:
    """Return the card of a version that was just trained."""
    begun = prefill.card(version)
    return begun.model_copy(
        update={
            "overview": _OVERVIEW,
            "licenses": [License(name="Not licensed", text="For use in this installation only.")],
            "architecture": _architecture(recipe),
            "evaluations": [_with_rules(_with_figures(each, version)) for each in begun.evaluations],
            "considerations": _considerations(version),
            "alternatives": _alternatives(version),
            "governance": Governance(
                role="provider", risk="minimal", intended_purposes=begun.governance.intended_purposes
            ),
        }
    )


def _architecture(recipe: Recipe) -> Architecture:
    return Architecture(
        name=", ".join(dict.fromkeys(_KINDS[part.kind] for part in recipe.parts)),
        task="recommendation",
        inputs=["Items a person used, as far as the permitted level reaches; region and age group."],
        outputs=["A ranked list of items, each with its reasons."],
    )


def _with_figures(evaluation: Evaluation, version: ModelVersion) -> Evaluation:
    """Add what the training measured of each level by both protocols, and of new items.

    S leaves every item of the training part out of the lists, W what the level may look at: so it is served.
    """
    found = []
    for protocol, levels in version.metrics["protocols"].items():
        for level, given in levels.items():
            group = f"level={level}, protocol={protocol}"
            found.append(_ndcg(given, group))
            found += [
                Metric(type=name, value=given[key] / 1000, slice=group)
                for key, name in BY_LEVEL.items()
                if given[key] is not None
            ]
    new = version.metrics["new_items"]
    if new is not None:
        found.append(_ndcg(new, NEW_ITEMS))
    found += [Metric(type=name, value=value, slice=group) for (name, group), value in rating_errors(version.metrics)]
    return evaluation.model_copy(update={"metrics": [*evaluation.metrics, *found]})


def rating_errors(metrics: Mapping[str, Any]) -> list[tuple[tuple[str, str], float]]:
    """Return the errors of predicted ratings by name and slice, which says on how many ratings they rest."""
    given = metrics.get("ratings")
    if given is None:  # too few, or a version of an older release
        return []
    on = f"on {given['ratings']} ratings of {given['people']} people"
    return [
        ((name, f"{by}, {on}"), given[f"{name}{ending}"] / 1000)
        for by, ending in ((SCORED, ""), (BIASES, "_of_biases"))
        for name in ("rmse", "mae")
    ]


def _considerations(version: ModelVersion) -> Considerations:
    said = _ERRORS if version.metrics["ratings"] else _NO_ERRORS
    return _CONSIDERATIONS.model_copy(update={"limitations": [*_CONSIDERATIONS.limitations, said]})


def _ndcg(given: Mapping[str, Any], group: str) -> Metric:
    low, high = (end / 1000 for end in given["interval"])
    return Metric(type="ndcg@10", value=given["ndcg"] / 1000, slice=group, interval=Interval(lower=low, upper=high))


def _with_rules(evaluation: Evaluation) -> Evaluation:
    held_out = {"split": SPLIT, "args": files.rules()}
    return evaluation.model_copy(update={"dataset": evaluation.dataset.model_copy(update=held_out)})


def _alternatives(version: ModelVersion) -> list[Alternative]:
    """Return the approaches that were compared: the general list, this one, and what validation tried."""
    served = version.metrics["ndcg_at_10_per_mille"]
    tried = version.metrics["validation"]["ndcg_at_10_per_mille"]
    return [
        Alternative(
            approach="General list, the same for everybody",
            quality=_quality(served["none"], "level=none"),
            latency="none: it is kept ready", risk="none: it uses nothing about anybody", effort="none",
            data="counts of people for each item",
        ),
        Alternative(
            approach="This version",
            quality=_quality(served["individual"], "level=individual"),
            latency=LATENCY,
            risk="weights rest on two people or more", effort="trained each night",
            data="what people did who allow training", chosen=True,
        ),
        *(
            Alternative(approach=name, quality=f"ndcg@10 {figure / 1000:.3f}")
            for name, figure in tried.items()
            if name.startswith(("ease", "cosine", "tfidf"))
        ),
    ]  # fmt: skip


def _quality(per_mille: int, group: str) -> str:
    return f"ndcg@10 {per_mille / 1000:.3f} ({group})"
