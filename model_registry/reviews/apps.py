from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "model_registry.reviews"
    label = "reviews"
    verbose_name = "Reviews of outputs"

    def ready(self) -> None:
        from model_registry.reviews import descriptors
        from oversight import registers

        registers.add(descriptors.REVIEW_RULE)
