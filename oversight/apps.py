from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "oversight"
    verbose_name = "Oversight"

    def ready(self) -> None:
        from oversight.work import kinds, reviews

        kinds.add(reviews.APPROVAL, reviews.REVIEW)
