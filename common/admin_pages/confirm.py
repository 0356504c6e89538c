"""Confirmation page: GET shows what will happen, POST does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    """Show the confirmation, or act and redirect to the object's page. A Problem is shown there and changes nothing."""
    options = obj._meta  # noqa: SLF001 (Django documents it for this use)
    back = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[obj.pk])
    if request.method != "POST":
        context = {**admin.site.each_context(request), "title": step.title, "step": step, "back": back, "opts": options}
        return render(request, "admin/confirm.html", context)
    try:
        act()
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, step.done)
    return HttpResponseRedirect(back)
