from collections.abc import Callable

from django.contrib import admin
from django.http.response import HttpResponseBase
from django.urls import URLPattern, include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from governance.monitoring import health, metrics
from governance.officers import consent_proof, findings_page, notice_editor, start_page, trust_page
from governance.openapi.views import DocumentView
from governance.privacy_center import erasing, outside, pages, ranking, receipts, rights, sign_in
from governance.sign_in import login
from governance.web import demonstration, script, well_known
from model_registry.pages import documents as model_documents
from model_registry.pages import overview as model_overview
from model_registry.reviews import pages as review_pages
from oversight.admin import pages as change_pages
from personalization.audits import pages as model_audits
from personalization.explained import pages as explained
from personalization.overview import pages as recommender_overview
from personalization.playground import pages as playground
from personalization.rollouts import pages as model_rollout_page
from personalization.rollouts import step_pages as model_rollout_steps
from personalization.training_runs import pages as training_pages
from policies.registers import jurisdiction_matrix
from policies.residency import data_map, matrix
from policies.rollout import pages as rollout_page
from policies.rollout import step_pages
from policies.simulation import pages as simulation_page
from privacy.releases.screens import noisy_tables as noisy_pages
from privacy.releases.screens import pages as release_pages
from privacy.rights import pages as rights_pages

admin.site.index_title = "Today"

handler400 = "governance.web.error_views.bad_request"
handler403 = "governance.web.error_views.permission_denied"


