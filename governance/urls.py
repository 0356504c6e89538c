from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from governance import health, metrics, pages, ranking, receipts, start_page, trust_page, well_known
from policies import jurisdiction_matrix

admin.site.index_title = "Today"

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics.MetricsView.as_view(), name="metrics"),
    path("privacy/open/<str:token>", pages.open_link, name="privacy-open"),
    path("privacy/", pages.dashboard, name="privacy"),
    path("privacy/choices", pages.choose, name="privacy-choice"),
    path("privacy/level", pages.set_level, name="privacy-level"),
    path("privacy/ranking", ranking.page, name="ranking"),
    path("privacy/not-relevant", ranking.not_relevant, name="not-relevant"),
    path("privacy/all-off", pages.all_off, name="privacy-all-off"),
    path("privacy/sign-out", pages.sign_out, name="privacy-sign-out"),
    path("privacy/receipts/<int:revision>", receipts.page, name="privacy-receipt"),
    re_path(
        r"^privacy/receipts/(?P<revision>[0-9]{1,15})-(?P<form>signed|dpv|kantara)\.json$",
        receipts.download,
        name="privacy-receipt-file",
    ),
    path(".well-known/jwks.json", well_known.keys, name="jwks"),
    path(".well-known/gpc.json", well_known.global_privacy_control, name="gpc"),
    path("admin/check-evidence", admin.site.admin_view(start_page.check_evidence), name="check-evidence"),
    path("admin/trust/", admin.site.admin_view(trust_page.show), name="trust"),
    path("admin/trust/numbers.csv", admin.site.admin_view(trust_page.download), name="trust-csv"),
    path("admin/jurisdiction-matrix", admin.site.admin_view(jurisdiction_matrix.matrix), name="jurisdiction-matrix"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("consent.urls")),
    path("api/v1/", include("personalization.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
