from django.apps import AppConfig


class PersonalizationConfig(AppConfig):
    name = "personalization"
    verbose_name = "Personalization"

    def ready(self) -> None:
        from personalization.event_store.stores import EVENTS, EVENTS_FOR_ANSWERS
        from privacy.retention import schedules
        from privacy.rights.stores import seam

        schedules.add_store(EVENTS)
        seam.add(EVENTS_FOR_ANSWERS)
