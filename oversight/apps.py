from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "oversight"
    verbose_name = "Oversight"

    def ready(self) -> None:
        from oversight import registers
        from oversight.relaxing import RELAXED_REGISTER
        from oversight.work import kinds, reviews

        registers.add(RELAXED_REGISTER)
        kinds.add(reviews.APPROVAL, reviews.REVIEW)