def _page(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
    """Return a page of officers, behind their sign-in."""
    return path(f"admin/{route}", admin.site.admin_view(view), name=name)


urlpatterns = [
    path("", pages.home, name="home"),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics.MetricsView.as_view(), name="metrics"),
    path("privacy/open/<str:token>", pages.confirm_link, name="privacy-confirm"),
    path("privacy/open", pages.open_link, name="privacy-open"),
    path("privacy/sign-in", sign_in.start, name="privacy-sign-in"),
    path("privacy/sign-in/back", sign_in.back, name="privacy-sign-in-back"),
    path("privacy/", pages.dashboard, name="privacy"),
    path("privacy/choices", pages.choose, name="privacy-choice"),
    path("privacy/level", pages.set_level, name="privacy-level"),
    path("privacy/ranking", ranking.page, name="ranking"),
    path("privacy/ranking/creators", explained.creators, name="ranking-creators"),
    path("privacy/ranking/model", explained.model_card, name="model-card"),
    path("privacy/not-relevant", ranking.not_relevant, name="not-relevant"),
    path("privacy/all-off", pages.all_off, name="privacy-all-off"),
    path("privacy/requests", rights.ask, name="privacy-request"),
    path("privacy/corrections", rights.correct, name="privacy-correct"),
    path("privacy/erasure", erasing.erase, name="privacy-erase"),
    path("privacy/requests/<uuid:pk>/download", rights.download, name="privacy-request-download"),
    path("privacy/requests/<uuid:pk>/cancel", rights.cancel, name="privacy-request-cancel"),
    path("privacy/files/<str:token>", rights.open_files, name="rights-download"),
    path("privacy/request", outside.ask, name="outside-ask"),
    path("privacy/request/<str:token>", outside.show, name="outside-request"),
    path("privacy/request/<str:token>/code", outside.try_code, name="outside-request-code"),
    path("privacy/request/<str:token>/send", outside.send_code, name="outside-request-send"),
    path("privacy/sign-out", pages.sign_out, name="privacy-sign-out"),
    path("privacy/end-all-sessions", pages.end_all_sessions, name="privacy-end-all-sessions"),
    path("privacy/receipts/<int:revision>", receipts.page, name="privacy-receipt"),
    re_path(
        r"^privacy/receipts/(?P<revision>[0-9]{1,15})-(?P<form>signed|dpv|kantara)\.json$",
        receipts.download,
        name="privacy-receipt-file",
    ),
    path(".well-known/jwks.json", well_known.keys, name="jwks"),
    path(".well-known/gpc.json", well_known.global_privacy_control, name="gpc"),
    path("admin/login/", login.login),
    path("admin/", include("governance.sign_in.urls")),
    _page("check-evidence", start_page.check_evidence, "check-evidence"),
    _page("trust/", trust_page.show, "trust"),
    _page("trust/numbers.csv", trust_page.download, "trust-csv"),
    _page("jurisdiction-matrix", jurisdiction_matrix.matrix, "jurisdiction-matrix"),
    _page("residency-matrix", matrix.show, "residency-matrix"),
    _page("data-map", data_map.show, "data-map"),
    _page("register-findings", findings_page.show, "register-findings"),
    _page("changes/", change_pages.overview, "change-sets"),
    _page("changes/<int:pk>/", change_pages.show, "change-set"),
    _page("changes/<int:pk>/remedy/<slug:code>", change_pages.remedy, "change-set-remedy"),
    _page("changes/<int:pk>/<slug:name>", change_pages.step, "change-set-step"),
    _page("reviews/", review_pages.overview, "reviews"),
    _page("reviews/<uuid:pk>/", review_pages.show, "review"),
    _page("models/", model_overview.show, "model-overview"),
    _page("recommender/", recommender_overview.show, "recommender-overview"),
    _page("recommender-playground", playground.show, "recommender-playground"),
    _page("models/trainings", training_pages.show, "model-trainings"),
    _page("models/<int:pk>/documents/<slug:kind>", model_documents.show, "model-document"),
    _page("models/<int:pk>/documents/<slug:kind>/<slug:form>", model_documents.download, "model-document-file"),
    _page("models/<int:pk>/audits", model_audits.show, "model-audits"),
    _page("models/audits/<uuid:run>.json", model_audits.download, "model-audit-file"),
    _page("simulations/", simulation_page.overview, "simulations"),
    _page("simulations/<uuid:pk>/", simulation_page.show, "simulation"),
    _page("simulations/<uuid:pk>/report.json", simulation_page.download_json, "simulation-json"),
    _page("simulations/<uuid:pk>/report.csv", simulation_page.download_csv, "simulation-csv"),
    _page("rollouts/", rollout_page.overview, "rollouts"),
    _page("rollouts/start", step_pages.start, "rollout-start"),
    _page("rollouts/<int:pk>/", rollout_page.show, "rollout"),
    _page("rollouts/<int:pk>/<slug:name>", step_pages.step, "rollout-step"),
    _page("model-rollouts/", model_rollout_page.overview, "model-rollouts"),
    _page("model-rollouts/start", model_rollout_steps.start, "model-rollout-start"),
    _page("model-rollouts/<int:pk>/", model_rollout_page.show, "model-rollout"),
    _page("model-rollouts/<int:pk>/<slug:name>", model_rollout_steps.step, "model-rollout-step"),
    _page("releases/", release_pages.overview, "releases"),
    _page("releases/tables/<uuid:pk>/", release_pages.table, "release-table"),
    _page("releases/tables/<uuid:pk>/noisy", noisy_pages.form, "release-noisy"),
    _page("releases/<uuid:pk>/", release_pages.show, "release"),
    _page("releases/<uuid:pk>/copy", release_pages.download, "release-copy"),
    _page("releases/<uuid:pk>/manifest", release_pages.manifest, "release-manifest"),
    _page("releases/<uuid:pk>/<slug:name>", release_pages.step, "release-step"),
    _page("requests/", rights_pages.inbox, "rights-inbox"),
    _page("requests/<uuid:pk>/", rights_pages.show, "rights-request"),
    _page("requests/<uuid:pk>/evidence.zip", rights_pages.evidence, "rights-request-evidence"),
    _page("requests/<uuid:pk>/address", rights_pages.address, "rights-request-address"),
    _page("requests/<uuid:pk>/<slug:name>", rights_pages.step, "rights-request-step"),
    _page("consent/proof/", consent_proof.search, "consent-proof"),
    _page("consent/proof/<uuid:ref>/", consent_proof.person, "consent-proof-person"),
    _page("consent/proof/<uuid:ref>/evidence.zip", consent_proof.download, "consent-proof-evidence"),
    _page("consent/proof/<uuid:ref>/receipts/<int:revision>.json", consent_proof.receipt, "consent-proof-receipt"),
    # In the place of the admin's own form: a text is seen, compared and confirmed before it can never be changed.
    _page("consent/notice/add/", notice_editor.edit, "notice-editor"),
    path("admin/", admin.site.urls),
    path("assent.js", script.banner_script, name="banner-script"),
    path("shop/", demonstration.shop, name="shop"),
    path("api/v1/banner/", include("consent.banner.urls")),
    path("api/v1/", include("consent.urls")),
    path("api/v1/", include("privacy.rights.urls")),
    path("api/v1/", include("privacy.releases.urls")),
    path("drp/", include("privacy.rights.drp.urls")),
    path("api/v1/", include("personalization.urls")),
    path("api/v1/", include("model_registry.external.urls")),
    path("api/v1/", include("policies.registers.urls")),
    path("api/v1/opa/", include("policies.opa.urls")),
    path("api/v1/cells/", include("policies.cells.urls")),
    path("api/schema", DocumentView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
