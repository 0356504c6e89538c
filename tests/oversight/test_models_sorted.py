"""Every table of the project is a register, a record, data or operational; registers refuse unapproved writes."""

import pytest
from django.apps import apps
from django.db import connection

from governance.evidence import guards
from oversight import registers

# Registers whose tables have a life cycle of their own, or are written by the operator's commands alone
# (docs/decisions/0031 and 0043).
OWN_WAYS = {
    "auth_group", "auth_permission", "auth_group_permissions",
}  # fmt: skip
# What was: written once, and most of it append-only.
RECORDS = {
    "audit_auditevent", "audit_auditanchor", "consent_bannerlayout", "consent_consentimport", "consent_consentrecord",
    "consent_noticeterms", "model_registry_document",
    "model_registry_documentreview", "model_registry_evidence",
    "consent_registersnapshot", "django_admin_log", "oversight_approval", "oversight_change", "oversight_changeset",
    "oversight_step", "oversight_workitem", "oversight_workstep", "personalization_auditrun",
    "personalization_monitorresult", "personalization_trainingreference", "policies_activation", "policies_bundle",
    "policies_decision", "policies_decisionbatch", "policies_droppedpart", "policies_externalbatch",
    "policies_externaldecision", "policies_logcheckpoint", "policies_policy", "policies_policyactivation",
    "personalization_modelrollout",
    "policies_rollout", "policies_rolloutstep", "policies_simulationreport", "privacy_budgetspend",
    "privacy_deletionplan", "privacy_disposal", "privacy_disposalbatch", "privacy_release",
    "privacy_tablerelease", "privacy_uploadedtable", "rights_blocker",
    "rights_agentrequest", "rights_erasurestep", "rights_requeststep", "rights_requester",
    "rights_rightsrequest", "reviews_review", "reviews_verdict",
}  # fmt: skip
# What a service of the business or a person brings.
DATA = {
    "consent_dailycount", "consent_datasubject", "consent_savedrequest", "personalization_event",
    "personalization_alsobought", "personalization_eventcount", "personalization_item", "personalization_popularitem",
    "privacy_contractend",
    "personalization_onlinefeatures",
    "personalization_trainingmember",
    "personalization_snapshotperson",
    "personalization_showing",
    "privacy_personkey", "privacy_vaulttoken",
    "reviews_output",
    "reviews_verdicttext",
    "personalization_creatoroptout",
}  # fmt: skip
# What the program keeps for itself.
OPERATIONAL = {
    "audit_signingkey", "common_keycheck", "common_ratebucket", "consent_subjectlink",
    "django_content_type",
    "model_registry_modelfile",
    "governance_officersession", "governance_provideridentity", "governance_recoverycode", "governance_secondfactor",
    "django_session", "policies_activebundle", "policies_appliedrelease", "policies_opainstance",
    "policies_heldtag", "policies_logdrop", "policies_periodkey", "policies_policydraft",
    "policies_spoolposition", "privacy_deletionswitch",
    "privacy_holdmember", "privacy_undopart",
    "personalization_retrainingdue",
    "personalization_rolloutcount",
    "rights_agenttoken",
    "rights_answerpackage",
    "rights_downloadlink",
    "personalization_cataloguerevision",
    "personalization_eventstream",
    "personalization_itemexposure",
    "personalization_servedcount",
    "personalization_signalloss",
    "personalization_trainingrun",
    "rights_letter",
}  # fmt: skip


def test_every_table_is_sorted_exactly_once() -> None:
    every = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    sorts = [set(registers.tables()), OWN_WAYS, RECORDS, DATA, OPERATIONAL]

    assert every - set().union(*sorts) == set(), "sort a new table: is it changed by change sets?"
    assert set().union(*sorts) - every == set()
    assert sum(map(len, sorts)) == len(every), "a table is of one sort"


@pytest.mark.django_db
def test_every_register_refuses_unapproved_writes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%\\_by\\_change\\_set'")
        guarded = {table for (table,) in cursor.fetchall()}

    assert guarded == {*registers.tables(), "auth_group", "auth_group_permissions", "auth_permission"}


@pytest.mark.django_db
@pytest.mark.parametrize("table", registers.tables())
def test_a_guard_that_is_missing_is_found(table: str) -> None:
    assert guards.broken() is None
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {table}_by_change_set ON {table}")

    assert guards.broken() == f"trigger {table}_by_change_set is missing or switched off"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "trigger"),
    [
        ("auth_user", "auth_user_rows_by_change_set"),
        ("auth_group", "auth_group_by_change_set"),
        ("auth_group_permissions", "auth_group_permissions_by_change_set"),
        ("auth_permission", "auth_permission_by_change_set"),
        ("policies_servicecredential", "policies_servicecredential_final"),
        ("oversight_change", "oversight_change_fixed"),
        ("oversight_changeset", "oversight_changeset_fixed"),
    ],
)
def test_a_guard_beside_the_registers_that_is_missing_is_found(table: str, trigger: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger} ON {table}")

    assert guards.broken() == f"trigger {trigger} is missing or switched off"
