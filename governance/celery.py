"""Celery application: a worker for each queue, one beat. Every task is idempotent: delivered twice, it does no harm."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_init
from django.conf import settings

from common.jobs import queues

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings.local")
# Django's checks read our own code, which CI has done; for them each worker would load every page there is.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery ships no types
def _log_as_the_web_does(**_sent: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)


def _full_check(every: str) -> dict[str, Any]:
    """Return when all evidence is read: the nightly check goes on from the one before."""
    days: dict[str, dict[str, Any]] = {"weekly": {"day_of_week": "sunday"}, "monthly": {"day_of_month": 1}}
    if every not in days:
        return {}
    schedule = crontab(hour=5, minute=0, **days[every])
    task = "governance.tasks.verify_evidence"
    return {"verify-all-evidence": {"task": task, "kwargs": {"full": True}, "schedule": schedule}}


app = Celery("assent")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    # A request never waits for a broker that is away: the sweep queues again what could not be queued.
    task_publish_retry=False,
    broker_connection_timeout=2,
    broker_transport_options={"visibility_timeout": queues.VISIBILITY_TIMEOUT_S},
    task_time_limit=queues.LONGEST_JOB_S,
    task_default_queue=queues.PERIODIC,
    task_routes={
        # Deletions that follow retention are handed over to the long queue by name (privacy.retention.disposal).
        "privacy.tasks.run_disposals": {"queue": queues.URGENT},
        "privacy.tasks.sweep_disposals": {"queue": queues.URGENT},
        "privacy.tasks.undo_run": {"queue": queues.LONG},
        "personalization.tasks.train_recommender": {"queue": queues.LONG},
        "personalization.tasks.retrain_after_erasures": {"queue": queues.LONG},
        "personalization.tasks.verify_models": {"queue": queues.LONG},
        "personalization.tasks.fill_features": {"queue": queues.LONG},
        "personalization.tasks.run_monitors": {"queue": queues.LONG},
        "personalization.tasks.run_audits": {"queue": queues.LONG},
        "personalization.tasks.run_training": {"queue": queues.LONG},
        "privacy.tasks.redact_old_proof": {"queue": queues.LONG},
        "privacy.tasks.make_release": {"queue": queues.LONG},
        "policies.tasks.run_simulation": {"queue": queues.LONG},
        "policies.tasks.drop_old_decisions": {"queue": queues.LONG},
        "governance.tasks.verify_evidence": {"queue": queues.LONG},
        "privacy.tasks.scrub_storage": {"queue": queues.LONG},
    },
    timezone="UTC",
    beat_schedule={
        "anchor-audit-trail": {"task": "audit.tasks.anchor_audit_trail", "schedule": 10.0},
        "fulfil-requests": {"task": "privacy.rights.tasks.fulfil_requests", "schedule": 60.0},
        "sweep-reviews": {"task": "model_registry.reviews.tasks.sweep_reviews", "schedule": 60.0},
        "send-letters": {"task": "privacy.rights.tasks.send_letters", "schedule": 10.0},
        "report-to-agents": {"task": "privacy.rights.tasks.report_to_agents", "schedule": 30.0},
        "forget-packages": {"task": "privacy.rights.tasks.forget_packages", "schedule": crontab(hour=4, minute=25)},
        "write-head": {"task": "governance.tasks.write_head", "schedule": 60.0},
        "sweep-disposals": {"task": "privacy.tasks.sweep_disposals", "schedule": 60.0},
        "note-erasures": {"task": "privacy.tasks.note_erasures", "schedule": 60.0},
        "begin-and-end-holds": {"task": "privacy.tasks.begin_and_end_holds", "schedule": 60.0},
        "sweep-releases": {"task": "privacy.tasks.sweep_releases", "schedule": 60.0},
        "forget-tables": {"task": "privacy.tasks.forget_tables", "schedule": crontab(hour=4, minute=50)},
        "escalate-work": {"task": "oversight.tasks.escalate_work", "schedule": 600.0},
        "sweep-counts": {"task": "oversight.tasks.sweep_counts", "schedule": 60.0},
        "sweep-trainings": {"task": "personalization.tasks.sweep_trainings", "schedule": 60.0},
        "sweep-audits": {"task": "personalization.tasks.sweep_audits", "schedule": 60.0},
        "sweep-simulations": {"task": "policies.tasks.sweep_simulations", "schedule": 60.0},
        "follow-primary-cell": {"task": "policies.tasks.follow_primary", "schedule": 60.0},
        "watch-rollout": {"task": "policies.tasks.watch_rollout", "schedule": 30.0},
        "apply-retention": {"task": "privacy.tasks.apply_retention", "schedule": crontab(hour=1, minute=10)},
        "forget-undo": {"task": "privacy.tasks.forget_undo", "schedule": crontab(minute=20)},
        "keep-event-months": {"task": "personalization.tasks.keep_months", "schedule": crontab(hour=0, minute=40)},
        "close-event-streams": {"task": "personalization.tasks.close_streams", "schedule": crontab(hour=1, minute=20)},
        "refresh-general-list": {
            "task": "personalization.tasks.refresh_general_list",
            "schedule": crontab(minute=35),
        },
        "fill-features": {"task": "personalization.tasks.fill_features", "schedule": crontab(hour=2, minute=40)},
        "check-segments": {"task": "personalization.tasks.check_segments", "schedule": crontab(hour=1, minute=45)},
        "run-monitors": {"task": "personalization.tasks.run_monitors", "schedule": crontab(hour=1, minute=50)},
        "retrain-after-erasures": {"task": "personalization.tasks.retrain_after_erasures", "schedule": 600.0},
        "train-recommender": {"task": "personalization.tasks.train_recommender", "schedule": crontab(hour=2, minute=0)},
        "scrub-storage": {"task": "privacy.tasks.scrub_storage", "schedule": crontab(hour=2, minute=30)},
        "release-statistics": {"task": "privacy.tasks.release_statistics", "schedule": crontab(hour=3, minute=0)},
        "forget-old-requests": {
            "task": "consent.tasks.forget_old_requests",
            "schedule": crontab(hour=4, minute=10),
        },
        "forget-sessions": {"task": "governance.tasks.forget_sessions", "schedule": crontab(hour=4, minute=5)},
        "forget-pseudonym-keys": {
            "task": "policies.tasks.forget_pseudonym_keys",
            "schedule": crontab(hour=4, minute=0),
        },
        "drop-old-decisions": {"task": "policies.tasks.drop_old_decisions", "schedule": crontab(hour=0, minute=50)},
        "redact-old-proof": {"task": "privacy.tasks.redact_old_proof", "schedule": crontab(hour=3, minute=20)},
        "verify-models": {"task": "personalization.tasks.verify_models", "schedule": crontab(hour=3, minute=40)},
        "forget-model-files": {
            "task": "personalization.tasks.forget_model_files",
            "schedule": crontab(hour=4, minute=30),
        },
        "forget-import-reports": {
            "task": "privacy.tasks.forget_import_reports",
            "schedule": crontab(hour=4, minute=20),
        },
        "forget-external-decisions": {
            "task": "policies.tasks.forget_external_decisions",
            "schedule": crontab(hour=4, minute=15),
        },
        "audit-residency": {"task": "policies.tasks.audit_residency", "schedule": crontab(hour=4, minute=20)},
        "verify-evidence": {"task": "governance.tasks.verify_evidence", "schedule": crontab(hour=4, minute=30)},
        **_full_check(settings.EVIDENCE_FULL_CHECK),
    },
)


@worker_init.connect  # type: ignore[untyped-decorator]
def _check_keys(**_event: object) -> None:
    from governance import starting

    starting.require_subject_key()
    starting.require_replayed()
