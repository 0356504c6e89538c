from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Data and retention"

    def ready(self) -> None:
        from consent import effects  # noqa: PLC0415 (the registry must exist first)
        from privacy import disposal  # noqa: PLC0415

        effects.on_withdrawal(disposal.queue_for_withdrawals)
