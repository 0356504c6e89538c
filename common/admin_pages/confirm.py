"""Confirmation page: GET shows what will happen, POST does it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from common.http.problems import Problem


@dataclass(frozen=True, kw_only=True)
class Step:
    """An officer's pending action on one object."""

    title: str
    effects: Sequence[str]
    button: str
    done: str
    is_dangerous: bool = False


def confirm(request: HttpRequest, obj: Model, step: Step, act: Callable[[], object]) -> HttpResponse:
    """Confirm a step on an object, and redirect to the object's page."""
    options = obj._meta  # noqa: SLF001 (Django documents it for this use)
    back = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[obj.pk])
    context = {**admin.site.each_context(request), "title": step.title, "opts": options}
    return confirm_at(request, step, act, back=back, context=context)


def confirm_at(
    request: HttpRequest, step: Step, act: Callable[[], object], *, back: str, context: Mapping[str, Any]
) -> HttpResponse:
    """Show the confirmation, or act and redirect to ``back``. A Problem is shown there and changes nothing."""
    if request.method != "POST":
        return render(request, "admin/confirm.html", {**context, "step": step, "back": back})
    try:
        act()
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, step.done)
    return HttpResponseRedirect(back)
