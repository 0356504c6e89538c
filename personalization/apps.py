from django.apps import AppConfig


class PersonalizationConfig(AppConfig):
    name = "personalization"
    verbose_name = "Personalization"

    def ready(self) -> None:
        from model_registry import listeners
        from model_registry.external import registration
        from model_registry.pages import panels
        from model_registry.reviews import kinds as outputs
        from oversight import registers
        from oversight.approvals import subjects
        from oversight.rollouts import watch
        from oversight.work import kinds
        from personalization.audits import panel, running
        from personalization.audits.descriptors import REGRESSION_CASE
        from personalization.engine import MODEL_SLUG
        from personalization.event_store.stores import EVENTS, EVENTS_FOR_ANSWERS, REFUSALS, WAYS
        from personalization.explained.panel import TRAINING as TRAINING_PANEL
        from personalization.features.lineage import LINEAGE
        from personalization.features.register import FEATURE
        from personalization.models import Event
        from personalization.monitors import objectives, work
        from personalization.monitors import pages as monitor_pages
        from personalization.review.producing import RECOMMENDATIONS
        from personalization.rollouts import ageing, pages, service
        from personalization.rollouts import kind as rollouts
        from personalization.snapshots import data_set
        from personalization.training_runs import pages as trainings
        from personalization.training_sets.retraining import RETRAIN
        from personalization.training_sets.store import TRAINING
        from personalization.verification import telling
        from privacy.retention import schedules
        from privacy.retention.own_records import record_periods
        from privacy.rights.stores import seam

        schedules.add_store(EVENTS, ways=WAYS, refusals=REFUSALS, kinds=Event.Kind.values)
        schedules.add_store(data_set.SNAPSHOTS, ways=data_set.WAYS, refusals=data_set.REFUSALS)
        seam.add(EVENTS_FOR_ANSWERS, TRAINING)
        panels.register("training", TRAINING_PANEL)
        panels.register("features", LINEAGE)
        kinds.add(RETRAIN, rollouts.ROLLED_BACK, work.STOPPED, work.MONITORED)
        subjects.add(rollouts.ROLLOUT)
        watch.add(rollouts.KIND, service.look)
        listeners.add(rollouts.follow)
        record_periods.add_due(ageing.KIND, ageing.due)
        panels.register("deployments", panels.Panel("Deployments", pages.panel, order=50))
        outputs.add(RECOMMENDATIONS)
        registers.add(REGRESSION_CASE, objectives.MONITOR_OBJECTIVE, FEATURE)
        panels.register("monitors", monitor_pages.PANEL)
        listeners.add(running.before_review)
        panels.register("audits", panels.Panel("Audits", panel.drawn, order=10))
        registration.reserve(MODEL_SLUG)
        panels.register("trainings", trainings.PANEL)
        panels.register("files", panels.Panel("Files and figures", telling.panel, order=20))
