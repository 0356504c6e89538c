from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "privacy.rights"
    label = "rights"
    verbose_name = "Rights of people"

    def ready(self) -> None:
        from oversight import registers
        from oversight.work import kinds
        from privacy.rights.answers import own_stores, stores
        from privacy.rights.drp import descriptors
        from privacy.rights.requests import fulfilling, outcomes, work

        fulfilling.add(outcomes.FULFILMENTS)
        kinds.add(work.REQUEST)
        registers.add(descriptors.AGENT)
        stores.add(own_stores.PERSON, own_stores.CONSENTS, own_stores.LINKS)
        stores.add(own_stores.DELETIONS, own_stores.CONTRACTS, own_stores.REQUESTS)
