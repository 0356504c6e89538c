"""Rules as data: saving a row is audited, and in force at the next decision."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.forms import ModelForm
from django.http import HttpRequest

from audit import trail
from common import actors, policy_data
from common.admin_pages import changes
from common.admin_pages.bulk import BulkInOneTransaction
from common.admin_pages.model_admin import ModelAdmin
from policies.models.rules import processing_groups


class RuleAdmin(BulkInOneTransaction, ModelAdmin):
    """Rules as data: saving one is audited and is a new bundle revision, in force at the next decision."""

    fixed: tuple[str, ...] = ("slug",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(self.fixed if obj else ())]

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        before = changes.stored(obj)
        super().save_model(request, obj, form, change)
        self._publish(request, obj, "changed" if change else "created", before, changes.fields_of(obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        before = changes.stored(obj)
        super().delete_model(request, obj)
        self._publish(request, obj, "deleted", before, {})

    def _publish(
        self, request: HttpRequest, obj: Any, what: str, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        actor = actors.officer(request)
        name = f"{type(obj).__name__.lower()} {getattr(obj, 'slug', None) or getattr(obj, 'code', '')}"
        trail.record(f"rule.{what}", name, actor=actor, details=changes.difference(before, after))
        policy_data.changed(reason=f"{name} {what}", actor=actor)
        messages.info(request, "The rules in force were renewed: this counts from the next decision on.")


def group_name(slug: str) -> str:
    return slug.upper() if len(slug) <= 3 else slug.replace("-", " ").capitalize()


def group_labels(groups: Iterable[str]) -> list[tuple[str, str]]:
    return [(slug, group_name(slug)) for slug in sorted(groups)]


def known_groups() -> list[tuple[str, str]]:
    """Return every residency group with its name, as suggestions."""
    return group_labels(processing_groups())
