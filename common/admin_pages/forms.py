"""Form fields for lists and durations that registers store, in an editable notation; inputs with suggestions."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from common import patterns

_NAME = re.compile(patterns.SLUG)
_LONGEST_DAYS = 36_500


class CommaListField(forms.CharField):
    """A stored list of names, edited as ``one, two, three``. Spaces inside a name become ``_`` unless ``free_text``."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, free_text: bool = False, also: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(**options)
        self.free_text = free_text
        self.also = also

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        parts = value if isinstance(value, list) else re.split(r"[,\n;]", value or "")
        names = [self._name(part.strip()) for part in parts if part.strip()]
        return list(dict.fromkeys(names))

    def _name(self, part: str) -> str:
        if self.free_text or part in self.also:
            return part
        name = re.sub(r"\s+", "_", part.lower())
        if not _NAME.fullmatch(name):
            raise forms.ValidationError(f"“{part}” is not a name: use letters, digits, - and _ only.")
        return name

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != list(initial or []))
        except forms.ValidationError:
            return True


class Ticked(forms.MultipleChoiceField):
    """A stored list of names, edited as boxes."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices=choices, required=False, **options)


class DaysField(forms.IntegerField):
    """A stored duration, edited as a number of days."""

    widget = UnfoldAdminIntegerFieldWidget

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=_LONGEST_DAYS, **options)

    def prepare_value(self, value: Any) -> Any:
        return value.days if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> Any:
        days = super().clean(value)
        return None if days is None else timedelta(days=days)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed(self.prepare_value(initial), data))


class SuggestingInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # unfold ships no types
    """Text input that suggests values with their labels (``datalist``); any other value may be typed.

    ``suggestions`` is called on each rendering: registers change.
    """

    def __init__(self, suggestions: Callable[[], Iterable[tuple[str, str]]], **options: Any) -> None:
        super().__init__(**options)
        self.suggestions = suggestions

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        listed = f"suggestions-{name}"
        shown = super().render(name, value, {**(attrs or {}), "list": listed}, renderer)
        options = format_html_join("", '<option value="{}" label="{}"></option>', self.suggestions())
        return format_html('{}<datalist id="{}">{}</datalist>', shown, listed, options)
