"""Triggers of the append-only tables and of the registers: each of them there and switched on."""

from django.db import connection

from oversight import registers

TABLES = (
    "audit_auditevent", "audit_auditanchor", "consent_bannerlayout", "consent_consentrecord", "consent_notice",
    "consent_noticeterms", "consent_registersnapshot",
    "policies_bundle", "policies_activation", "policies_policy", "policies_policyactivation", "policies_decisionbatch",
    "policies_decision", "policies_droppedpart", "policies_logcheckpoint", "policies_externaldecision",
    "policies_externalbatch", "policies_rolloutstep",
    "privacy_disposalbatch", "privacy_budgetspend", "privacy_release", "rights_erasurestep", "rights_requeststep",
    "model_registry_document", "model_registry_documentreview", "model_registry_evidence",
    "oversight_step", "oversight_approval", "oversight_workstep", "reviews_verdict",
)  # fmt: skip
# Of tables that are no registers, or hold more than what a change set writes.
_OTHERS = (
    "auth_user_rows_by_change_set", "auth_group_by_change_set", "auth_group_permissions_by_change_set",
    "auth_permission_by_change_set", "policies_servicecredential_final", "oversight_change_fixed",
    "oversight_changeset_fixed",
)  # fmt: skip
# Rows of these may go, by the rule of a trigger of their own.
AGEING = ("policies_externaldecision", "policies_externalbatch", "policies_decisionbatch", "policies_droppedpart")
_EXPECTED = """
SELECT expected.name FROM (
  SELECT name FROM unnest(%s::text[]) name
  UNION ALL
  SELECT name || kind AS name FROM unnest(%s::text[]) name, unnest(ARRAY['_append_only', '_no_truncate']) kind
  UNION ALL
  SELECT name || '_no_early_delete' FROM unnest(%s::text[]) name
  UNION ALL
  SELECT name || '_by_change_set' FROM unnest(%s::text[]) name
  UNION ALL
  SELECT inhrelid::regclass::text || '_no_truncate' FROM pg_inherits
  WHERE inhparent IN ('policies_decision'::regclass, 'policies_externaldecision'::regclass)
) expected WHERE NOT EXISTS (
  SELECT 1 FROM pg_trigger t WHERE t.tgname = expected.name AND t.tgenabled IN ('O', 'A')) LIMIT 1"""
_DISABLED = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled NOT IN ('O', 'A') LIMIT 1"


# In this session, or from the next one on: set for the database, its users, or a user in it.
_SKIPPED = """
SELECT 1 WHERE current_setting('session_replication_role') = 'replica' OR EXISTS (
  SELECT 1 FROM pg_db_role_setting, unnest(setconfig) setting
  WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND setting = 'session_replication_role=replica')"""


def broken() -> str | None:
    """Name a trigger that is missing or switched off, or what makes sessions skip triggers, or None."""
    with connection.cursor() as cursor:
        cursor.execute(_SKIPPED)
        if cursor.fetchone():
            return "this database user's sessions skip triggers (session_replication_role)"
        for query, values in (
            (_EXPECTED, [list(_OTHERS), list(TABLES), list(AGEING), registers.tables()]),
            (_DISABLED, []),
        ):
            cursor.execute(query, values)
            if found := cursor.fetchone():
                return f"trigger {found[0]} is missing or switched off"
    return None
