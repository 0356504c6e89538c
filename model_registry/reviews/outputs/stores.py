"""Outputs under review as a data set: what retention, withdrawals and erasures delete, and what answers hold."""

from collections.abc import Iterable
from uuid import UUID

from django.utils.translation import gettext_noop as _

from model_registry.reviews.models import Output, Review
from model_registry.reviews.outputs import holding, sealing
from privacy.retention.tables import Table
from privacy.rights.stores.seam import Description, Erasure, Removed, Row
from privacy.rights.stores.tables import TableStore, digest_of_keys, members

OUTPUTS = Table(
    name="outputs under review",
    table="reviews_output",
    age="made_at",
    key="review_id",
    key_digest="uuid_send(review_id)",
)


class OutputStore(TableStore):
    """Store of outputs. An erasure ends their reviews."""

    def export(self, ref: UUID) -> Iterable[Row]:
        for output in self.query(ref).select_related("review"):
            yield {
                "id": str(output.pk),
                "kind": output.kind,
                "purpose": output.purpose,
                "made_at": output.made_at,
                "state": output.review.state,
                "content": sealing.unseal(output.sealed, output.review),
            }

    def erase(self, ref: UUID, erasure: Erasure) -> Removed:
        found = list(self.query(ref).order_by("pk").values_list("pk", flat=True))
        for pk in found:
            holding.void(pk, Review.Why.ERASED, actor=erasure.actor)
        return Removed(len(found), digest_of_keys(found))


FOR_ANSWERS = OutputStore(
    Description(
        name="outputs_under_review",
        title=_("What a person looks at before it is shown to you"),
        members=members(
            ("id", "string", _("review")),
            ("kind", "string", _("kind")),
            ("purpose", "string", _("purpose")),
            ("made_at", "date-time", _("when")),
            ("state", "string", _("state")),
            ("content", "object", _("what was made, and from what")),
        ),
        origin=_("made by a model from what you did, with your permission"),
        kept=_("until the approval ends, or until you turn the purpose off"),
        is_provided=False,
        tables=("reviews_output", "reviews_verdicttext"),
    ),
    lambda ref: Output.objects.filter(subject_ref=ref).order_by("made_at", "pk"),
)
