"""Sealing of outputs and of what reviewers wrote about them, and the digest that verdicts are bound to.

Each review has a key of its own, made from the instance's secret and the review's id: sealed content that is moved to
another row does not open there.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from cryptography.fernet import InvalidToken

from common.canonical import digest_of
from model_registry.reviews.models import Output, Review
from privacy.rights.answers import sealing

Content = Mapping[str, Any]


def seal(content: Content, review: Review) -> bytes:
    return sealing.seal(_text(content).encode(), review.pk)


def unseal(sealed: "bytes | memoryview[int]", review: Review) -> dict[str, Any] | None:
    """Return sealed content; None where no secret of this process opens it, or it was altered."""
    try:
        return cast("dict[str, Any]", json.loads(sealing.unseal(bytes(sealed), review.pk)))
    except (InvalidToken, ValueError):
        return None


def digest(content: Content, output: Output) -> str:
    """Return the digest of content with all that an approval of it is bound to."""
    review = output.review
    bound = {
        "review": str(review.pk),
        "kind": output.kind,
        "subject": str(output.subject_ref),
        "purpose": output.purpose,
        "version": review.version_id,
        "artifact": output.artifact_sha256,
        "decision": output.decision_id,
        "revision": output.revision,
        "asked": output.asked,
        "content": _text(content),
    }
    return digest_of(bound).hex()


def intact(output: Output) -> dict[str, Any] | None:
    """Return the content of an output; None where it is not the one that the review was opened about."""
    content = unseal(output.sealed, output.review)
    return content if content is not None and digest(content, output) == output.review.digest else None


def _text(content: Content) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
