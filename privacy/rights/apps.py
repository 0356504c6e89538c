from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "privacy.rights"
    label = "rights"
    verbose_name = "Rights of people"

    def ready(self) -> None:
        from oversight import registers
        from oversight.work import kinds
        from privacy.erasures import replaying
        from privacy.rights.drp import descriptors
        from privacy.rights.erasure import carrying, replay
        from privacy.rights.requests import fulfilling, outcomes, work
        from privacy.rights.stores import consents, deletions, letters, links, person, requests, seam, trail

        fulfilling.add(outcomes.FULFILMENTS)
        kinds.add(work.REQUEST)
        registers.add(descriptors.AGENT)
        seam.add(person.PERSON, consents.CONSENTS, consents.TERMS, consents.SAVED_ANSWERS, links.LINKS)
        seam.add(
            deletions.DELETIONS,
            deletions.CONTRACTS,
            requests.REQUESTS,
            requests.STEPS,
            requests.ERASURES,
            requests.FILES,
        )
        seam.add(letters.LETTERS, trail.TRAIL, trail.LOOKS_AT)
        replaying.on(carrying.KIND, replay.replay, people=replay.people)
