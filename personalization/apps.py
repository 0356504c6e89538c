from django.apps import AppConfig


class PersonalizationConfig(AppConfig):
    name = "personalization"
    verbose_name = "Personalization"

    def ready(self) -> None:
        from personalization.stores import EventStore
        from privacy.retention import schedules

        schedules.add_store(EventStore())
