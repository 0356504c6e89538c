import gc

from django.apps import AppConfig
from django.conf import settings


class GovernanceConfig(AppConfig):
    name = "governance"

    def ready(self) -> None:
        from governance import celery, checks  # noqa: F401 (tasks need the configured app in every process)
        from governance.monitoring import jobs  # noqa: F401 (beat notes when it has queued a job)
        from governance.officers import account_events, rights_register
        from governance.privacy_center import effects
        from governance.sign_in import sessions
        from oversight import registers
        from oversight.changes import figures

        registers.add(rights_register.OFFICER_RIGHTS)
        figures.add_effect(effects.cards)
        account_events.connect()
        sessions.connect()
        # The last of the applications: what is loaded by now stays, so collections need not look at it.
        gc.freeze()
        gc.set_threshold(*settings.GARBAGE_THRESHOLD)
