"""Celery task names: a message queued by an older release carries the name of its task."""

from celery import current_app

TASKS = {
    "audit.tasks.anchor_audit_trail",
    "consent.tasks.forget_old_requests",
    "governance.tasks.verify_evidence",
    "governance.tasks.write_head",
    "governance.tasks.forget_sessions",
    "model_registry.reviews.tasks.sweep_reviews",
    "oversight.tasks.count_everybody",
    "oversight.tasks.escalate_work",
    "oversight.tasks.sweep_counts",
    "personalization.tasks.check_segments",
    "personalization.tasks.close_streams",
    "personalization.tasks.fill_features",
    "personalization.tasks.forget_model_files",
    "personalization.tasks.keep_months",
    "personalization.tasks.refresh_general_list",
    "personalization.tasks.retrain_after_erasures",
    "personalization.tasks.run_monitors",
    "personalization.tasks.run_audits",
    "personalization.tasks.run_training",
    "personalization.tasks.sweep_audits",
    "personalization.tasks.sweep_trainings",
    "personalization.tasks.train_recommender",
    "personalization.tasks.verify_models",
    "policies.tasks.audit_residency",
    "policies.tasks.drop_old_decisions",
    "policies.tasks.follow_primary",
    "policies.tasks.forget_external_decisions",
    "policies.tasks.forget_pseudonym_keys",
    "policies.tasks.run_simulation",
    "policies.tasks.sweep_simulations",
    "policies.tasks.watch_rollout",
    "privacy.rights.tasks.forget_packages",
    "privacy.rights.tasks.fulfil_requests",
    "privacy.rights.tasks.report_to_agents",
    "privacy.rights.tasks.send_letters",
    "privacy.tasks.apply_retention",
    "privacy.tasks.begin_and_end_holds",
    "privacy.tasks.note_erasures",
    "privacy.tasks.forget_import_reports",
    "privacy.tasks.forget_tables",
    "privacy.tasks.forget_undo",
    "privacy.tasks.make_release",
    "privacy.tasks.redact_old_proof",
    "privacy.tasks.release_statistics",
    "privacy.tasks.run_disposals",
    "privacy.tasks.scrub_storage",
    "privacy.tasks.sweep_disposals",
    "privacy.tasks.sweep_releases",
    "privacy.tasks.undo_run",
}


def test_every_task_keeps_its_queued_name():
    current_app.loader.import_default_modules()

    registered = {name for name in current_app.tasks if not name.startswith("celery.")}

    assert registered == TASKS


def test_every_scheduled_task_is_registered():
    scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}

    assert scheduled <= TASKS
