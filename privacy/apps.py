from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Data and retention"

    def ready(self) -> None:
        from common import suppression
        from common.registers import lint as register_lint
        from consent.ledger import effects
        from oversight import registers
        from oversight.approvals import subjects
        from oversight.changes import figures
        from privacy.budgets import descriptors as of_budgets
        from privacy.erasures import replaying, undoing
        from privacy.holds import descriptors as of_holds
        from privacy.redaction import old_proof
        from privacy.releases.inputs.external_register import EXTERNAL_TABLE
        from privacy.releases.limits import DISCLOSURE, smallest_group
        from privacy.releases.pseudonyms.stores import KEYS, TOKENS
        from privacy.releases.subjects import RELEASE
        from privacy.retention import descriptors, disposal, lint, restoring, schedules
        from privacy.retention.data_sets import profiles
        from privacy.retention.own_records import old_records, record_periods
        from privacy.retention.subjects import PLAN, UNDO
        from privacy.rights.stores import seam

        subjects.add(PLAN, UNDO, RELEASE)
        seam.add(TOKENS, KEYS)
        schedules.add_store(profiles.PROFILES, ways=profiles.WAYS, refusals=profiles.REFUSALS)
        registers.add(descriptors.RETENTION_SCHEDULE, record_periods.RECORD_PERIOD, of_holds.HOLD, of_holds.RESTRICTION)
        registers.add(of_budgets.PRIVACY_BUDGET, of_budgets.STATISTIC)
        registers.add(DISCLOSURE, EXTERNAL_TABLE)
        suppression.use(smallest_group)
        register_lint.add_check("privacy", lint.check)
        figures.add_effect(descriptors.rows_due, record_periods.records_due, of_holds.people_kept)
        figures.add_effect(of_budgets.budgets_left)
        record_periods.add_due("import_reports", old_records.due)
        record_periods.add_due("consent_proof", old_proof.due)
        replaying.on(old_proof.KIND, old_proof.replay)
        effects.on_withdrawal(disposal.queue_for_withdrawals)
        restoring.add_bar(undoing.ended_since)
