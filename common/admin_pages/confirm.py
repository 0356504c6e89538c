"""Confirmation page: GET shows what will happen, POST does it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from common.http.problems import InvalidRequest, Problem


@dataclass(frozen=True, kw_only=True)
class Step:
    """An officer's pending action on one object.

    ``asks``: the one field of its form, under ``label``. ``seen``: the digest of what the page shows, sent with it.
    """

    title: str
    effects: Sequence[str]
    button: str
    done: str
    is_dangerous: bool = False
    asks: str = ""
    label: str = ""
    needs_answer: bool = True
    seen: str = ""


_LONGEST = 200


def answer(request: HttpRequest, name: str = "because") -> str:
    """Return what was typed into a step's field. Raises InvalidRequest for what no table takes."""
    typed = request.POST.get(name, "").strip()[:_LONGEST]
    if "\x00" in typed:
        raise InvalidRequest(_("The reason holds a NUL character, which cannot be stored."))
    return typed


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
