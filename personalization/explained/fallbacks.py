"""Reasons why less was served than permitted, in the officers' words."""

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "recommender_resting": "The engine rests after failures",
    "recommender_failed": "The engine failed",
    "model_unusable": "The file of the model cannot be used",
    "no_model": "No version is in use",
    "nothing_related": "Nothing is related to what the person did",
    "too_little_history": "The person did too little",
    "segment_not_available": "The group is too small or stopped",
    "obligation_not_supported": "A condition of the permit is not known to the engine",
    "information_unavailable": "The database did not answer in time",
    "review_unavailable": "Reviews could not be read",
}


def in_words(code: str) -> str:
    """Return what a fallback means; a code that is not listed as it reads."""
    return _WORDS.get(code, code.replace("_", " ").capitalize())
