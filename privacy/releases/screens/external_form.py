"""Form of external tables: a mistake is shown beside the field, before anything is drafted."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.postgres.forms import SimpleArrayField
from django.forms import ModelForm
from unfold.widgets import UnfoldAdminTextareaWidget

from common.admin_pages.forms import SuggestingInput
from oversight.admin.forms import RefusesUnfit
from privacy.models import ExternalTable
from privacy.releases.inputs import external_register


def _databases() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(settings.EXTERNAL_DATABASES)]


class _Lines(SimpleArrayField):
    """Values one a line; empty lines are none."""

    def to_python(self, value: Any) -> Any:
        text = "\n".join(filter(str.strip, value.splitlines())) if isinstance(value, str) else value
        return super().to_python(text)


class ExternalTableForm(RefusesUnfit, ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    columns = _Lines(
        forms.CharField(max_length=63),
        delimiter="\n",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="One a line: what releases may be made of. Nothing else is read.",
    )

    class Meta:
        widgets = {"connection": SuggestingInput(_databases)}
        help_texts = {
            "slug": "Small letters, digits and hyphens. It can never be changed.",
            "connection": "A name that the operator gave it (EXTERNAL_DATABASES). It can never be changed.",
            "person": "Names the person of a row, at best by the id that your services use here. No copy has it.",
            "row_key": "Another value in each row; two releases are compared by it. No copy has it.",
        }

    def refuse_unfit(self, wanted: ExternalTable) -> None:
        external_register.refuse_unfit(wanted)
