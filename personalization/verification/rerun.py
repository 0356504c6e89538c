"""Run the training and the evaluation of a snapshot again, and compare what comes out with what was kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from personalization.recommender.groups import forming as groups
from personalization.recommender.model import Model
from personalization.recommender.parts import Part
from personalization.recommender.recipe import Lists
from personalization.recommender.training import train
from personalization.recommender.validation import ratings
from personalization.recommender.validation.evaluation import Asked, Case, ask, summed
from personalization.recommender.validation.tuning import Chosen, choose
from personalization.registered import measured
from personalization.snapshots import files
from personalization.snapshots.files import Data, Listed
from personalization.verification.lines import Line, State, compared
from personalization.verification.of_files import Checked

# Another processor's arithmetic may end in another last digit.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-5
_PROBES = 8


@dataclass(frozen=True, eq=False)
class Rerun:
    """What came out of data and artifact: the model again, its recipe, and the lists of the evaluation."""

    chosen: Chosen
    model: Model
    asked: Asked


def rerun(data: Data, model: Model) -> Rerun:
    """Choose the recipe, train and evaluate as the training did, with the artifact's parameters and catalogue."""
    rules = model.parameters
    touches, segments = data.interactions, data.segments
    chosen = choose(
        touches, model.items, segments,
        lists=(Lists.COUNTS,), min_segment=rules.min_segment, min_people=rules.min_people,
    )  # fmt: skip
    again = train(
        touches, model.items, segments,
        recipe=rules.recipe, min_segment=rules.min_segment, min_people=rules.min_people,
        neighbours=rules.neighbours, damping=rules.damping,
    )  # fmt: skip
    again = groups.added(again, touches, groups.kinds_of(model)).model
    asked = ask(
        touches, model.items, segments,
        recipe=rules.recipe, min_segment=rules.min_segment, min_people=rules.min_people,
    )  # fmt: skip
    return Rerun(chosen, again, asked)


def metrics(found: Checked, again: Rerun | None) -> dict[str, Any]:
    """Return the figures that come out of the files: all of them where all files are whole."""
    if found.data is None:
        return {}
    data = found.data
    of_data = measured.of_data(data.interactions)
    if again is None or found.listed is None:
        return of_data
    noted = _noted(again.asked, found.listed)
    k = again.model.parameters.min_segment
    lists = {} if noted is None else measured.of_evaluation(summed(noted, data.segments, min_segment=k), least=k)
    predicted = measured.of_ratings(ratings.measure(data.ratings, data.interactions, again.asked, least=k))
    return {**of_data, **lists, **predicted, **measured.of_choice(again.chosen)}


def _noted(asked: Asked, listed: Listed) -> Asked | None:
    """Return the evaluation with the lists that were kept; None where they are of other people."""
    if {case.person for case in asked.cases} != listed.lists.keys():
        return None
    lists = {
        protocol: {
            level: [listed.lists[case.person].get(files.column(protocol, level)) or [] for case in asked.cases]
            for level in levels
        }
        for protocol, levels in asked.lists.items()
    }
    named = {item for levels in lists.values() for some in levels.values() for each in some for item in each}
    if not named <= {item.id for item in asked.model.items}:
        return None
    return Asked(asked.model, asked.cases, lists, asked.new)


def lines(found: Checked, again: Rerun) -> Iterator[Line]:
    """Yield what the artifact and the evaluation are against what came out again."""
    if found.model is None:
        return
    yield from _artifact(found.model, again)
    if found.listed is not None:
        yield from _evaluation(found.listed, again.asked)


def _artifact(model: Model, again: Rerun) -> Iterator[Line]:
    yield compared("artifact: people, pairs and items", model.trained_on, again.model.trained_on)
    yield compared("artifact: recipe", model.parameters.recipe, again.chosen.recipe)
    yield compared("artifact: segments", _sizes(model), _sizes(again.model))
    are_equal = _are_close(_numbers(model), _numbers(again.model))
    why = "" if are_equal else "Training on the snapshot gives others."
    yield Line("artifact: weights", State.VERIFIED if are_equal else State.DIFFERS, why)


def _sizes(model: Model) -> dict[str, int]:
    return {key: segment.people for key, segment in model.segments.items()}


def _numbers(model: Model) -> list[Any]:
    parts = [array for part in model.parts for array in (part.neighbours, part.weights, _product(part))]
    segments = [segment.scores for _key, segment in sorted(model.segments.items())]
    return [model.popularity.scores, *segments, *parts, np.array([part.scale for part in model.parts])]


def _product(part: Part) -> Any:
    """Return what the factors of a part give together: pairs of them may turn, and mean the same."""
    probes = np.random.default_rng(0).standard_normal((len(part.out), _PROBES))
    return part.out @ (part.into @ probes)


def _are_close(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=_RELATIVE, atol=_ABSOLUTE)
        for one, other in zip(some, others, strict=True)
    )


def _evaluation(listed: Listed, asked: Asked) -> Iterator[Line]:
    rules = files.rules()
    for name in sorted(rules.keys() | listed.rules.keys()):
        yield compared(f"evaluation: {name}", listed.rules.get(name), rules.get(name))
    relevant = {case.person: case.relevant for case in asked.cases}
    others = sum(listed.relevant.get(person) != some for person, some in relevant.items())
    others += len(listed.relevant.keys() - relevant.keys())
    yield _of_people("evaluation: split", others, "what was held out of them is another")
    for protocol, levels in asked.lists.items():
        for level, lists in levels.items():
            yield _lists(listed, files.column(protocol, level), asked.cases, lists)


def _lists(listed: Listed, name: str, cases: Sequence[Case], lists: Sequence[Sequence[str]]) -> Line:
    others = sum(
        list(listed.lists.get(case.person, {}).get(name) or []) != list(some)
        for case, some in zip(cases, lists, strict=True)
    )
    return _of_people(f"evaluation: lists {name}", others, "the model lists other items")


def _of_people(what: str, people: int, why: str) -> Line:
    return Line(what, State.DIFFERS if people else State.VERIFIED, f"For {people} people {why}." if people else "")
