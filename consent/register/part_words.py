"""Names of the parts of a purpose in one language: what a person can agree to or refuse by itself, and what not."""

from django.utils import translation
from django.utils.translation import gettext as _

from consent.ledger import scopes
from consent.ledger.selectors import Descriptions
from consent.models import Purpose
from consent.register import words
from consent.register.data_words import DataDescriptions

ACTION, LEVEL = "action", "level"


class PartWords:
    """Parts by their written form (``data_category=location``), named as the register names them."""

    def __init__(
        self, language: str, *, described: Descriptions | None = None, data: DataDescriptions | None = None
    ) -> None:
        self._language = language
        self._described = described or Descriptions(language)
        self._data = data or DataDescriptions(language)

    def of(self, purpose: Purpose) -> dict[str, str]:
        """Return every part with its name; an action and the level are agreed to with the whole only."""
        with translation.override(self._language):
            recipients = zip(purpose.recipients, self._described.recipients_of(purpose), strict=True)
            level = _("Level: %(level)s") % {"level": words.LEVELS[purpose.max_level]}
            return {
                **{scopes.scope_of(data_category=c): self._data.name(c) for c in purpose.data_categories},
                **{scopes.scope_of(recipient=slug): name for slug, name in recipients},
                **{scopes.scope_of(channel=c): str(words.CHANNELS.get(c, c)) for c in purpose.channels},
                **{f"{ACTION}={action}": words.plain_action(action) for action in purpose.actions},
                f"{LEVEL}={purpose.max_level}": level,
            }


def is_separable(part: str) -> bool:
    """Return whether a person can answer about the part alone."""
    return part.partition("=")[0] in scopes.DIMENSIONS
