"""Plots of the overview, each with its numbers as a table."""

from collections.abc import Sequence

from common.charts.counts import Bucket, Figure, Series, Tone, bars_figure, columns_figure
from common.charts.rates import MILLISECONDS, RATES, Part, ShareRow, lines_figure, shares_figure
from common.levels import LEVELS
from consent.register import words
from personalization import engine
from personalization.explained import fallbacks as reasons
from personalization.monitors.measuring import Answers
from personalization.overview.answers import Day
from personalization.recommender.recipe import Band, Kind, Recipe, Spec

_PARTS = {
    Kind.EASE: "EASE",
    Kind.COSINE: "Cosine of items",
    Kind.TFIDF_COSINE: "TF-IDF cosine of items",
    Kind.NEAR: "Near in time",
    Kind.FORWARD: "Next in time",
}
_PRIOR = "Popular in the group"
_TONES = (Tone.ACCENT, Tone.ACCENT, Tone.ACCENT, Tone.QUIET, Tone.QUIET)  # of levels, the most personal first
_HALF, _ALMOST_ALL = 0.5, 0.99


def over_time(days: Sequence[Day]) -> list[Figure]:
    """Draw levels served, durations, and what was less than permitted, by day."""
    return [_levels(days), _durations(days), _less(days)]


def _levels(days: Sequence[Day]) -> Figure:
    series = [
        Series(level, str(words.LEVELS[level]), tone) for level, tone in zip(reversed(LEVELS), _TONES, strict=True)
    ]
    return columns_figure(
        [Bucket(_named(each), each.answers.levels) for each in days],
        series,
        title="Levels served",
        description="Answers by the level that was served, by day (UTC).",
        bucket_heading="Day",
    )


def _named(each: Day) -> str:
    return f"{each.day:%-d}\N{NO-BREAK SPACE}{each.day:%b}"


def _durations(days: Sequence[Day]) -> Figure:
    return lines_figure(
        [_named(each) for each in days],
        [
            (Part("p50", Tone.ACCENT), [_within(each.answers, _HALF) for each in days]),
            (Part("p99", Tone.CAUTION), [_within(each.answers, _ALMOST_ALL) for each in days]),
        ],
        title="How long answers took, in milliseconds",
        description="Half of the answers were made within p50, 99 of 100 within p99, decision included.",
        heading="Day",
        scale=MILLISECONDS,
    )


def _within(answers: Answers, share: float) -> float | None:
    seconds = answers.within(share)
    return None if seconds is None else 1_000 * seconds


def _less(days: Sequence[Day]) -> Figure:
    lines = (
        (Part("Lower", Tone.ACCENT), [_share(each.answers.lower, each) for each in days]),
        (Part("Failed", Tone.CAUTION), [_share(each.answers.failed, each) for each in days]),
        (Part("Rested", Tone.QUIET), [_share(each.answers.fallbacks[engine.RESTING], each) for each in days]),
    )
    return lines_figure(
        [_named(each) for each in days],
        lines,
        title="Less than was permitted",
        description="Shares of all answers: at a lower level; as the engine failed; as it rested after failures.",
        heading="Day",
        scale=RATES,
    )


def _share(some: int, each: Day) -> float | None:
    return some / each.answers.total if each.answers.total else None


def fallbacks(answers: Answers) -> Figure:
    """Draw why less than permitted was served, over the whole time."""
    return bars_figure(
        [(reasons.in_words(code), count) for code, count in answers.fallbacks.most_common()],
        title="Why less than permitted was served",
        description="Answers by the reason for less, of all days shown.",
        headings=("Reason", "Answers"),
    )


def weights(recipe: Recipe, version: int) -> Figure:
    """Draw how much each part of the ranking weighs, for short and long histories."""
    parts = [Part(_part(spec), tone) for spec, tone in zip(recipe.parts, _TONES, strict=False)]
    rows = [ShareRow(_whom(recipe, band), "", _shares(band)) for band in recipe.bands]
    return shares_figure(
        rows,
        [*parts, Part(_PRIOR, Tone.QUIET)],
        title=f"What version {version} ranks by",
        description="Weight of each part, by how many things a person chose. The parts have comparable scores.",
        headings=("For whom", "", *(part.label for part in parts), _PRIOR),
    )


def _part(spec: Spec) -> str:
    return _PARTS[spec.kind]


def _whom(recipe: Recipe, band: Band) -> str:
    if band.up_to is None:
        return "People who chose more" if len(recipe.bands) > 1 else "Everybody"
    return f"Up to {band.up_to} thing{'' if band.up_to == 1 else 's'}"


def _shares(band: Band) -> tuple[float, ...]:
    sizes = [*map(abs, band.weights), band.prior]
    whole = sum(sizes) or 1.0
    return tuple(size / whole for size in sizes)


def compared(figures: dict[str, int], version: int) -> Figure:
    """Draw what the choice of the parts found on held-out data, in thousandths of nDCG@10."""
    rows = sorted(figures.items(), key=lambda row: -row[1])
    return bars_figure(
        [(_candidate(name), figure) for name, figure in rows],
        title=f"What the training of version {version} compared",
        description="nDCG@10 in thousandths on data that was held out of the training, of what was compared to choose.",
        headings=("What", "nDCG@10, thousandths"),
    )


def _candidate(name: str) -> str:
    """Name a candidate of the choice: ``last 5`` is what was chosen, for people of five things."""
    head, _, number = name.partition(" ")
    if head == "last":
        return f"Chosen, for a history of {number}"
    if head in set(Kind):
        return " ".join(filter(None, (_PARTS[Kind(head)], number)))
    return {"chosen": "Chosen, for whole histories", "prior": _PRIOR}.get(name, name.capitalize())
