from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "privacy.rights"
    label = "rights"
    verbose_name = "Rights of people"

    def ready(self) -> None:
        from oversight.work import kinds
        from privacy.erasures import replaying
        from privacy.rights.erasure import carrying, replay
        from privacy.rights.requests import fulfilling, outcomes, work
        from privacy.rights.stores import consents, deletions, links, person, requests, seam, trail

        fulfilling.add(outcomes.FULFILMENTS)
        kinds.add(work.REQUEST)
        seam.add(person.PERSON, consents.CONSENTS, consents.TERMS, consents.SAVED_ANSWERS, links.LINKS)
        seam.add(
            deletions.DELETIONS,
            deletions.CONTRACTS,
            requests.REQUESTS,
            requests.STEPS,
            requests.ERASURES,
            requests.FILES,
        )
        seam.add(trail.TRAIL, trail.LOOKS_AT)
        replaying.on(carrying.KIND, replay.replay, people=replay.people)
