from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = "Consent"

    def ready(self) -> None:
        from common import register_lint
        from consent.register import descriptors, effects, next_version, purpose_lint
        from oversight import registers
        from oversight.admin import remedies
        from oversight.changes import preview

        registers.add(descriptors.PARTY, descriptors.PURPOSE, descriptors.SITE, descriptors.NOTICE)
        register_lint.add_check("consent", purpose_lint.check)
        preview.add_effect(effects.people)
        remedies.add_remedy(*next_version.REMEDIES)
