"""Form field for people: customer ids or pseudonyms, one a line; an id becomes a pseudonym before it is kept."""

from typing import Any
from uuid import UUID

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from consent import pseudonyms
from consent.ledger import selectors


class PeopleField(forms.CharField):
    """A stored list of pseudonyms. Its errors name a line, never what stands in it."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return sorted({self._ref(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()})

    def _ref(self, number: int, line: str) -> str:
        try:
            return str(UUID(line))
        except ValueError:
            pass
        try:
            pseudonyms.checked(line)
        except ValueError:
            raise forms.ValidationError(f"Line {number} {pseudonyms.UNUSABLE}.") from None
        return str(selectors.known_ref(line))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != sorted(initial or []))
        except forms.ValidationError:
            return True
