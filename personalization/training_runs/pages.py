"""Page of trainings: the schedule, *Train now*, and the progress of what runs. Reload to see more of it."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods

from common import actors
from common.admin_pages.permissions import require
from common.http.problems import Problem
from model_registry.models import Model, ModelVersion
from model_registry.pages.panels import Panel
from personalization import engine
from personalization.training_runs import running
from personalization.training_runs.models import TrainingRun

VIEW, CHANGE = "model_registry.view_modelversion", "model_registry.change_model"
_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show trainings; a POST asks for one."""
    if not (request.user.has_perm(VIEW) or request.user.has_perm(CHANGE)):
        raise PermissionDenied(VIEW)
    if request.method == "POST":
        require(request, CHANGE)
        try:
            running.request(author=actors.officer(request))
        except Problem as refused:
            messages.error(request, refused.detail)
        else:
            messages.success(request, "The training is asked for. It registers a draft, which serves no person.")
        return redirect("model-trainings")
    rows = list(TrainingRun.objects.select_related("version__model")[:_SHOWN])
    context = {
        **admin.site.each_context(request),
        "title": "Trainings",
        "entry": Model.objects.filter(slug=engine.MODEL_SLUG).first(),
        "rows": rows,
        "open": next((row for row in rows if row.state in TrainingRun.OPEN), None),
        "steps": len(running.STEPS),
        "may_train": request.user.has_perm(CHANGE),
    }
    return render(request, "admin/models/trainings.html", context)


def _link(version: ModelVersion) -> str:
    """Return the way to the trainings, on the pages of versions that are trained here."""
    if version.model.slug != engine.MODEL_SLUG:
        return ""
    return format_html('<p><a href="{}">Train now, schedule and progress</a></p>', reverse("model-trainings"))


PANEL = Panel("Trainings", _link, order=90)
