from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Data and retention"

    def ready(self) -> None:
        from common.registers import lint as register_lint
        from consent.ledger import effects
        from privacy.retention import disposal, lint

        register_lint.add_check("privacy", lint.check)
        effects.on_withdrawal(disposal.queue_for_withdrawals)
