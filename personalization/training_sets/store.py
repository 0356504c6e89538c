"""Training sets as a store of personal data. Erasing someone lists the models and makes their retraining due."""

from uuid import UUID

from django.utils.translation import gettext_noop as _

from personalization.models import TrainingMember
from personalization.training_sets import retraining
from privacy.rights.stores.seam import Description, Erasure, Removed
from privacy.rights.stores.tables import TableStore, members


class TrainingStore(TableStore):
    """Store of training sets: what leaves it also makes a retraining due."""

    def erase(self, ref: UUID, erasure: Erasure) -> Removed:
        versions = [member.version for member in self.query(ref).select_related("version__model")]
        removed = super().erase(ref, erasure)
        retraining.make_due(versions, actor=erasure.actor)
        return Removed(removed.rows, removed.keys_sha256, {"models": [str(version) for version in versions]})


TRAINING = TrainingStore(
    Description(
        name="model_training",
        title=_("Models that learnt from your data"),
        members=members(
            ("version__model__slug", "string", _("model")),
            ("version__version", "integer", _("version")),
            ("version__created_at", "date-time", _("trained")),
        ),
        origin=_("made when a model was trained on what you did, with your permission"),
        kept=_("until the version is retired"),
        is_provided=False,
        tables=("personalization_trainingmember",),
    ),
    lambda ref: TrainingMember.objects.filter(subject_ref=ref).order_by("version_id"),
)
