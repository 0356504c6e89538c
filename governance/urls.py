from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from governance import health, pages, start_page
from policies import jurisdiction_matrix

admin.site.index_title = "Today"

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("privacy/open/<str:token>", pages.open_link, name="privacy-open"),
    path("privacy/", pages.dashboard, name="privacy"),
    path("privacy/choices", pages.choose, name="privacy-choice"),
    path("privacy/all-off", pages.all_off, name="privacy-all-off"),
    path("privacy/sign-out", pages.sign_out, name="privacy-sign-out"),
    path("admin/check-evidence", admin.site.admin_view(start_page.check_evidence), name="check-evidence"),
    path("admin/jurisdiction-matrix", admin.site.admin_view(jurisdiction_matrix.matrix), name="jurisdiction-matrix"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("consent.urls")),
    path("api/v1/", include("personalization.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
