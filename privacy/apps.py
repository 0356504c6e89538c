from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Data and retention"

    def ready(self) -> None:
        from common.registers import lint as register_lint
        from consent.ledger import effects
        from oversight import registers
        from oversight.changes import figures
        from privacy.holds import descriptors as of_holds
        from privacy.retention import descriptors, disposal, lint, schedules
        from privacy.retention.data_sets import profiles

        schedules.add_store(profiles.PROFILES, ways=profiles.WAYS, refusals=profiles.REFUSALS)
        registers.add(descriptors.RETENTION_SCHEDULE, of_holds.HOLD, of_holds.RESTRICTION)
        register_lint.add_check("privacy", lint.check)
        figures.add_effect(descriptors.rows_due, of_holds.people_kept)
        effects.on_withdrawal(disposal.queue_for_withdrawals)
