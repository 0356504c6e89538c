from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "policies"
    verbose_name = "Policies"

    def ready(self) -> None:
        from django.conf import settings

        from common import policy_data
        from common.registers import lint as register_lint
        from consent import residence
        from oversight import registers
        from oversight.admin import panels
        from oversight.approvals import subjects
        from oversight.changes import preview
        from oversight.rollouts import watch
        from policies import release_gate
        from policies.bundles import publishing
        from policies.bundles.candidates import KIND
        from policies.bundles.subjects import POLICY, ROLLOUT
        from policies.cells import erasures, residence_guard
        from policies.decision_log.ageing import holding, previews
        from policies.decision_log.stores import DECISIONS
        from policies.endpoints.credential_register import SERVICE_CREDENTIAL
        from policies.registers import descriptors, lint, regions
        from policies.residency.descriptor import PROCESSING_SYSTEM
        from policies.rollout import service as rollouts
        from policies.simulation import change_sets
        from privacy.budgets import data_sets
        from privacy.releases import gate, places
        from privacy.retention import schedules
        from privacy.retention.own_records import record_periods
        from privacy.rights.requests import other_cells
        from privacy.rights.stores import seam

        seam.add(DECISIONS)
        schedules.add_data_set(holding.DATA_SET)
        record_periods.add_due("decision_log", previews.days_due)
        record_periods.add_due("log_exports", previews.files_due)
        preview.add_probe(change_sets.replay_later)
        panels.add_panel(change_sets.flips)
        subjects.add(POLICY, ROLLOUT)
        watch.add(KIND, rollouts.look)
        policy_data.add_publisher(publishing.publish_change)
        policy_data.use_turns(publishing.wait_for_publishers)
        registers.add(*descriptors.REGISTERS, PROCESSING_SYSTEM, SERVICE_CREDENTIAL)
        register_lint.add_check("policies", lint.check)
        data_sets.use_regions(regions.codes)
        gate.use(release_gate.judge)
        places.use(groups=regions.groups, regions=regions.processing)
        if settings.CELLS is not None:
            other_cells.use(erasures.OTHERS)
            residence.use_guard(residence_guard.guard)
            registers.keep_elsewhere(None if settings.CELLS.is_primary else settings.CELLS.primary.name)
