from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = "Consent"

    def ready(self) -> None:
        from common.registers import lint as register_lint
        from consent.register import descriptors, effects, lint, next_version
        from oversight import registers
        from oversight.admin import remedies
        from oversight.changes import counting

        registers.add(*descriptors.REGISTERS)
        register_lint.add_check("consent", lint.check)
        counting.add_count("people", effects.PEOPLE)
        remedies.add_remedy(*next_version.REMEDIES)
