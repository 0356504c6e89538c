from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Data and retention"

    def ready(self) -> None:
        from consent.ledger import effects
        from privacy.retention import disposal

        effects.on_withdrawal(disposal.queue_for_withdrawals)
