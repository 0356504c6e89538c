"""The admin's menu, in the field's words. Each entry stands there for who may open it."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import lazy

# Each page of the admin asks for every path several times.
_path_of = lazy(cache(reverse), str)


def _link(title: str, icon: str, model: str) -> dict[str, Any]:
    app, name = model.split("_", 1) if not model.startswith("model_registry_") else model.rsplit("_", 1)
    link = _path_of(f"admin:{model}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _has(f"{app}.view_{name}")}


def _has(right: str) -> Callable[[HttpRequest], bool]:
    """Return what asks whether an officer has a right; changing something lets one look at it, as in Django."""
    change = right.replace(".view_", ".change_")

    def is_held(request: HttpRequest) -> bool:
        return request.user.has_perm(right) or request.user.has_perm(change)

    return is_held


def _group(title: str, *links: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(links)}


SIDEBAR: dict[str, Any] = {
    "show_search": True,
    "show_all_applications": False,
    "navigation": [
        {
            "items": [
                {"title": "Today", "icon": "wb_sunny", "link": _path_of("admin:index")},
                {
                    "title": "Change sets",
                    "icon": "rule_settings",
                    "link": _path_of("change-sets"),
                    "permission": "oversight.admin.pages.may_view",
                },
            ]
        },
        _group(
            "Consent",
            {
                "title": "Requests of people",
                "icon": "inbox",
                "link": _path_of("rights-inbox"),
                "permission": _has("rights.view_rightsrequest"),
            },
            {
                "title": "Consent proof",
                "icon": "verified",
                "link": _path_of("consent-proof"),
                "permission": "governance.officers.consent_proof.may_look_up",
            },
            _link("Processing activities", "target", "consent_purpose"),
            {
                "title": "Findings",
                "icon": "rule_settings",
                "link": _path_of("register-findings"),
                "permission": "governance.officers.findings_page.may_view",
            },
            _link("Notices", "article", "consent_notice"),
            _link("Sites with a banner", "web", "consent_site"),
            _link("Data categories", "category", "consent_datacategory"),
            _link("Parties", "apartment", "consent_party"),
            _link("Data subjects", "person", "consent_datasubject"),
            _link("Consent ledger", "receipt_long", "consent_consentrecord"),
            {
                "title": "Trust metrics",
                "icon": "monitoring",
                "link": _path_of("trust"),
                "permission": "governance.officers.trust_page.may_view",
            },
            _link("Imports", "move_to_inbox", "consent_consentimport"),
        ),
        _group(
            "Policies",
            _link("Policy versions", "policy", "policies_policy"),
            _link("Bundles", "inventory_2", "policies_bundle"),
            _link("Activations", "published_with_changes", "policies_activation"),
            {
                "title": "Simulations",
                "icon": "experiment",
                "link": _path_of("simulations"),
                "permission": "policies.simulation.pages.may_view",
            },
            {
                "title": "Rollouts",
                "icon": "moving",
                "link": _path_of("rollouts"),
                "permission": "policies.rollout.pages.may_view",
            },
            _link("Rules of display", "visibility_off", "policies_displayrule"),
            _link("Rules of ranking", "format_list_numbered", "policies_rankingrule"),
            _link("Rules of prices", "sell", "policies_pricerule"),
            _link("Frequency caps", "repeat", "policies_frequencycap"),
            _link("Rules of masking", "disabled_visible", "policies_maskrule"),
            _link("Residency rules", "public", "policies_residencyrule"),
            {
                "title": "Residency matrix",
                "icon": "grid_on",
                "link": _path_of("residency-matrix"),
                "permission": "policies.residency.matrix.may_view",
            },
            {
                "title": "Data map",
                "icon": "account_tree",
                "link": _path_of("data-map"),
                "permission": "policies.residency.data_map.may_view",
            },
            _link("Regions", "map", "policies_region"),
            _link("Processing regions", "dns", "policies_processingregion"),
            _link("Processing systems", "lan", "policies_processingsystem"),
            _link("Transfer instruments", "handshake", "policies_transferinstrument"),
            _link("Jurisdictions", "gavel", "policies_jurisdiction"),
            {
                "title": "Jurisdiction matrix",
                "icon": "table_view",
                "link": _path_of("jurisdiction-matrix"),
                "permission": _has("policies.view_jurisdiction"),
            },
            _link("Sensitive categories", "health_and_safety", "policies_sensitivecategory"),
        ),
        _group(
            "Models",
            {
                "title": "Overview of models",
                "icon": "monitoring",
                "link": _path_of("model-overview"),
                "permission": _has("model_registry.view_modelversion"),
            },
            {
                "title": "Recommender",
                "icon": "recommend",
                "link": _path_of("recommender-overview"),
                "permission": "personalization.overview.pages.may_view",
            },
            {
                "title": "Playground",
                "icon": "science",
                "link": _path_of("recommender-playground"),
                "permission": "personalization.playground.pages.may_view",
            },
            _link("Model versions", "model_training", "model_registry_modelversion"),
            {
                "title": "Rollouts of models",
                "icon": "moving",
                "link": _path_of("model-rollouts"),
                "permission": "personalization.rollouts.pages.may_view",
            },
            _link("Models", "deployed_code", "model_registry_model"),
            _link("Release gates", "checklist", "model_registry_gatedemand"),
            _link("Gates that do not apply", "remove_done", "model_registry_gateexemption"),
            {
                "title": "Reviews of outputs",
                "icon": "rate_review",
                "link": _path_of("reviews"),
                "permission": "model_registry.reviews.pages.may_view",
            },
            _link("Rules of review", "rule", "reviews_reviewrule"),
            _link("Recorded cases", "rule", "personalization_regressioncase"),
            _link("Creators who opted out", "person_off", "personalization_creatoroptout"),
            _link("Stopped segments", "group_off", "model_registry_stoppedsegment"),
            _link("Features", "functions", "personalization_feature"),
            _link("Objectives of monitors", "monitoring", "personalization_monitorobjective"),
        ),
        _group(
            "Data and retention",
            _link("Retention schedules", "schedule", "privacy_retentionschedule"),
            _link("Record periods", "inventory_2", "privacy_recordperiod"),
            _link("Legal holds", "lock", "privacy_hold"),
            _link("Restrictions", "pause_circle", "privacy_restriction"),
            _link("Authorised agents", "support_agent", "rights_agent"),
            _link("Deletion plans", "fact_check", "privacy_deletionplan"),
            _link("Deletion runs", "delete_sweep", "privacy_disposal"),
            _link("Counts of events", "bar_chart", "personalization_eventcount"),
            _link("Catalogue", "shopping_bag", "personalization_item"),
        ),
        _group(
            "Releases",
            {
                "title": "Releases of tables",
                "icon": "table_chart",
                "link": _path_of("releases"),
                "permission": _has("privacy.view_tablerelease"),
            },
            _link("Limits of disclosure", "shield", "privacy_disclosurelimits"),
            _link("External tables", "database", "privacy_externaltable"),
            _link("Published statistics", "query_stats", "privacy_release"),
            _link("Statistics", "functions", "privacy_statistic"),
            _link("Privacy budgets", "savings", "privacy_privacybudget"),
        ),
        _group(
            "Decisions",
            _link("Decision log", "fact_check", "policies_decision"),
            _link("Dropped days", "auto_delete", "policies_logdrop"),
            _link("OPA servers", "hub", "policies_opainstance"),
            _link("Decisions of OPA servers", "rule", "policies_externaldecision"),
        ),
        _group(
            "Audit",
            _link("Audit log", "history", "audit_auditevent"),
            _link("Anchors", "link", "audit_auditanchor"),
        ),
        _group(
            "Access",
            _link("Oversight settings", "person_check", "oversight_relaxedregister"),
            _link("Service credentials", "key", "policies_servicecredential"),
            _link("Officers", "badge", "auth_user"),
            _link("Roles", "groups", "auth_group"),
            _link("Sessions", "devices", "governance_officersession"),
            {"title": "Your sign-in", "icon": "passkey", "link": _path_of("officer-account")},
        ),
    ],
}
