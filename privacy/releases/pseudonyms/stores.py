"""The vault as stores of personal data: what an answer to a person names, and what an erasure removes."""

from django.utils.translation import gettext_noop as _

from privacy.models import PersonKey, VaultToken
from privacy.rights.stores.seam import Description
from privacy.rights.stores.tables import TableStore, members

TOKENS = TableStore(
    Description(
        name="release_tokens",
        title=_("Tokens that stand for your data in tables given to others"),
        members=members(("token", "string", _("token")), ("made_at", "date-time", _("made"))),
        origin=_("made when a table with your data was prepared for others"),
        kept=_("until you are erased"),
        is_provided=False,
        tables=("privacy_vaulttoken",),
    ),
    lambda ref: VaultToken.objects.filter(subject_ref=ref).order_by("pk"),
)
KEYS = TableStore(
    Description(
        name="release_keys",
        title=_("Keys of your encrypted data in tables given to others"),
        members=members(("name", "string", _("name of the key")), ("made_at", "date-time", _("made"))),
        origin=_("made when a table with your data was prepared for others"),
        kept=_("until you are erased; without it your data in those tables cannot be read"),
        is_provided=False,
        tables=("privacy_personkey",),
    ),
    lambda ref: PersonKey.objects.filter(subject_ref=ref).order_by("pk"),
)
