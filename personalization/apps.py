from django.apps import AppConfig


class PersonalizationConfig(AppConfig):
    name = "personalization"
    verbose_name = "Personalization"

    def ready(self) -> None:
        from personalization.event_store.stores import EVENTS, EVENTS_FOR_ANSWERS, REFUSALS, WAYS
        from personalization.models import Event
        from privacy.retention import schedules
        from privacy.rights.answers import stores

        schedules.add_store(EVENTS, ways=WAYS, refusals=REFUSALS, kinds=Event.Kind.values)
        stores.add(EVENTS_FOR_ANSWERS)
