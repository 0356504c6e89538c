from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = "Consent"

    def ready(self) -> None:
        from common.registers import lint as register_lint
        from consent.register import lint

        register_lint.add_check("consent", lint.check)
