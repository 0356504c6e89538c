from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = "Consent"

    def ready(self) -> None:
        from consent.register import descriptors, effects, lint
        from oversight import registers
        from oversight.changes import checking, preview

        registers.add(descriptors.PURPOSE, descriptors.NOTICE)
        checking.add_lint(lint.lint)
        preview.add_effect(effects.people)
