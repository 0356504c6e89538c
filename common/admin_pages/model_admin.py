"""Base of the admin's pages: lists are filtered by what they show, and by comparisons that cannot fail."""

from django.http import HttpRequest
from unfold.admin import ModelAdmin as UnfoldModelAdmin

# Patterns are left out: PostgreSQL refuses some and takes long for others.
_COMPARISONS = frozenset(
    {"exact", "in", "isnull", "gt", "gte", "lt", "lte", "date", "year", "month", "day", "id", "pk"}
)


class ModelAdmin(UnfoldModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Admin page whose list may be filtered by fields it offers; any other filter in an address is answered 400.

    Django allows every field of the table, hashes of credentials among them, and every lookup.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        for name in self._offered(request):
            if lookup == name or lookup.startswith(f"{name}__"):
                parts = lookup[len(name) :].split("__")[1:]
                return all(part in _COMPARISONS or part == self._target_of(name) for part in parts)
        return False

    def _offered(self, request: HttpRequest) -> set[str]:
        filters = [entry[0] if isinstance(entry, (list, tuple)) else entry for entry in self.get_list_filter(request)]
        named = {getattr(entry, "parameter_name", None) or str(entry) for entry in filters}
        shown = {str(name) for name in (*self.get_list_display(request), self.date_hierarchy)}
        fields = {field.name for field in self.opts.get_fields()}
        return named | shown & fields | {"id", "pk", self.opts.pk.name}

    def _target_of(self, name: str) -> str | None:
        """Return the member of another table that a relation is compared by; None for a plain field."""
        found = next((field for field in self.opts.get_fields() if field.name == name), None)
        return getattr(getattr(found, "target_field", None), "name", None)
