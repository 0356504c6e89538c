from django.apps import AppConfig


class PersonalizationConfig(AppConfig):
    name = "personalization"
    verbose_name = "Personalization"

    def ready(self) -> None:
        from personalization.stores import EventStore  # noqa: PLC0415 (models need the apps to be ready)
        from privacy import retention  # noqa: PLC0415

        retention.register(EventStore())
