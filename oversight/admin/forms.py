"""Forms of a register in the admin: what is saved becomes a draft change set, not the row."""

from collections.abc import Iterable
from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common import actors
from common.http.problems import Problem
from oversight import guard, registers, rows
from oversight.admin import presenting
from oversight.changes import drafting, preview
from oversight.changes.documents import Proposed
from oversight.models import ChangeSet
from oversight.problems import ChangeRefused
from oversight.registers import Register


class RefusesUnfit:
    """Mixin of a ``ModelForm`` of a register: what could not be in force is refused in the form, in a sentence."""

    instance: Any
    errors: Any

    def refuse_unfit(self, wanted: Any) -> None:
        """Raise ChangeRefused or ValidationError for a row as the form wants it: a copy, which is not saved."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Return the values; refuse the row they make."""
        cleaned: dict[str, Any] = super().clean() or {}  # type: ignore[misc]  # ModelForm's
        if self.errors:
            return cleaned
        wanted = copy(self.instance)
        for name, value in cleaned.items():
            setattr(wanted, name, value)
        try:
            self.refuse_unfit(wanted)
        except ChangeRefused as exc:
            raise ValidationError(exc.detail) from None
        return cleaned


class DraftsAlone:
    """Mixin of a ``ModelAdmin`` or an inline of a register: no field leads to a form of its own in a pop-up."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Return the field without the buttons that add or change a related object: those would only draft."""
        field = super().formfield_for_dbfield(db_field, request, **options)  # type: ignore[misc]  # ModelAdmin's
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget.can_add_related = field.widget.can_change_related = False
            field.widget.can_delete_related = field.widget.can_view_related = False
        return field


class DraftsDeletions:
    """Mixin of a ``ModelAdmin``: deleting drafts a change set and leads to its page."""

    model: type[Model]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_queryset(request, [obj])

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any] | list[Any]") -> None:
        register = registers.of_model(self.model)
        gone = [Proposed(register.name, rows.key_of(register, row), None) for row in queryset]
        names = ", ".join(f"“{row}”" for row in queryset)
        self._draft(request, gone, f"Delete {self.called(register)} {names}")

    def called(self, register: Register) -> str:
        """Return what the titles of drafts call an object."""
        return register.title.lower()

    def get_actions(self, request: HttpRequest) -> Any:
        """Return the list's actions; deleting drafts a set, whose page says what it does before it happens."""
        actions = super().get_actions(request)  # type: ignore[misc]  # ModelAdmin's
        if "delete_selected" in actions:
            _action, name, _title = actions["delete_selected"]
            actions["delete_selected"] = (propose_deletion, name, "Draft a change set that deletes these")
        return actions

    def _draft(self, request: HttpRequest, proposed: list[Proposed], title: str) -> None:
        request.assent_set = None  # type: ignore[attr-defined]
        try:
            request.assent_set = draft_of(proposed, title=title, actor=actors.officer(request))  # type: ignore[attr-defined]
        except Problem as problem:
            messages.error(request, problem.detail)

    def log_deletion(self, request: HttpRequest, *_args: Any) -> None:
        """Write nothing: Django's own log would say that a draft is in force."""

    log_deletions = log_deletion

    def response_delete(self, request: HttpRequest, *_args: Any, **_more: Any) -> HttpResponse:
        change_set = getattr(request, "assent_set", None)
        if change_set is not None:
            return redirect("change-set", pk=change_set.pk)
        return redirect(request.get_full_path())


class DraftsChanges(DraftsAlone, DraftsDeletions):
    """Mixin of a ``ModelAdmin``: saving and deleting draft a change set and lead to its page.

    The form, its inlines and its links are written as ever, in a savepoint; the row is read back as a document, and the
    savepoint is rolled back. So every register's form works, and what it would write is what is proposed.
    """

    change_form_outer_before_template = "admin/changes/open_drafts.html"
    change_form_outer_after_template = "admin/changes/of_object.html"
    object_history_template = "admin/changes/history.html"

    def more_changes(self, form: Any, key: str) -> Iterable[Proposed]:
        """Return what else the form proposes next to its own row."""
        return ()

    def save_model(self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool) -> None:
        request.assent_point = transaction.savepoint()  # type: ignore[attr-defined]  # kept between Django's two steps
        guard.let_write("form")
        obj.save()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]  # ModelAdmin's
        register = registers.of_model(self.model)
        row = register.model._default_manager.get(pk=form.instance.pk)  # noqa: SLF001 (Django documents it)
        key = rows.key_of(register, row)
        proposed = [Proposed(register.name, key, rows.document_of(register, row)), *self.more_changes(form, key)]
        transaction.savepoint_rollback(request.assent_point)  # type: ignore[attr-defined]
        verb = "Change" if change else "Add"
        self._draft(request, proposed, f"{verb} {self.called(register)} “{row}”")

    log_addition = log_change = DraftsDeletions.log_deletion
    response_add = response_change = DraftsDeletions.response_delete

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]  # ModelAdmin's
        context = {**self._sets_of(row), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)  # type: ignore[misc,no-any-return]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form with buttons that say what they do."""
        context = {"drafts": True, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc,no-any-return]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the object's change sets: Django's own log holds nothing of a register."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]  # ModelAdmin's
        context = {**self._sets_of(row), **(extra_context or {})}
        return super().history_view(request, object_id, context)  # type: ignore[misc,no-any-return]

    def _sets_of(self, row: Any) -> dict[str, Any]:
        register = registers.of_model(self.model)
        sets = presenting.of_object(register.name, rows.key_of(register, row)) if row is not None else []
        return {"object_sets": sets, "open_sets": [each for each in sets if each["row"].is_open]}


def propose_deletion(page: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
    """Draft a set that deletes the rows chosen in a list."""
    page.delete_queryset(request, queryset)
    change_set = request.assent_set  # type: ignore[attr-defined]
    return redirect("change-set", pk=change_set.pk) if change_set else redirect(request.get_full_path())


@transaction.atomic
def draft_of(proposed: list[Proposed], *, title: str, actor: str) -> ChangeSet:
    """Draft what a form proposes, or put it into the officer's own draft about the same object; check it at once."""
    first = proposed[0]
    own = drafting.own_draft_of(first.register, first.key, actor=actor)
    if own is None:
        return preview.check(drafting.draft(proposed, title=title, actor=actor))
    return preview.check(drafting.edit(own, proposed, actor=actor))
