from django.contrib import admin
from django.urls import include, path, re_path
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
from personalization.rollouts import pages as model_rollout_page
from personalization.rollouts import step_pages as model_rollout_steps
from personalization.training_runs import pages as training_pages
from policies.registers import jurisdiction_matrix
from policies.residency import data_map, matrix
from policies.rollout import pages as rollout_page
from policies.rollout import step_pages
from policies.simulation import pages as simulation_page
from privacy.rights import pages as rights_pages

admin.site.index_title = "Today"

handler400 = "governance.web.error_views.bad_request"
handler403 = "governance.web.error_views.permission_denied"

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
    path("admin/check-evidence", admin.site.admin_view(start_page.check_evidence), name="check-evidence"),
    path("admin/trust/", admin.site.admin_view(trust_page.show), name="trust"),
    path("admin/trust/numbers.csv", admin.site.admin_view(trust_page.download), name="trust-csv"),
    path("admin/jurisdiction-matrix", admin.site.admin_view(jurisdiction_matrix.matrix), name="jurisdiction-matrix"),
    path("admin/residency-matrix", admin.site.admin_view(matrix.show), name="residency-matrix"),
    path("admin/data-map", admin.site.admin_view(data_map.show), name="data-map"),
    path("admin/register-findings", admin.site.admin_view(findings_page.show), name="register-findings"),
    path("admin/changes/", admin.site.admin_view(change_pages.overview), name="change-sets"),
    path("admin/changes/<int:pk>/", admin.site.admin_view(change_pages.show), name="change-set"),
    path(
        "admin/changes/<int:pk>/remedy/<slug:code>",
        admin.site.admin_view(change_pages.remedy),
        name="change-set-remedy",
    ),
    path("admin/changes/<int:pk>/<slug:name>", admin.site.admin_view(change_pages.step), name="change-set-step"),
    path("admin/reviews/", admin.site.admin_view(review_pages.overview), name="reviews"),
    path("admin/reviews/<uuid:pk>/", admin.site.admin_view(review_pages.show), name="review"),
    path("admin/models/", admin.site.admin_view(model_overview.show), name="model-overview"),
    path("admin/models/trainings", admin.site.admin_view(training_pages.show), name="model-trainings"),
    path(
        "admin/models/<int:pk>/documents/<slug:kind>",
        admin.site.admin_view(model_documents.show),
        name="model-document",
    ),
    path(
        "admin/models/<int:pk>/documents/<slug:kind>/<slug:form>",
        admin.site.admin_view(model_documents.download),
        name="model-document-file",
    ),
    path("admin/models/<int:pk>/audits", admin.site.admin_view(model_audits.show), name="model-audits"),
    path("admin/models/audits/<uuid:run>.json", admin.site.admin_view(model_audits.download), name="model-audit-file"),
    path("admin/simulations/", admin.site.admin_view(simulation_page.overview), name="simulations"),
    path("admin/simulations/<uuid:pk>/", admin.site.admin_view(simulation_page.show), name="simulation"),
    path(
        "admin/simulations/<uuid:pk>/report.json",
        admin.site.admin_view(simulation_page.download_json),
        name="simulation-json",
    ),
    path(
        "admin/simulations/<uuid:pk>/report.csv",
        admin.site.admin_view(simulation_page.download_csv),
        name="simulation-csv",
    ),
    path("admin/rollouts/", admin.site.admin_view(rollout_page.overview), name="rollouts"),
    path("admin/rollouts/start", admin.site.admin_view(step_pages.start), name="rollout-start"),
    path("admin/rollouts/<int:pk>/", admin.site.admin_view(rollout_page.show), name="rollout"),
    path("admin/rollouts/<int:pk>/<slug:name>", admin.site.admin_view(step_pages.step), name="rollout-step"),
    path("admin/model-rollouts/", admin.site.admin_view(model_rollout_page.overview), name="model-rollouts"),
    path("admin/model-rollouts/start", admin.site.admin_view(model_rollout_steps.start), name="model-rollout-start"),
    path("admin/model-rollouts/<int:pk>/", admin.site.admin_view(model_rollout_page.show), name="model-rollout"),
    path(
        "admin/model-rollouts/<int:pk>/<slug:name>",
        admin.site.admin_view(model_rollout_steps.step),
        name="model-rollout-step",
    ),
    path("admin/requests/", admin.site.admin_view(rights_pages.inbox), name="rights-inbox"),
    path("admin/requests/<uuid:pk>/", admin.site.admin_view(rights_pages.show), name="rights-request"),
    path(
        "admin/requests/<uuid:pk>/evidence.zip",
        admin.site.admin_view(rights_pages.evidence),
        name="rights-request-evidence",
    ),
    path(
        "admin/requests/<uuid:pk>/address", admin.site.admin_view(rights_pages.address), name="rights-request-address"
    ),
    path("admin/requests/<uuid:pk>/<slug:name>", admin.site.admin_view(rights_pages.step), name="rights-request-step"),
    path("admin/consent/proof/", admin.site.admin_view(consent_proof.search), name="consent-proof"),
    path("admin/consent/proof/<uuid:ref>/", admin.site.admin_view(consent_proof.person), name="consent-proof-person"),
    path(
        "admin/consent/proof/<uuid:ref>/evidence.zip",
        admin.site.admin_view(consent_proof.download),
        name="consent-proof-evidence",
    ),
    path(
        "admin/consent/proof/<uuid:ref>/receipts/<int:revision>.json",
        admin.site.admin_view(consent_proof.receipt),
        name="consent-proof-receipt",
    ),
    # In the place of the admin's own form: a text is seen, compared and confirmed before it can never be changed.
    path("admin/consent/notice/add/", admin.site.admin_view(notice_editor.edit), name="notice-editor"),
    path("admin/", admin.site.urls),
    path("assent.js", script.banner_script, name="banner-script"),
    path("shop/", demonstration.shop, name="shop"),
    path("api/v1/banner/", include("consent.banner.urls")),
    path("api/v1/", include("consent.urls")),
    path("api/v1/", include("privacy.rights.urls")),
    path("drp/", include("privacy.rights.drp.urls")),
    path("api/v1/", include("personalization.urls")),
    path("api/v1/", include("model_registry.external.urls")),
    path("api/v1/", include("policies.registers.urls")),
    path("api/v1/opa/", include("policies.opa.urls")),
    path("api/v1/cells/", include("policies.cells.urls")),
    path("api/schema", DocumentView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]
