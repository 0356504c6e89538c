"""What a version is, in short: its card, its quality by level, and whom it may serve now."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from common.admin_pages.display import NOTHING, grid, table
from model_registry.documents import keeping
from model_registry.documents.card import ModelCard
from model_registry.models import ModelVersion
from model_registry.pages import people

_MOST = 5


def card(version: ModelVersion) -> str:
    """Return the newest model card in short, with a link to all of it."""
    row = keeping.current(version, "card")
    link = format_html(
        '<p><a href="{}">{}</a></p>', reverse("model-document", args=[version.pk, "card"]),
        f"The whole card, revision {row.revision}" if row else "Write the model card",
    )  # fmt: skip
    return format_html("{}{}", table(_said(keeping.document_of(row))) if row else "", link)


def _said(document: ModelCard) -> Iterator[tuple[str, Any]]:
    considerations, training, governance = document.considerations, document.training, document.governance
    window = f"{training.from_day} to {training.to_day}" if training.from_day else ""
    found = {
        "What it is": document.overview,
        "Intended uses": _list(considerations.use_cases),
        "Forbidden uses": _list(considerations.forbidden_uses),
        "Limitations": _list(considerations.limitations),
        "Risks": _list([f"{risk.name} – {risk.mitigation}" for risk in considerations.ethical]),  # noqa: RUF001
        "Training data": ", ".join(filter(None, [*(each.name for each in training.data), window])),
        "Epsilon": "none: trained without differential privacy" if training.epsilon is None else training.epsilon,
        "Largest disparity": _disparity(document),
        "EU AI Act": ", ".join(filter(None, [governance.role, f"{governance.risk} risk" if governance.risk else ""])),
        "Chosen approach": ", ".join(each.approach for each in document.alternatives if each.chosen),
    }
    return ((name, value) for name, value in found.items() if value)


def _list(texts: list[str]) -> str:
    shown = format_html_join("", "<li>{}</li>", ((text,) for text in texts[:_MOST]))
    more = f"and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    return format_html('<ul class="fact-list">{}</ul>{}', shown, more) if shown else ""


def _disparity(document: ModelCard) -> str:
    worst = max(document.disparities, key=lambda each: abs(each.value), default=None)
    return f"{worst.metric} {worst.value:+g} for {worst.group}" if worst else ""


def quality(version: ModelVersion) -> str:
    """Return the quality of the first ten suggestions by level (NDCG), and what each level adds to the general list.

    Where it was measured, also by the protocol that leaves every item out that a person had before.
    """
    figures = version.metrics.get("ndcg_at_10_per_mille", {})
    base = figures.get("none", 0)
    strict = version.metrics.get("protocols", {}).get("S", {})
    rows = [
        (
            level.capitalize(),
            f"{figure / 10:.1f} %",
            _as_read("ndcg", strict.get(level, {}).get("ndcg")),
            _lift(level, figure, base),
        )
        for level, figure in figures.items()
    ]
    columns = ["Level", "As served (W), 100 % is best", "All known items left out (S)", "Against the general list"]
    shown = grid(columns, rows) if rows else NOTHING
    if "people" not in version.metrics:
        return shown
    learnt = format_html("<p>Learnt from {} people.</p>", f"{version.metrics['people']:,}")
    others = [part(version.metrics) for part in (_other_figures, _new_items, _ratings)]
    return format_html("{}{}{}{}{}", shown, learnt, *others)


# What else an evaluation says of a level, as its own figures name it; per cent where it is a share.
_OTHERS = {
    "precision": "Precision",
    "recall": "Recall",
    "coverage": "Catalogue covered",
    "diversity": "Diversity",
    "serendipity": "Serendipity",
    "novelty": "Novelty (bits)",
    "popularity_lift": "Popularity (times)",
}
_NO_SHARES = ("novelty", "popularity_lift")


def _other_figures(metrics: dict[str, Any]) -> str:
    levels = metrics.get("protocols", {}).get("W", {})
    rows = [
        (level.capitalize(), *(_as_read(name, given.get(name)) for name in _OTHERS)) for level, given in levels.items()
    ]
    return grid(["Level", *_OTHERS.values()], rows) if rows else ""


def _as_read(name: str, per_mille: int | None) -> str:
    if per_mille is None:
        return NOTHING
    return f"{per_mille / 1000:.2f}" if name in _NO_SHARES else f"{per_mille / 10:.1f} %"


def _ratings(metrics: dict[str, Any]) -> str:
    if "ratings" not in metrics:  # a version of an older release
        return ""
    given = metrics["ratings"]
    if given is None:
        return format_html("<p>{}</p>", "Too few people rated what was held out for an error of predicted ratings.")
    return format_html(
        "<p>Ratings as its score predicts them: RMSE {}, MAE {} (without the score {} and {}),"
        " on {} ratings of {} people.</p>",
        *(f"{given[name] / 1000:.3f}" for name in ("rmse", "mae", "rmse_of_biases", "mae_of_biases")),
        f"{given['ratings']:,}",
        f"{given['people']:,}",
    )


def _new_items(metrics: dict[str, Any]) -> str:
    given = metrics.get("new_items")
    if not given:
        return ""
    low, high = given["interval"]
    return format_html(
        "<p>New items, ranked among themselves by what they are like: {} ({} to {}), asked of {} people.</p>",
        f"{given['ndcg'] / 10:.1f} %",
        f"{low / 10:.1f}",
        f"{high / 10:.1f} %",
        f"{given['people']:,}",
    )


def _lift(level: str, figure: int, base: int) -> str:
    if level == "none" or not base:
        return NOTHING
    return f"{(figure - base) / 10:+.1f} points ({100 * (figure - base) / base:+.0f} %)"


def affected(version: ModelVersion) -> str:
    """Return how many people the version may serve now, in groups of at least k."""
    names = {purpose.slug: purpose.name for purpose in version.purposes.all()}
    found = people.served(version, now=timezone.now())
    rows = [
        (names[group.purpose], group.level.capitalize(), group.region or "unknown", f"{group.people:,}")
        for group in found.groups
    ]
    shown = grid(["Purpose", "Level", "Region", "People"], rows) if rows else "Nobody yet. "
    notes = [
        *(["Estimated from a sample."] if found.is_estimate else []),
        *(
            [f"Other groups are smaller; one of fewer than {found.smallest} people is never shown."]
            if found.has_more
            else []
        ),
        "Counted by what they answered; each decision also asks the law of the region, age, signals and the gates.",
    ]
    return format_html('{}<p class="start-muted">{}</p>', shown, " ".join(notes))
