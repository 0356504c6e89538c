from django.apps import AppConfig


class PersonalizationConfig(AppConfig):
    name = "personalization"
    verbose_name = "Personalization"

    def ready(self) -> None:
        from personalization.stores import EVENTS_FOR_ANSWERS, EventStore
        from privacy.retention import schedules
        from privacy.rights.answers import stores

        schedules.add_store(EventStore())
        stores.add(EVENTS_FOR_ANSWERS)
